"""When may the next request start? Pure arithmetic over a clock that the caller reads.

A token that is taken comes back `seconds` later, so that no window of `seconds` ever sees more
than the limit: a bucket that refills evenly would let nearly twice as many through.
"""

from collections import deque

__all__ = ["TokenBucket"]


class TokenBucket:
    """`requests` starts in any window of `seconds`, of which `burst` at once; 0 means no limit.

    `tokens`: what the requests of a window may weigh together. One request that weighs more than
    all of it starts when the window is empty: refusing it is the provider's business.
    Times are seconds of any clock that does not go back.
    """

    __slots__ = ("_held_until", "_rules", "_seconds", "_starts", "_tokens", "_weight", "_weights")

    def __init__(self, requests: int, seconds: float, burst: int = 0, tokens: int = 0) -> None:
        self._rules = [(requests, seconds)] if requests else []
        if requests and 0 < burst < requests:
            self._rules.append((burst, seconds * burst / requests))
        self._starts: deque[float] = deque(maxlen=requests or 1)
        self._seconds = seconds
        self._tokens = tokens
        self._weights: deque[tuple[float, int]] = deque()
        self._weight = 0
        self._held_until = float("-inf")

    def wait(self, now: float, tokens: int = 0) -> float:
        """Seconds until a start of this weight is allowed; 0 or less means at once."""
        ready = self._held_until
        for count, seconds in self._rules:
            if len(self._starts) >= count:
                ready = max(ready, self._starts[-count] + seconds)
        return max(ready, self._room_for(now, tokens)) - now

    def take(self, now: float, tokens: int = 0) -> None:
        """A request starts."""
        self._starts.append(now)
        if self._tokens and tokens:
            self._weights.append((now, tokens))
            self._weight += tokens

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
            count - sum(start > now - seconds for start in self._starts)
            for count, seconds in self._rules
        ]
        return max(0, min(free))

    def _room_for(self, now: float, tokens: int) -> float:
        """When the window has room for so many tokens."""
        while self._weights and self._weights[0][0] + self._seconds <= now:
            self._weight -= self._weights.popleft()[1]
        over = self._weight + tokens - self._tokens
        if not self._tokens or over <= 0:
            return now
        for start, weight in self._weights:
            over -= weight
            if over <= 0:
                return start + self._seconds
        return self._weights[-1][0] + self._seconds if self._weights else now
