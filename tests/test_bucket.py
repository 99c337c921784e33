"""Turns: pure arithmetic over a clock."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.upstream.bucket import TokenBucket


def starts(bucket: TokenBucket, arrivals: list[float]) -> list[float]:
    """When each of the arrivals may start, if it waits as long as it is told."""
    found, now = [], 0.0
    for arrival in arrivals:
        now = max(now, arrival)
        while (wait := bucket.wait(now)) > 0:
            now += wait
        bucket.take(now)
        found.append(now)
    return found


def test_two_in_four_seconds_and_five_at_once() -> None:
    assert starts(TokenBucket(2, 4), [0] * 5) == [0, 0, 4, 4, 8]


def test_no_limit_never_waits() -> None:
    bucket = TokenBucket(0, 60)
    assert starts(bucket, [0] * 100) == [0] * 100
    assert bucket.available(0) is None


def test_one_a_minute() -> None:
    assert starts(TokenBucket(1, 60), [0, 0, 130]) == [0, 60, 130]


def test_a_burst_spreads_the_rest_evenly() -> None:
    assert starts(TokenBucket(4, 8, burst=1), [0] * 4) == [0, 2, 4, 6]
    assert starts(TokenBucket(4, 8, burst=2), [0] * 6) == [0, 0, 4, 4, 8, 8]


@pytest.mark.parametrize("burst", [0, 4, 9])
def test_a_burst_of_all_or_more_is_none(burst: int) -> None:
    assert starts(TokenBucket(4, 8, burst=burst), [0] * 5) == [0, 0, 0, 0, 8]


def test_a_hold_is_silence_even_without_a_limit() -> None:
    bucket = TokenBucket(0, 60)
    bucket.hold(10, 5)
    assert bucket.wait(10) == 5
    assert bucket.wait(15) <= 0


def test_a_shorter_hold_does_not_end_a_longer_one() -> None:
    bucket = TokenBucket(5, 1)
    bucket.hold(0, 10)
    bucket.hold(1, 2)
    assert bucket.wait(1) == 9
    bucket.hold(5, 20)
    assert bucket.wait(5) == 20


def test_what_could_start_at_once_is_counted() -> None:
    bucket = TokenBucket(3, 10, burst=2)
    assert bucket.available(0) == 2
    bucket.take(0)
    assert bucket.available(0) == 1
    bucket.take(0)
    assert bucket.available(5) == 0
    assert bucket.available(7) == 1
    bucket.hold(7, 1)
    assert bucket.available(7) == 0
    assert bucket.available(50) == 2


def weighed(bucket: TokenBucket, weights: list[int]) -> list[float]:
    found, now = [], 0.0
    for weight in weights:
        while (wait := bucket.wait(now, weight)) > 0:
            now += wait
        bucket.take(now, weight)
        found.append(now)
    return found


def test_the_requests_of_a_window_weigh_no_more_than_its_tokens() -> None:
    assert weighed(TokenBucket(0, 60, tokens=100), [60, 40, 1, 59, 41]) == [0, 0, 60, 60, 120]
    assert weighed(TokenBucket(0, 60, tokens=100), [60, 60, 60]) == [0, 60, 120]
    assert weighed(TokenBucket(0, 60), [10**9] * 3) == [0, 0, 0]


def test_a_request_heavier_than_the_limit_starts_when_the_window_is_empty() -> None:
    assert weighed(TokenBucket(0, 60, tokens=100), [500]) == [0]
    assert weighed(TokenBucket(0, 60, tokens=100), [10, 500, 10]) == [0, 60, 120]


@given(st.integers(1, 50), st.lists(st.integers(0, 80), max_size=25))
def test_no_window_ever_weighs_more_than_the_limit(tokens: int, weights: list[int]) -> None:
    found = weighed(TokenBucket(0, 10, tokens=tokens), weights)
    for at in found:
        window = [w for start, w in zip(found, weights, strict=True) if at <= start < at + 10]
        heavy = [w for w in window if w]
        assert sum(heavy) <= tokens or len(heavy) == 1


_EIGHTHS = st.integers(0, 400).map(lambda n: n / 8)


@given(
    st.integers(1, 5),
    st.integers(1, 80).map(lambda n: n / 8),
    st.integers(0, 6),
    st.lists(_EIGHTHS, max_size=30),
    st.lists(st.tuples(_EIGHTHS, _EIGHTHS), max_size=3),
)
def test_no_window_ever_sees_more_starts_than_the_limit(
    requests: int,
    seconds: float,
    burst: int,
    arrivals: list[float],
    holds: list[tuple[float, float]],
) -> None:
    bucket = TokenBucket(requests, seconds, burst)
    for now, length in holds:
        bucket.hold(now, length)
    found = starts(bucket, sorted(arrivals))
    for early, late in zip(found, found[requests:], strict=False):
        assert late - early >= seconds - 1e-9
    if 0 < burst < requests:
        for early, late in zip(found, found[burst:], strict=False):
            assert late - early >= seconds * burst / requests - 1e-9
    assert all(start >= max((n + s for n, s in holds), default=0) for start in found)
