"""Whether and when a failed request is tried again."""

import pytest

from fcc.errors import BadRequestError, CutError, OverloadedError, RateLimitedError
from fcc.settings.limits import Retry
from fcc.upstream.attempts import MAX_BACKOFF, backoff

RETRY = Retry(attempts=4, base=2.0, max_wait=30.0)


def wait(error, attempt: int = 1, retry: Retry = RETRY, jitter: float = 1.0) -> float | None:
    return backoff(retry, error, attempt, lambda: jitter)


def test_waits_double_with_each_attempt_until_there_are_none_left() -> None:
    assert [wait(OverloadedError("x"), n) for n in range(1, 6)] == [2.0, 4.0, 8.0, None, None]


def test_half_of_a_wait_is_chance() -> None:
    assert wait(OverloadedError("x"), jitter=0.0) == 1.0
    assert 1.0 <= backoff(RETRY, OverloadedError("x"), 1) <= 2.0


def test_a_wait_has_a_bound() -> None:
    assert wait(CutError("x"), 30, Retry(attempts=99, base=2.0)) == MAX_BACKOFF


def test_what_is_permanent_is_not_tried_again() -> None:
    assert wait(BadRequestError("x")) is None
    assert wait(CutError("x", retryable=False)) is None


def test_one_attempt_means_no_retry() -> None:
    assert wait(CutError("x"), retry=Retry(attempts=1)) is None


@pytest.mark.parametrize(
    ("asked", "want"),
    [(1.0, 2.0), (5.0, 5.0), (30.0, 30.0), (30.5, None), (0.0, 2.0), (3600, None)],
)
def test_a_providers_own_wait_is_obeyed_unless_it_is_too_long(
    asked: float, want: float | None
) -> None:
    assert wait(RateLimitedError("x", retry_after=asked)) == want


def test_without_a_base_a_provider_is_asked_again_at_once() -> None:
    assert wait(CutError("x"), retry=Retry(base=0.0)) == 0.0
    assert wait(RateLimitedError("x", retry_after=1.0), retry=Retry(base=0.0)) == 1.0
