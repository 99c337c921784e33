"""Whether a provider is worth asking."""

import pytest

from fcc.upstream.breaker import FIRST_REST, LONGEST_REST, THRESHOLD, Breaker, State


def broken(now: float = 0.0) -> Breaker:
    breaker = Breaker()
    for _ in range(THRESHOLD):
        breaker.failed(now)
    return breaker


def test_a_few_failures_are_a_bad_moment() -> None:
    breaker = Breaker()
    for _ in range(THRESHOLD - 1):
        breaker.failed(0)
        assert breaker.allows(0)
    breaker.succeeded()
    for _ in range(THRESHOLD - 1):
        breaker.failed(0)
    assert breaker.state is State.CLOSED


def test_many_failures_in_a_row_are_a_reason_to_rest() -> None:
    breaker = broken(100)
    assert breaker.state is State.OPEN
    assert not breaker.allows(100 + FIRST_REST - 1)
    assert breaker.left(101) == FIRST_REST - 1


def test_after_a_rest_one_request_probes() -> None:
    breaker = broken()
    assert breaker.allows(FIRST_REST)
    assert breaker.state is State.HALF_OPEN
    assert not breaker.allows(FIRST_REST)
    assert breaker.left(FIRST_REST) == 0


def test_a_probe_whose_outcome_is_never_told_does_not_shut_the_provider_out() -> None:
    breaker = broken()
    assert breaker.allows(FIRST_REST)
    assert breaker.allows(2 * FIRST_REST)
    assert not breaker.allows(2 * FIRST_REST)


def test_a_probe_that_succeeds_opens_the_way() -> None:
    breaker = broken()
    breaker.allows(FIRST_REST)
    breaker.succeeded()
    assert breaker.allows(FIRST_REST)
    breaker.failed(FIRST_REST)
    assert breaker.allows(FIRST_REST)


def test_each_failed_probe_doubles_the_rest_up_to_a_bound() -> None:
    breaker, now, rests = broken(), 0.0, []
    for _ in range(7):
        rests.append(breaker.left(now))
        now += rests[-1]
        assert breaker.allows(now)
        breaker.failed(now)
    assert rests == [10, 20, 40, 80, 120, 120, 120]
    assert (rests[0], rests[-1]) == (FIRST_REST, LONGEST_REST)


@pytest.mark.parametrize("now", [0.0, 1e9])
def test_a_new_provider_is_asked(now: float) -> None:
    assert Breaker().allows(now)
    assert Breaker().left(now) == 0
