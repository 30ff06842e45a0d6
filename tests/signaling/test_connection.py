"""How many messages a participant may send."""

from signaling.connection import BURST, MESSAGES_PER_SECOND, Allowance


def test_a_burst_is_allowed_and_then_so_many_a_second() -> None:
    allowance = Allowance(0.0)
    assert all(allowance.take(0.0) for _ in range(BURST))
    assert not allowance.take(0.0)
    assert sum(allowance.take(1.0) for _ in range(BURST)) == MESSAGES_PER_SECOND


def test_a_steady_rate_is_allowed_for_ever() -> None:
    allowance = Allowance(0.0)
    assert all(allowance.take(number / MESSAGES_PER_SECOND) for number in range(2000))


def test_quiet_does_not_add_up_beyond_the_burst() -> None:
    allowance = Allowance(0.0)
    assert sum(allowance.take(3600.0) for _ in range(2 * BURST)) == BURST
