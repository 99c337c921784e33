"""One limiter per provider, shared by all of its requests: seats, turns, holds.

First come, first served: the head of the queue alone watches the clock and the seats. A waiter
that leaves has taken nothing, and one that waits for its turn holds no seat.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from typing_extensions import override

from fcc.settings.profile import Limits
from fcc.upstream.bucket import TokenBucket

__all__ = ["Limiter"]


class Limiter:
    """`async with limiter.seat():` waits for a turn and a place among the open streams."""

    def __init__(
        self,
        limits: Limits,
        *,
        clock: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._limits = limits
        self._bucket = TokenBucket(limits.requests, limits.seconds, limits.burst)
        self._clock = clock or _loop_time
        self._sleep = sleep
        self._queue = asyncio.Lock()
        self._freed = asyncio.Event()
        self.open = 0
        """Streams open at the moment."""
        self.waiting = 0
        """Requests in the queue."""

    @override
    def __repr__(self) -> str:
        return (
            f"<Limiter open={self.open} waiting={self.waiting} "
            f"available={self._bucket.available(self._clock())}>"
        )

    @asynccontextmanager
    async def seat(self) -> AsyncIterator[None]:
        """A turn, and a seat for as long as the block runs."""
        self.waiting += 1
        try:
            async with self._queue:
                await self._turn()
                self.open += 1
        finally:
            self.waiting -= 1
        try:
            yield
        finally:
            self.open -= 1
            self._freed.set()

    def hold(self, seconds: float) -> None:
        """Nobody starts for `seconds`: the provider asked for it. Waiters wait on."""
        self._bucket.hold(self._clock(), seconds)

    async def _turn(self) -> None:
        """Wait as the head of the queue, then take a token. Nothing is taken before the end."""
        while True:
            wait = self._bucket.wait(self._clock())
            if wait > 0:
                await self._sleep(wait)
            elif self._limits.concurrency and self.open >= self._limits.concurrency:
                self._freed.clear()
                await self._freed.wait()
            else:
                self._bucket.take(self._clock())
                return


def _loop_time() -> float:
    return asyncio.get_running_loop().time()
