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

    __slots__ = (
        "_burst", "_held_until", "_most_requests", "_most_tokens", "_requests", "_seconds",
        "_starts", "_tokens", "_weight", "_weights",
    )  # fmt: skip

    def __init__(self, requests: int, seconds: float, burst: int = 0, tokens: int = 0) -> None:
        self._requests = requests
        self._burst = burst
        self._seconds = seconds
        self._tokens = tokens
        self._most_requests, self._most_tokens = requests, tokens
        self._starts: deque[float] = deque(maxlen=requests or 1)
        self._weights: deque[tuple[float, int]] = deque()
        self._weight = 0
        self._held_until = float("-inf")

    @classmethod
    def under(cls, requests: int, seconds: float, tokens: int) -> "TokenBucket":
        """No limit of its own, as another bucket has these; `narrow` may make one below them."""
        bucket = cls(requests, seconds, tokens=tokens)
        bucket._requests = bucket._tokens = 0
        return bucket

    def narrow(self, *, requests: int = 0, tokens: int = 0, window: float | None = None) -> None:
        """What the provider says its limits are: they count where they are lower than ours.

        A limit of a shorter window says nothing of ours; `window` None: it is not told.
        """
        if window is not None and window < self._seconds:
            return
        if requests > 0:
            self._requests = min(self._most_requests, requests)
        if tokens > 0:
            self._tokens = min(self._most_tokens, tokens)

    def wait(self, now: float, tokens: int = 0) -> float:
        """Seconds until a start of this weight is allowed; 0 or less means at once."""
        ready = self._held_until
        for count, seconds in self._rules():
            if len(self._starts) >= count:
                ready = max(ready, self._starts[-count] + seconds)
        return max(ready, self._room_for(now, tokens)) - now

    def take(self, now: float, tokens: int = 0) -> None:
        """A request starts."""
        self._starts.append(now)
        if self._most_tokens and tokens:
            self._weights.append((now, tokens))
            self._weight += tokens

    def hold(self, now: float, seconds: float) -> None:
        """The provider asked for silence. A shorter hold does not end a longer one."""
        self._held_until = max(self._held_until, now + seconds)

    def held(self, now: float) -> float:
        """Seconds of silence that are left."""
        return max(0.0, self._held_until - now)

    def idle(self, now: float) -> bool:
        """Whether nothing of the past counts any more."""
        limited = self._most_requests or self._most_tokens
        last = self._starts[-1] + self._seconds if self._starts and limited else now
        return last <= now and self._held_until <= now

    def available(self, now: float) -> int | None:
        """How many could start at once; None where there is no limit."""
        if not self._requests:
            return None
        if self._held_until > now:
            return 0
        free = [
            count - sum(start > now - seconds for start in self._starts)
            for count, seconds in self._rules()
        ]
        return max(0, min(free))

    def _rules(self) -> list[tuple[int, float]]:
        """So many starts in so many seconds."""
        if not self._requests:
            return []
        rules = [(self._requests, self._seconds)]
        if 0 < self._burst < self._requests:
            rules.append((self._burst, self._seconds * self._burst / self._requests))
        return rules

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
