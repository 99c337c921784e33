"""What a provider said is left: pure arithmetic over a clock."""

from hypothesis import given
from hypothesis import strategies as st

from fcc.diagnosis.rates import Rate
from fcc.settings.limits import Limits, ModelLimits
from fcc.upstream.allowance import Allowance
from fcc.upstream.gate import Gate


def test_nothing_left_is_a_wait_until_the_reset() -> None:
    allowance = Allowance()
    allowance.tell(100, 0, 30, number=1)
    assert allowance.wait(100, 1) == 30
    assert allowance.wait(129, 1) == 1
    assert allowance.wait(130, 1) == 0


def test_what_is_left_can_be_taken_and_no_more() -> None:
    allowance = Allowance()
    allowance.tell(0, 2, 30, number=1)
    for _ in range(2):
        assert allowance.wait(1, 1) == 0
        allowance.take(1, 1)
    assert allowance.wait(1, 1) == 29


def test_a_later_answer_knows_more_than_an_earlier_one() -> None:
    allowance = Allowance()
    allowance.tell(0, 1, 30, number=5)
    allowance.tell(1, 9, 30, number=6)
    assert allowance.wait(1, 9) == 0
    allowance.tell(2, 20, 30, number=4)
    assert allowance.wait(2, 10) > 0


def test_an_earlier_answer_counts_where_it_says_less() -> None:
    allowance = Allowance()
    allowance.tell(0, 5, 30, number=5)
    allowance.tell(1, 0, 20, number=4)
    assert allowance.wait(1, 1) == 20


def test_nothing_left_by_our_own_count_is_not_final() -> None:
    allowance = Allowance()
    allowance.tell(0, 0, 900, number=1, final=False)
    assert allowance.wait(1, 1) == 899
    allowance.tell(2, 2, 900, number=2)
    assert allowance.wait(2, 2) == 0


def test_nothing_left_is_final() -> None:
    allowance = Allowance()
    allowance.tell(0, 0, 30, number=1)
    allowance.tell(1, 50, 5, number=2)
    assert allowance.wait(1, 1) == 29
    allowance.tell(2, 0, 5, number=3)
    assert allowance.wait(2, 1) == 28
    allowance.tell(3, 0, 60, number=4)
    assert allowance.wait(3, 1) == 60


def test_more_than_the_whole_limit_waits_for_no_more_than_others() -> None:
    allowance = Allowance()
    allowance.tell(0, 100, 30, number=1, limit=1000)
    assert allowance.wait(0, 500) == 30
    assert allowance.wait(0, 5000) == 0
    allowance.tell(0, 0, 30, number=2, limit=1000)
    assert allowance.wait(0, 5000) == 30


_REPORTS = st.tuples(st.integers(0, 60), st.integers(-2, 6), st.integers(0, 40), st.integers(1, 30))


@given(st.lists(_REPORTS, max_size=12), st.lists(st.integers(0, 60), max_size=30))
def test_after_nothing_left_nobody_starts_before_its_reset(
    reports: list[tuple[int, int, int, int]], arrivals: list[int]
) -> None:
    allowance = Allowance()
    closed: list[tuple[int, int]] = []
    events = [(at, 0, report) for report in reports for at in (report[0],)]
    for at, _, report in sorted(
        [*events, *((at, 1, None) for at in arrivals)], key=lambda e: e[:2]
    ):
        if report is not None:
            _, left, seconds, number = report
            allowance.tell(at, left, seconds, number=number)
            if left <= 0:
                closed.append((at, at + seconds))
        elif allowance.wait(at, 1) <= 0:
            assert not [span for span in closed if span[0] <= at < span[1]]
            allowance.take(at, 1)


# With the limits of a profile.


def tightened(gate: Gate, *told: Rate, now: float = 0, unseen: int = 0) -> Gate:
    gate.tighten(now, told, number=1, unseen=unseen, unseen_tokens=0)
    return gate


def test_requests_that_the_provider_may_not_have_counted_are_not_left() -> None:
    rate = Rate(remaining=3, reset=30.0)
    assert tightened(Gate(Limits()), rate, unseen=2).wait(0, 0) <= 0
    assert tightened(Gate(Limits()), rate, unseen=3).wait(0, 0) == 30
    assert tightened(Gate(Limits()), rate, unseen=9).wait(0, 0) == 30


def test_a_reset_that_is_far_away_holds_nobody() -> None:
    assert tightened(Gate(Limits()), Rate(remaining=0, reset=40_000.0)).wait(0, 0) <= 0
    assert tightened(Gate(Limits()), Rate(remaining=0)).wait(0, 0) <= 0


def starts_at_once(gate: Gate, most: int = 50) -> int:
    for count in range(most):
        if gate.wait(0, 0) > 0:
            return count
        gate.enter(0, 0)
    return most


def test_a_lower_limit_than_the_profiles_is_kept_to_and_a_higher_one_is_not() -> None:
    limits = Limits(requests=10, seconds=60)
    assert starts_at_once(tightened(Gate(limits), Rate(limit=4))) == 4
    assert starts_at_once(tightened(Gate(limits), Rate(limit=40))) == 10
    assert starts_at_once(tightened(tightened(Gate(limits), Rate(limit=4)), Rate(limit=8))) == 8
    assert starts_at_once(tightened(Gate(limits), Rate(limit=4, window=3600.0))) == 4
    assert starts_at_once(tightened(Gate(limits), Rate(limit=4, window=1.0))) == 10
    assert starts_at_once(tightened(Gate(Limits()), Rate(limit=4))) == 50


def test_a_model_without_limits_is_kept_below_those_of_its_key() -> None:
    key = Limits(requests=10, seconds=60)
    assert starts_at_once(Gate(ModelLimits(), key)) == 50
    assert starts_at_once(tightened(Gate(ModelLimits(), key), Rate(limit=4))) == 4


def test_a_lower_limit_of_tokens_is_kept_to() -> None:
    gate = tightened(Gate(Limits(tokens=100, seconds=60)), Rate(unit="tokens", limit=50))
    gate.enter(0, 40)
    assert gate.wait(0, 20) == 60
    assert gate.wait(0, 10) <= 0


def test_tokens_that_are_left_are_for_requests_that_need_no_more() -> None:
    gate = tightened(Gate(Limits()), Rate(unit="tokens", limit=6000, remaining=2000, reset=40.0))
    assert gate.wait(0, 3000) == 40
    assert gate.wait(0, 1500) <= 0


def test_a_gate_of_which_nothing_counts_any_more_is_idle() -> None:
    gate = Gate(ModelLimits(requests=5, seconds=10))
    assert gate.idle(0)
    gate.enter(0, 0)
    assert not gate.idle(20)
    gate.leave()
    assert not gate.idle(5)
    assert gate.idle(20)
    gate.hold(20, 5)
    assert gate.held(20) == 5
    assert not gate.idle(21)
    tightened(gate, Rate(remaining=5, reset=60.0), now=20)
    assert not gate.idle(30)
    assert gate.idle(80)
