"""Receiving pictures and voice without decoding them: packets in, complete frames and RTCP feedback out.

`Reception` is pure: time comes in as an argument, packets go out through a function. `Attachment` puts it between
aiortc's transceivers and the event loop. aiortc's own receiver is passed by: it decodes, keeps back the last frame of a
still screen, asks for a lost packet only once, and grants a quiet screen too little to come to life again.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

import structlog
from aiortc import RTCRtpTransceiver

from recorder import opus
from recorder.assembly import ASK_AGAIN_AFTER, Assembly
from recorder.bandwidth import CEILING, Bandwidth
from recorder.codecs import CODECS
from recorder.frames import Codec, Frame
from recorder.synchronization import SenderClock, StreamClock
from recorder.voices import Listening
from signaling import rtp
from signaling.aiortc_internals import Negotiated, RawTransport, negotiated, stand_aside
from signaling.rtp import Packet

log = structlog.get_logger()

REPORT_EVERY = 0.5
KEYFRAME_AGAIN_AFTER = 0.5
FIRST_KEYFRAME_WITHIN = 0.3
"""A stream begins with a keyframe, unless it began before its recorder listened."""
KEYFRAME_EVERY = 10.0
"""While the picture moves; it is where a recording can be cut without encoding it anew."""
MOVING_FRAMES = 25
STREAM_SILENT_AFTER = 2.0
MAX_NACKED = 256


class Reception:
    """One stream of pictures or of voice.

    `deliver(frame, now)` gets its frames in order, `send(packet)` the RTCP to be sent. Streams that are to be in step
    share the clock of their `sender`. A voice needs no keyframes, is not asked for again, and is never told to be less.
    """

    def __init__(
        self,
        terms: Negotiated,
        send: Callable[[bytes], None],
        deliver: Callable[[Frame, float], None],
        sender: SenderClock | None = None,
    ) -> None:
        self.heard_at: float | None = None
        self.on_packet: Callable[[Packet, float], None] | None = None
        """Is given each packet as it comes, before it is put in order; one sent again (RFC 4588) in its first form."""
        self.on_stream: Callable[[float], None] | None = None
        """Is told when another stream begins."""
        self.limit = CEILING
        """Bits per second above which nobody has any use of what is sent."""
        self.terms = terms
        self._send = send
        self._deliver = deliver
        self._codecs = {kind: CODECS[name] for kind, name in terms.codecs.items() if name in CODECS}
        self._voice = False
        self._sender = sender or SenderClock()
        self._clock = StreamClock(0, self._sender)
        self._assembly: Assembly | None = None
        self._payload_type = -1
        self._ssrc: int | None = None
        self._bandwidth = Bandwidth()
        self._recent: deque[float] = deque(maxlen=3)
        self._frames_since_keyframe = 0
        self._keyframe_at = 0.0
        self._keyframe_asked_at = float("-inf")
        self._first = 0
        self._received = 0
        self._expected_before = self._received_before = 0
        self._jitter = 0.0
        self._last_transit: float | None = None
        self._sender_report: tuple[int, float] = (0, 0.0)
        self._reported_at = float("-inf")

    @property
    def codec(self) -> Codec | None:
        """What is being received, once something was."""
        return self._codecs.get(self._payload_type)

    @property
    def urgent(self) -> bool:
        """Whether packets are missing, so that `tick` wants to be called within 30 ms."""
        return self._assembly is not None and self._assembly.incomplete

    def rtp(self, data: bytes, now: float) -> None:
        """A decrypted RTP packet."""
        if self.on_packet is None and self._goes_on(data):
            self.heard_at = now
            return
        try:
            packet = rtp.parse(data, self.terms.abs_send_time, self.terms.audio_level)
        except ValueError:
            return
        self.heard_at = now
        self._bandwidth.bytes += len(data)
        if packet.payload_type == self._payload_type and packet.ssrc == self._ssrc:
            self._count(packet, now)
        elif (repeated := self.terms.retransmissions.get(packet.payload_type)) is not None:
            if len(packet.payload) <= 2 or self._ssrc is None or repeated != self._payload_type:
                return
            original = int.from_bytes(packet.payload[:2], "big")
            packet = packet._replace(
                payload_type=repeated, ssrc=self._ssrc, sequence=original, payload=packet.payload[2:], send_time=None
            )
        elif not self._belongs(packet, now):
            return
        else:
            self._count(packet, now)
        if self._assembly is None:
            return
        if self.on_packet is not None:
            self.on_packet(packet, now)
        frames = self._assembly.add(packet, now)
        if frames:
            self._pass_on(frames, now)
        if self._voice:
            return
        if self._assembly.incomplete:
            self._ask(now)
        if self._assembly.needs_keyframe:
            self._ask_for_keyframe(now)

    def rtcp(self, data: bytes, now: float) -> None:
        """A decrypted compound RTCP packet."""
        self.heard_at = now
        for report in rtp.sender_reports(data):
            if report.ssrc == self._ssrc:
                self._sender_report = (report.middle_ntp, now)
                self._clock.report(report.ntp, report.timestamp, now)

    def tick(self, now: float) -> float:
        """Does what is due, and says after how many seconds it wants to be asked again."""
        if self._assembly is not None:
            if frames := self._assembly.expire(now):
                self._pass_on(frames, now)
            if not self._voice:
                self._ask(now)
                if self._assembly.needs_keyframe or self._time_for_keyframe(now):
                    self._ask_for_keyframe(now)
            if now - self._reported_at >= REPORT_EVERY:
                self._report(now)
        return ASK_AGAIN_AFTER if self.urgent else REPORT_EVERY / 2

    def want_keyframe(self, now: float) -> None:
        """Asks for a keyframe, for instance because the frames before it are not to be written."""
        if self._assembly is not None and not self._voice:
            self._assembly.needs_keyframe = True
            self._ask_for_keyframe(now)

    def refresh(self, now: float) -> None:
        """Asks for a keyframe that somebody else needs; what is delivered here goes on meanwhile."""
        if self._assembly is not None:
            self._ask_for_keyframe(now)

    def resume(self, now: float) -> None:
        """The sender begins again after a pause: its silence until now means nothing."""
        self.heard_at = now
        self.want_keyframe(now)

    def _goes_on(self, data: bytes) -> bool:
        """Takes a packet in the middle of a frame to which nothing is missing: nine in ten, at a third of the cost."""
        assembly = self._assembly
        if assembly is None or len(data) <= rtp.HEAD.size:
            return False
        flags, kind, sequence, timestamp, ssrc, _, words = rtp.HEAD.unpack_from(data)
        if kind != self._payload_type or ssrc != self._ssrc or flags & 0xEF != 0x80:
            return False
        payload = data[16 + 4 * words if flags & 0x10 else 12 :]
        if not assembly.goes_on(sequence, timestamp, payload):
            return False
        self._received += 1
        self._bandwidth.bytes += len(data)
        return True

    def _belongs(self, packet: Packet, now: float) -> bool:
        """Whether the packet is of the stream that is received; the first is taken, and another when it fell silent."""
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return False
        if packet.ssrc == self._ssrc and packet.payload_type == self._payload_type:
            return True
        if packet.ssrc != self._ssrc and self._recent and now - self._recent[-1] < STREAM_SILENT_AFTER:
            return False
        self._ssrc, self._payload_type, self._voice = packet.ssrc, packet.payload_type, codec.KIND == "audio"
        self._keyframe_asked_at = now + FIRST_KEYFRAME_WITHIN - KEYFRAME_AGAIN_AFTER
        self._first, self._received = packet.sequence, 0
        self._expected_before = self._received_before = 0
        self._sender_report, self._last_transit = (0, 0.0), None
        self._clock = StreamClock(codec.CLOCK_RATE, self._sender)
        self._assembly = Assembly(codec, self._clock)
        if self.on_stream is not None:
            self.on_stream(now)
        return True

    def _count(self, packet: Packet, now: float) -> None:
        """Statistics for the receiver report (RFC 3550 section 6.4.1 and appendix A.8), jitter by frames."""
        self._received += 1
        if not packet.marker and not self._voice:
            return
        if packet.send_time is not None:
            self._bandwidth.frame(packet.send_time, now)
        transit = now * self._clock.rate - packet.timestamp
        if self._last_transit is not None and abs(transit - self._last_transit) < 1 << 24:
            self._jitter += (abs(transit - self._last_transit) - self._jitter) / 16
        self._last_transit = transit

    def _pass_on(self, frames: list[Frame], now: float) -> None:
        for frame in frames:
            self._recent.append(now)
            self._frames_since_keyframe += 1
            if frame.size is not None:
                self._keyframe_at, self._frames_since_keyframe = now, 0
            self._deliver(frame, now)

    def _ask(self, now: float) -> None:
        assert self._assembly is not None and self._ssrc is not None
        if missing := self._assembly.missing(now):
            self._send(rtp.nack(self.terms.local_ssrc, self._ssrc, missing[:MAX_NACKED]))

    def _time_for_keyframe(self, now: float) -> bool:
        moving = len(self._recent) == self._recent.maxlen and now - self._recent[0] < 1
        return moving and self._frames_since_keyframe >= MOVING_FRAMES and now - self._keyframe_at >= KEYFRAME_EVERY

    def _ask_for_keyframe(self, now: float) -> None:
        if self._ssrc is not None and now - self._keyframe_asked_at >= KEYFRAME_AGAIN_AFTER:
            self._keyframe_asked_at = now
            self._send(rtp.picture_loss(self.terms.local_ssrc, self._ssrc))

    def _report(self, now: float) -> None:
        assert self._assembly is not None and self._assembly.highest is not None and self._ssrc is not None
        self._reported_at = now
        expected = self._assembly.highest - self._first + 1
        lately, lost = expected - self._expected_before, 0
        if lately > 0:
            lost = max(0, lately - (self._received - self._received_before))
        self._expected_before, self._received_before = expected, self._received
        fraction = lost / lately if lately > 0 else 0.0
        middle_ntp, came_at = self._sender_report
        delay = int((now - came_at) * 65536) if middle_ntp else 0
        report = rtp.Report(
            min(255, int(fraction * 256)),
            expected - self._received,
            self._assembly.highest,
            int(self._jitter),
            middle_ntp,
            delay,
        )
        feedback = rtp.receiver_report(self.terms.local_ssrc, self._ssrc, report)
        if not self._voice:
            bitrate = min(self._bandwidth.report(fraction, now), self.limit)
            feedback += rtp.maximum_bitrate(self.terms.local_ssrc, self._ssrc, bitrate)
        self._send(feedback)


class Attachment:
    """Receptions on transceivers that share one transport: they are fed, and their timer runs, until `release`."""

    def __init__(self, transceivers: Sequence[RTCRtpTransceiver], deliver: Callable[[Frame, float], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport = RawTransport(transceivers[0], self._rtp, self._rtcp)
        self._transceivers = transceivers
        self._receptions = dict[str, Reception]()
        self._by_payload_type = dict[int, Reception]()
        sender = SenderClock()
        for transceiver in transceivers:
            stand_aside(transceiver)
            terms = negotiated(transceiver)
            reception = Reception(terms, self._transport.send_rtcp, deliver, sender)
            self._receptions[transceiver.kind] = reception
            for payload_type in (*terms.codecs, *terms.retransmissions):
                self._by_payload_type[payload_type] = reception
        self._timer = self._loop.call_later(ASK_AGAIN_AFTER, self._tick)

    @property
    def video(self) -> Reception | None:
        return self._receptions.get("video")

    @property
    def voice(self) -> Reception | None:
        return self._receptions.get("audio")

    @property
    def codecs(self) -> list[Codec]:
        """What belongs into a file that begins now: the picture as it comes, and a voice even before it is heard."""
        pictures = [self.video.codec] if self.video is not None and self.video.codec is not None else []
        voiced = any(t.kind == "audio" and t.currentDirection in ("recvonly", "sendrecv") for t in self._transceivers)
        return [*pictures, opus] if voiced else pictures

    def listening(self) -> Listening | None:
        """A stream of other people's voices to this sender; None when it takes none."""
        for reception in (self.voice,) if self.voice is not None else ():
            for payload_type in list(reception.terms.codecs)[:1]:
                return Listening(payload_type, reception.terms.local_ssrc, self._transport.send_rtp)
        return None

    def release(self) -> None:
        """Stops feeding and the timer."""
        self._timer.cancel()
        self._transport.release()

    def _rtp(self, packets: list[bytes]) -> None:
        now = self._loop.time()
        for data in packets:
            reception = self._by_payload_type.get(data[1] & 0x7F)
            if reception is None:
                continue
            try:
                reception.rtp(data, now)
            except Exception:  # raised into the socket's transport, it would close every path to this peer
                log.exception("packet not taken")
                reception.want_keyframe(now)
        if any(each.urgent for each in self._receptions.values()) and self._timer.when() > now + ASK_AGAIN_AFTER:
            self._timer.cancel()
            self._timer = self._loop.call_later(ASK_AGAIN_AFTER, self._tick)

    def _rtcp(self, data: bytes) -> None:
        now = self._loop.time()
        for reception in self._receptions.values():
            reception.rtcp(data, now)

    def _tick(self) -> None:
        now = self._loop.time()
        self._timer = self._loop.call_later(min(each.tick(now) for each in self._receptions.values()), self._tick)
