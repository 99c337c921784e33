"""One provider at work: its keys, each with a limiter, and what is known of its health.

Nothing one lane does delays another.
"""

import asyncio
import hashlib
from typing import Final

import msgspec
from loguru import logger

from fcc.diagnosis.verdict import Source
from fcc.errors import BillingError, RateLimitedError, RefusedKeyError, UpstreamError
from fcc.settings.profile import Profile
from fcc.upstream.backend import Backend
from fcc.upstream.breaker import Breaker
from fcc.upstream.catalog import Catalog
from fcc.upstream.learned import Learned
from fcc.upstream.limiter import Limiter

__all__ = ["Door", "Lane", "fingerprint"]

MAX_LEARNED: Final = 1000
"""Models: clients name them as they like. The one that was met first is forgotten first."""

LONG_REST: Final = 900.0
"""Seconds for a key that was refused or is exhausted, where the provider names no time."""


class Door(msgspec.Struct):
    """One way in: a key with its own limits."""

    backend: Backend
    limiter: Limiter
    name: str = ""
    """The key's fingerprint."""
    rests_until: float = 0.0


class Lane:
    """`door()` is the key to ask with; `failed` and `succeeded` tell how it went."""

    def __init__(self, profile: Profile, doors: list[Door], catalog: Catalog) -> None:
        self.profile = profile
        self.doors = doors
        self.catalog = catalog
        self.breaker = Breaker()
        self._learned: dict[str, Learned] = {}
        self._next = 0

    def source(self, model: str) -> Source:
        """Who answers, for the words of messages."""
        return Source(
            self.profile.label,
            model,
            self.profile.api_key_env,
            self.profile.base_url,
            self.profile.empty_refusal_is_overflow,
        )

    def learned(self, model: str) -> Learned:
        """What the provider has refused of this model's requests."""
        if model not in self._learned and len(self._learned) >= MAX_LEARNED:
            del self._learned[next(iter(self._learned))]
        return self._learned.setdefault(model, Learned())

    @property
    def lessons(self) -> dict[str, Learned]:
        """Model -> what was learned of it, if anything."""
        return {
            model: learned
            for model, learned in self._learned.items()
            if learned.max_tokens is not None or learned.dropped
        }

    def door(self, model: str = "") -> Door:
        """The least busy key that does not rest, in rotation; if all rest, the first to wake."""
        if len(self.doors) == 1:
            return self.doors[0]
        turn = self._next
        self._next = (turn + 1) % len(self.doors)
        now = _now()
        in_turn = self.doors[turn:] + self.doors[:turn]
        return min(
            in_turn,
            key=lambda door: (
                max(0.0, door.rests_until - now, door.limiter.held(model)),
                door.limiter.open + door.limiter.waiting,
            ),
        )

    def failed(self, door: Door, error: UpstreamError) -> bool:
        """Note a failure; whether another key is worth trying at once."""
        now = _now()
        if not isinstance(error, RateLimitedError) and error.retryable:
            self.breaker.failed(now)
        wait = error.retry_after or 0.0
        if isinstance(error, RateLimitedError) and wait <= self.profile.retry.max_wait:
            # A longer one is a quota's: the client is told, and others may try their luck.
            door.limiter.hold(wait)
        of_the_key = isinstance(error, RefusedKeyError | BillingError | RateLimitedError)
        if len(self.doors) == 1 or not of_the_key:
            return False
        rest = error.retry_after or (LONG_REST if error.permanent else 10.0)
        door.rests_until = max(door.rests_until, now + rest)
        logger.warning(
            "key {} of {} rests for {:.0f} s: {}", door.name, self.profile.name, rest, error
        )
        return any(other.rests_until <= now for other in self.doors)

    def succeeded(self) -> None:
        """The provider answered."""
        self.breaker.succeeded()

    def resting(self, model: str = "") -> UpstreamError | None:
        """Why the provider is not asked at the moment, where another may be; None: it is."""
        now = _now()
        held = min(door.limiter.held(model) for door in self.doors)
        if held > self.profile.retry.max_wait:
            return RateLimitedError(
                f"{self.source(model).who} allows no further request for {held:.0f} s",
                retry_after=held,
            )
        if self.breaker.allows(now):
            return None
        left = self.breaker.left(now)
        rest = f"rests for {left:.0f} s" if left else "is tried with one request at a time"
        return UpstreamError(
            f"{self.profile.label} failed several times in a row and {rest}", status=503
        )


def fingerprint(key: str) -> str:
    """Six characters that tell keys apart and give nothing away."""
    return hashlib.sha256(key.encode()).hexdigest()[:6]


def _now() -> float:
    return asyncio.get_running_loop().time()
