"""Is a failed request tried again, and after how long? Pure but for the jitter."""

from collections.abc import Callable
from random import random

from fcc.errors import UpstreamError
from fcc.settings.limits import Retry

__all__ = ["backoff"]

MAX_BACKOFF = 20.0
"""Seconds: a person is waiting, and Claude Code has patience of its own."""


def backoff(
    retry: Retry, error: UpstreamError, attempt: int, jitter: Callable[[], float] = random
) -> float | None:
    """Seconds to wait before the next attempt; None: tell the client.

    `attempt` is the number of the one that failed, from 1. A provider's own retry-after is
    obeyed, unless it is longer than `retry.max_wait`: then waiting here helps nobody.
    """
    if not error.retryable or attempt >= retry.attempts:
        return None
    wait = min(retry.base * 2.0 ** (attempt - 1), MAX_BACKOFF) * (0.5 + jitter() / 2)
    if error.retry_after is None:
        return wait
    return max(error.retry_after, wait) if error.retry_after <= retry.max_wait else None
