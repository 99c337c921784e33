"""Which requests have ended lately, and what did all of them take?"""

from collections import deque
from collections.abc import Iterator
from typing import Final

import msgspec

from fcc.observe.outcome import CLIENT_LEFT, Outcome

__all__ = ["History", "Totals"]


class Totals(msgspec.Struct):
    """Of all requests since the daemon started."""

    requests: int = 0
    failed: int = 0
    left: int = 0
    """Clients that did not wait for the end."""
    local: int = 0
    """Answers that fcc gave itself."""
    input: int = 0
    output: int = 0
    cached: int = 0
    reasoning: int = 0


class History:
    """An observer that keeps the last requests and the last failures, whether anybody looks or not.

    Ended requests are numbered from 1 on.
    """

    MOST: Final = 100
    """Enough to see a trend, few enough to be sent whole to whoever opens the page."""

    MOST_FAILED: Final = 10
    """Failures are kept longer than the rest: each may have something to do in it."""

    def __init__(self) -> None:
        self._ended: deque[Outcome] = deque(maxlen=self.MOST)
        self._failed: deque[tuple[int, Outcome]] = deque(maxlen=self.MOST_FAILED)
        self.totals = Totals()

    @property
    def count(self) -> int:
        """The number of the last one."""
        return self.totals.requests

    def ended(self, outcome: Outcome) -> None:
        """Keep it, and count it."""
        totals, failed = self.totals, outcome.failed
        totals.requests += 1
        totals.failed += failed
        totals.left += outcome.outcome == CLIENT_LEFT
        totals.local += bool(outcome.local)
        totals.input += outcome.input
        totals.output += outcome.output
        totals.cached += outcome.cached
        totals.reasoning += outcome.reasoning
        self._ended.append(outcome)
        if failed:
            self._failed.append((totals.requests, outcome))

    def after(self, number: int) -> Iterator[tuple[int, Outcome]]:
        """Those behind `number` that are still known, the oldest first."""
        first = self.count - len(self._ended) + 1
        return (
            (place, outcome) for place, outcome in enumerate(self._ended, first) if place > number
        )

    def failures(self) -> Iterator[tuple[int, Outcome]]:
        """The last that failed, the newest first."""
        return reversed(self._failed)
