"""May one more request start, as far as one key or one model is concerned?

A gate knows a profile's limits, what the provider said of its own, and how many are inside.
Whoever passes several has to ask them all before entering any.
"""

from collections.abc import Iterable
from typing import Final

from fcc.diagnosis.rates import Rate
from fcc.settings.limits import ModelLimits
from fcc.upstream.allowance import Allowance
from fcc.upstream.bucket import TokenBucket

__all__ = ["NEVER", "Gate"]

NEVER: Final = float("inf")
"""Seconds until something else than time has changed."""


class Gate:
    """`wait`, then `enter` and, some time later, `leave`."""

    __slots__ = ("_bucket", "_concurrency", "_requests", "_tokens", "open")

    def __init__(self, limits: ModelLimits, above: ModelLimits | None = None) -> None:
        """`above`: the limits of a gate that everybody has to pass as well."""
        self._bucket = _bucket(limits, above)
        self._concurrency = limits.concurrency
        self._requests = Allowance()
        self._tokens = Allowance()
        self.open = 0
        """Streams open at the moment."""

    def wait(self, now: float, tokens: int) -> float:
        """Seconds until a request of this weight may enter; 0 or less: at once."""
        if 0 < self._concurrency <= self.open:
            return NEVER
        told = max(self._requests.wait(now, 1), self._tokens.wait(now, tokens))
        return max(told, self._bucket.wait(now, tokens))

    def enter(self, now: float, tokens: int) -> None:
        """A request starts."""
        self._bucket.take(now, tokens)
        self._requests.take(now, 1)
        self._tokens.take(now, tokens)
        self.open += 1

    def leave(self) -> None:
        """It is over."""
        self.open -= 1

    def hold(self, now: float, seconds: float) -> None:
        """Nobody enters for `seconds`: the provider asked for it."""
        self._bucket.hold(now, seconds)

    def held(self, now: float) -> float:
        """Seconds in which nobody enters, by the provider's own word."""
        return max(self._bucket.held(now), self._requests.wait(now, 1), self._tokens.wait(now, 0))

    def tighten(
        self, now: float, told: Iterable[Rate], *, number: int, unseen: int, unseen_tokens: int
    ) -> None:
        """What the answer to request `number` says of the limits; it never allows more.

        `unseen`: requests inside that the provider may not have counted when it said so.
        """
        for rate in told:
            requests = rate.unit == "requests"
            if requests:
                self._bucket.narrow(requests=rate.limit or 0, window=rate.window)
            else:
                self._bucket.narrow(tokens=rate.limit or 0, window=rate.window)
            if rate.remaining is None or rate.reset is None or not rate.momentary:
                continue
            allowance = self._requests if requests else self._tokens
            left = rate.remaining - (unseen if requests else unseen_tokens)
            spent = rate.remaining <= 0
            allowance.tell(now, left, rate.reset, number=number, limit=rate.limit, final=spent)

    def available(self, now: float) -> int | None:
        """How many requests could start at once; None where there is no limit."""
        return self._bucket.available(now)

    def idle(self, now: float) -> bool:
        """Whether a new gate would be the same."""
        told = self._requests.running(now) or self._tokens.running(now)
        return not self.open and not told and self._bucket.idle(now)


def _bucket(limits: ModelLimits, above: ModelLimits | None) -> TokenBucket:
    if above is None or limits.requests or limits.tokens:
        return TokenBucket(limits.requests, limits.seconds, limits.burst, limits.tokens)
    return TokenBucket.under(above.requests, above.seconds, above.tokens)
