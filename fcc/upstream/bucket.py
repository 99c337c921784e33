"""When may the next request start? Pure arithmetic over a clock that the caller reads.

A token that is taken comes back `seconds` later, so that no window of `seconds` ever sees more
starts than tokens: a bucket that refills evenly would let nearly twice as many through.
"""

from collections import deque

__all__ = ["TokenBucket"]


class TokenBucket:
    """`requests` starts in any window of `seconds`, of which `burst` at once; 0 means no limit.

    Times are seconds of any clock that does not go back.
    """

    __slots__ = ("_held_until", "_rules", "_starts")

    def __init__(self, requests: int, seconds: float, burst: int = 0) -> None:
        self._rules = [(requests, seconds)] if requests else []
        if requests and 0 < burst < requests:
            self._rules.append((burst, seconds * burst / requests))
        self._starts: deque[float] = deque(maxlen=requests or 1)
        self._held_until = float("-inf")

    def wait(self, now: float) -> float:
        """Seconds until a start is allowed; 0 or less means at once."""
        ready = self._held_until
        for tokens, seconds in self._rules:
            if len(self._starts) >= tokens:
                ready = max(ready, self._starts[-tokens] + seconds)
        return ready - now

    def take(self, now: float) -> None:
        """A request starts."""
        self._starts.append(now)

    def hold(self, now: float, seconds: float) -> None:
        """The provider asked for silence. A shorter hold does not end a longer one."""
        self._held_until = max(self._held_until, now + seconds)

    def available(self, now: float) -> int | None:
        """How many could start at once; None where there is no limit."""
        if not self._rules:
            return None
        if self._held_until > now:
            return 0
        free = [
            tokens - sum(start > now - seconds for start in self._starts)
            for tokens, seconds in self._rules
        ]
        return max(0, min(free))
