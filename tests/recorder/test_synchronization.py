"""Picture and voice of one sender on one clock, though each has its own and all run apart. Time is an argument here."""

import random

from hypothesis import given, settings, strategies as st

from recorder.synchronization import MAX_STRAY, SenderClock, StreamClock

HOUR = 3600.0
SENDER_BEGAN = 3.9e9  # seconds since 1900, as NTP counts


class Device:
    """A stream's clock at the sender: it runs `parts` millionths too fast, and begins at `first`."""

    def __init__(self, rate: int, parts: float, first: int) -> None:
        self._rate, self._first = rate * (1 + parts / 1e6), first

    def at(self, moment: float) -> int:
        return (self._first + round(moment * self._rate)) & 0xFFFFFFFF


class Sender:
    """A sender whose NTP clock runs apart from ours as well, and the two streams that come from it."""

    def __init__(self, ntp_parts: float, sound_parts: float) -> None:
        clock = SenderClock()
        self.picture, self.sound = StreamClock(90_000, clock), StreamClock(48_000, clock)
        self.screen, self.microphone = Device(90_000, 3, 0xFFFF0000), Device(48_000, sound_parts, 77)
        self._ntp_rate = 1 + ntp_parts / 1e6

    def ntp(self, moment: float) -> float:
        return SENDER_BEGAN + moment * self._ntp_rate


def test_picture_and_voice_stay_within_a_few_milliseconds_over_an_hour_of_clocks_that_run_apart() -> None:
    chance, sender = random.Random(5), Sender(ntp_parts=120, sound_parts=-150)
    apart, behind = list[float](), list[float]()
    for step in range(int(HOUR * 5)):
        moment = step / 5
        if step % 5 == 1:
            now = moment + 0.03 + chance.random() * 0.02
            sender.picture.report(sender.ntp(moment), sender.screen.at(moment), now)
        if step % 25 == 12:
            now = moment + 0.03 + chance.random() * 0.02
            sender.sound.report(sender.ntp(moment), sender.microphone.at(moment), now)
        shown = sender.picture.time(sender.screen.at(moment), moment + 0.15 + chance.random() * 0.1)
        heard = sender.sound.time(sender.microphone.at(moment), moment + 0.06 + chance.random() * 0.03)
        if moment > 15:
            apart.append(abs(shown - heard))
            behind.append(shown - moment)
    assert max(apart) < 0.005
    assert 0.02 < min(behind) <= max(behind) < 0.06  # and both follow our own clock, not the sender's


def test_without_reports_a_stream_keeps_the_distances_that_its_timestamps_say() -> None:
    clock = StreamClock(90_000, SenderClock())
    times = [clock.time((2**32 - 4500 + 3000 * n) & 0xFFFFFFFF, 10 + n / 30 + (n % 3) / 20) for n in range(10)]
    assert [round(time - 10, 6) for time in times] == [round(n / 30, 6) for n in range(10)]


def test_what_the_first_report_corrects_is_spread_over_the_time_that_passes() -> None:
    clock = StreamClock(48_000, SenderClock())
    first = clock.time(0, 100.3)  # 300 ms under way
    clock.report(SENDER_BEGAN, 0, 100.0)
    times = [clock.time(960 * n, 100.3 + n / 50) for n in range(1, 251)]
    steps = [after - before for before, after in zip([first, *times], times, strict=False)]
    assert min(steps) > 0.0179
    assert abs(times[-1] - 105) < 0.001


def test_timestamps_that_jump_are_not_believed_and_time_never_falls() -> None:
    clock = StreamClock(90_000, SenderClock())
    assert clock.time(0, 10.0) == 10.0
    assert clock.time(2**31, 11.0) == 11.0
    assert clock.time(2**31 - 90_000, 11.5) == 11.0


def test_a_sender_whose_clock_was_set_is_followed_again() -> None:
    sender = SenderClock()
    for number in range(9):
        sender.report(50.0 + number, 100.0 + number)
    sender.report(9050.0, 110.0)
    assert sender.behind == 110.0 - 9050.0


@given(
    st.lists(st.tuples(st.booleans(), st.floats(0, 2**33), st.integers(0, 2**32 - 1), st.floats(0, 20)), max_size=60)
)
@settings(max_examples=100, deadline=None)
def test_whatever_timestamps_and_reports_say_time_stays_near_ours_and_never_falls(
    heard: list[tuple[bool, float, int, float]],
) -> None:
    clock, now, last = StreamClock(90_000, SenderClock()), 50.0, 0.0
    for is_report, ntp, timestamp, passed in heard:
        now += passed
        if is_report:
            clock.report(ntp, timestamp, now)
            continue
        time = clock.time(timestamp, now)
        assert last <= time <= now + MAX_STRAY * 2.2
        last = time
