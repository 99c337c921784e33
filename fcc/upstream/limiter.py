"""One limiter per key of a provider, shared by all of its requests: seats, turns, holds.

First come, first served, and the background's calls behind the main turn's: the head of the queue
alone watches the clock and the seats. A waiter that leaves has taken nothing, and one that waits
for its turn holds no seat.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from heapq import heapify, heappush
from itertools import count

from typing_extensions import override

from fcc.settings.limits import Limits
from fcc.upstream.bucket import TokenBucket

__all__ = ["Limiter"]


class _Waiter:
    """A request in the queue; the smaller `place` goes first."""

    __slots__ = ("place", "tokens", "woken")

    def __init__(self, place: tuple[bool, int], tokens: int) -> None:
        self.place = place
        self.tokens = tokens
        self.woken = asyncio.Event()

    def __lt__(self, other: "_Waiter") -> bool:
        return self.place < other.place


class Limiter:
    """`async with limiter.seat():` waits for a turn and a place among the open streams."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._bucket = TokenBucket(limits.requests, limits.seconds, limits.burst, limits.tokens)
        self._queue: list[_Waiter] = []
        self._numbers = count()
        self.open = 0
        """Streams open at the moment."""

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return len(self._queue)

    def available(self) -> int | None:
        """How many requests could start at once; None where there is no limit."""
        return self._bucket.available(_now())

    @override
    def __repr__(self) -> str:
        return f"<Limiter open={self.open} waiting={self.waiting}>"

    @asynccontextmanager
    async def seat(self, *, background: bool = False, tokens: int = 0) -> AsyncIterator[None]:
        """A turn, and a seat for as long as the block runs.

        `tokens`: the request's estimated weight. `background`: nobody is waiting for it.
        """
        await self._turn(_Waiter((background, next(self._numbers)), tokens))
        try:
            yield
        finally:
            self.open -= 1
            self._wake_head()

    def hold(self, seconds: float) -> None:
        """Nobody starts for `seconds`: the provider asked for it. Waiters wait on."""
        self._bucket.hold(_now(), seconds)

    async def _turn(self, waiter: _Waiter) -> None:
        """Wait in the queue, then take a token and a seat. Nothing is taken before the end."""
        overtaken = self._queue[0] if self._queue else None
        heappush(self._queue, waiter)
        if overtaken is not None and self._queue[0] is waiter:
            overtaken.woken.set()
        try:
            while not self._allowed(waiter):
                await self._pause(waiter)
            self._bucket.take(_now(), waiter.tokens)
            self.open += 1
        finally:
            self._queue.remove(waiter)
            heapify(self._queue)
            self._wake_head()

    def _allowed(self, waiter: _Waiter) -> bool:
        return (
            self._queue[0] is waiter
            and not self._full
            and self._bucket.wait(_now(), waiter.tokens) <= 0
        )

    @property
    def _full(self) -> bool:
        return 0 < self._limits.concurrency <= self.open

    async def _pause(self, waiter: _Waiter) -> None:
        """Until something has changed for this waiter: its place, a seat, or the time."""
        head = self._queue[0] is waiter and not self._full
        seconds = self._bucket.wait(_now(), waiter.tokens) if head else None
        waiter.woken.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await waiter.woken.wait()

    def _wake_head(self) -> None:
        if self._queue:
            self._queue[0].woken.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
