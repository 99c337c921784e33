"""One limiter per key of a provider, shared by all of its requests: seats, turns, holds.

A request passes two gates, its key's and its model's. First come, first served, and the
background's calls behind the main turn's; a request that its model's gate keeps back lets those
of other models pass, one that the key's gate keeps back lets nobody. Nothing is taken before both
agree: a waiter that leaves has taken nothing, and one that waits for its turn holds no seat.
"""

import asyncio
from bisect import insort
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

from fcc.diagnosis.rates import Rate
from fcc.errors import RateLimitedError
from fcc.overriding import override
from fcc.settings.limits import Limits
from fcc.upstream.gate import NEVER, Gate

__all__ = ["MAX_WAITING", "Limiter", "Seat"]

MAX_WAITING: Final = 1000
"""Requests in the queue: at the 40 a minute of a free tier the last of them waits 25 minutes."""

MAX_GATES: Final = 100
"""Models of which something is kept while nothing of theirs is open or counts."""


class Seat:
    """A place among the open streams."""

    __slots__ = ("model", "number", "seen", "tokens")

    def __init__(self, model: str, number: int, tokens: int) -> None:
        self.model = model
        self.number = number
        """In order of start."""
        self.tokens = tokens
        self.seen = False
        """Whether the provider has answered, and so counted the request."""


class _Waiter:
    """A request in the queue; the smaller `place` goes first."""

    __slots__ = ("model", "place", "tokens", "woken")

    def __init__(self, place: tuple[bool, int], model: str, tokens: int) -> None:
        self.place = place
        self.model = model
        self.tokens = tokens
        self.woken = asyncio.Event()

    def __lt__(self, other: "_Waiter") -> bool:
        return self.place < other.place


class Limiter:
    """`async with limiter.seat():` waits for a turn and a place among the open streams."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._key = Gate(limits)
        self._models: dict[str, Gate] = {}
        self._queues: dict[str, list[_Waiter]] = {}
        """Model -> its waiters in order; none of them is empty."""
        self._seats: set[Seat] = set()
        self._arrivals = count()
        self._starts = count(1)
        self._timer: asyncio.TimerHandle | None = None

    @property
    def open(self) -> int:
        """Streams open at the moment."""
        return self._key.open

    @property
    def waiting(self) -> int:
        """Requests in the queue."""
        return sum(map(len, self._queues.values()))

    def available(self) -> int | None:
        """How many requests could start at once; None where there is no limit."""
        return self._key.available(_now())

    def held(self, model: str = "") -> float:
        """Seconds in which nobody asks the model, by the provider's own word."""
        gate = self._models.get(model)
        return max(self._key.held(_now()), gate.held(_now()) if gate is not None else 0.0)

    @override
    def __repr__(self) -> str:
        return f"<Limiter open={self.open} waiting={self.waiting}>"

    @asynccontextmanager
    async def seat(
        self, *, model: str = "", background: bool = False, tokens: int = 0
    ) -> AsyncIterator[Seat]:
        """A turn, and a seat for as long as the block runs.

        `tokens`: the request's estimated weight. `background`: nobody is waiting for it.
        Raises RateLimitedError where MAX_WAITING wait already.
        """
        if self.waiting >= MAX_WAITING:
            raise RateLimitedError(
                f"{MAX_WAITING} requests of fcc wait for this provider already; ask again later, "
                "or give [limits] in its profile more room"
            )
        if not self._queues and self._free(model, tokens):
            seat = self._take(model, tokens)
        else:
            seat = await self._turn(_Waiter((background, next(self._arrivals)), model, tokens))
        try:
            yield seat
        finally:
            self._seats.discard(seat)
            self._key.leave()
            self._gate(model).leave()
            self._wake()

    def hold(self, seconds: float) -> None:
        """Nobody starts for `seconds`: the provider asked for it. Waiters wait on."""
        self._key.hold(_now(), seconds)

    def tighten(self, seat: Seat, told: Sequence[Rate]) -> None:
        """What the answer to the request of `seat` says of its model's limits."""
        seat.seen = True
        if not told:
            return
        unseen = [s for s in self._seats if not s.seen and s.model == seat.model]
        self._gate(seat.model).tighten(
            _now(),
            told,
            number=seat.number,
            unseen=len(unseen),
            unseen_tokens=sum(s.tokens for s in unseen),
        )

    async def _turn(self, waiter: _Waiter) -> Seat:
        """Wait in the queue, then take a token and a seat of both gates at once."""
        queue = self._queues.setdefault(waiter.model, [])
        insort(queue, waiter)
        try:
            while self._next() is not waiter:
                self._wake()
                waiter.woken.clear()
                await waiter.woken.wait()
            return self._take(waiter.model, waiter.tokens)
        finally:
            queue.remove(waiter)
            if not queue:
                del self._queues[waiter.model]
            self._wake()

    def _take(self, model: str, tokens: int) -> Seat:
        now = _now()
        self._key.enter(now, tokens)
        self._gate(model).enter(now, tokens)
        seat = Seat(model, next(self._starts), tokens)
        self._seats.add(seat)
        return seat

    def _free(self, model: str, tokens: int) -> bool:
        """Whether both gates are open to who comes now, where nobody waits."""
        now = _now()
        return self._gate(model).wait(now, tokens) <= 0 and self._key.wait(now, tokens) <= 0

    def _next(self) -> _Waiter | float:
        """Who may start at once; else the seconds until somebody may."""
        now, soonest = _now(), NEVER
        for waiter in sorted(queue[0] for queue in self._queues.values()):
            own = self._gate(waiter.model).wait(now, waiter.tokens)
            if own > 0:
                soonest = min(soonest, own)
                continue
            shared = self._key.wait(now, waiter.tokens)
            return min(soonest, shared) if shared > 0 else waiter
        return soonest

    def _wake(self) -> None:
        """Whoever may start, or a timer for when somebody may."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._queues:
            return
        found = self._next()
        if isinstance(found, _Waiter):
            found.woken.set()
        elif found < NEVER:
            self._timer = asyncio.get_running_loop().call_later(found, self._wake)

    def _gate(self, model: str) -> Gate:
        gate = self._models.get(model)
        if gate is None:
            self._forget()
            gate = self._models[model] = Gate(self._limits.of(model), self._limits)
        return gate

    def _forget(self) -> None:
        """Clients name models as they like: of most of them nothing is worth keeping."""
        if len(self._models) < MAX_GATES:
            return
        now = _now()
        for model in [model for model, gate in self._models.items() if gate.idle(now)]:
            del self._models[model]


def _now() -> float:
    return asyncio.get_running_loop().time()
