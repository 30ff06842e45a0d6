"""Who is heard when several speak, and that a listener's stream has no seams."""

from itertools import pairwise

from recorder.voices import Listening
from signaling import rtp
from signaling.rtp import Packet


class Voice:
    """Somebody's microphone: a packet each 20 ms, loud or quiet."""

    def __init__(self, name: str, ssrc: int, sequence: int, timestamp: int) -> None:
        self.name, self._ssrc, self._sequence, self._timestamp = name, ssrc, sequence, timestamp

    def packet(self, loud: bool) -> Packet:
        self._sequence = self._sequence + 1 & 0xFFFF
        self._timestamp = self._timestamp + 960 & 0xFFFFFFFF
        payload = self.name.encode()
        return Packet(111, False, self._sequence, self._timestamp, self._ssrc, payload, None, 20 if loud else 100)


class Hearing:
    """One listener, and what reaches it."""

    def __init__(self) -> None:
        self.now = 50.0
        self.heard: list[Packet] = []
        self.listening = Listening(96, 0x9999, lambda data: self.heard.append(rtp.parse(data)))
        self.bob, self.dana = Voice("bob", 1, 65_530, 2**32 - 4000), Voice("dana", 2, 7, 55)

    def play(self, seconds: float, *, bob: bool | None = None, dana: bool | None = None) -> str:
        """Each loud (True), quiet (False) or without a microphone (None); who was heard, in order."""
        before = len(self.heard)
        for _ in range(round(seconds / 0.02)):
            for voice, loud in ((self.bob, bob), (self.dana, dana)):
                if loud is not None:
                    self.listening.packet(voice.name, voice.packet(loud), self.now)
            self.now += 0.02
        return " ".join(dict.fromkeys(packet.payload.decode() for packet in self.heard[before:]))


def test_who_speaks_is_heard_until_a_silence_lets_the_next_one_in() -> None:
    hearing = Hearing()
    assert hearing.play(1, bob=True, dana=False) == "bob"
    assert hearing.play(1, bob=True, dana=True) == "bob"
    assert hearing.play(0.2, bob=False, dana=True) == "bob"
    assert hearing.play(1, bob=False, dana=True) == "bob dana"
    assert hearing.play(3, bob=True, dana=True) == "dana"
    assert hearing.play(2, bob=False, dana=None) == "bob"


def test_the_listeners_stream_has_no_seams_whoever_speaks() -> None:
    hearing = Hearing()
    hearing.play(1, bob=True, dana=False)
    hearing.play(2, bob=False, dana=True)
    hearing.play(2, bob=True, dana=None)
    assert len({packet.payload for packet in hearing.heard}) == 2
    assert {(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(hearing.heard)} == {1}
    steps = {(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(hearing.heard)}
    assert min(steps) >= 950
    assert max(steps) < 48_000 * 1.5
    assert {(packet.ssrc, packet.payload_type) for packet in hearing.heard} == {(0x9999, 96)}


def test_a_loudness_that_is_not_told_is_guessed_from_the_size() -> None:
    hearing = Hearing()
    for size in (3, 90):
        hearing.listening.packet("dana", Packet(111, False, size, 0, 2, b"\0" * size, None), hearing.now)
        hearing.listening.packet("bob", Packet(111, False, size, 0, 1, b"\1" * size, None), hearing.now)
    assert [packet.payload[0] for packet in hearing.heard] == [0, 0]
