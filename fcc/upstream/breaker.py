"""Is a provider worth asking? Pure: the caller reads the clock.

CLOSED --THRESHOLD failures in a row--> OPEN --after a rest--> HALF_OPEN
HALF_OPEN --success--> CLOSED, --failure--> OPEN (a longer rest)
"""

from enum import Enum, auto
from typing import Final

__all__ = ["Breaker", "State"]

THRESHOLD: Final = 5
"""Failures in a row: fewer are a bad moment."""

FIRST_REST: Final = 10.0
LONGEST_REST: Final = 120.0
"""Seconds; each failed probe doubles the rest."""


class State(Enum):
    """What is believed of the provider."""

    CLOSED = auto()
    OPEN = auto()
    HALF_OPEN = auto()


class Breaker:
    """`allows(now)`, then `succeeded()` or `failed(now)`."""

    __slots__ = ("_failures", "_rest", "_until", "state")

    def __init__(self) -> None:
        self.state = State.CLOSED
        self._failures = 0
        self._rest = FIRST_REST
        self._until = 0.0

    def allows(self, now: float) -> bool:
        """Whether to ask; after a rest, one request at a time probes."""
        if self.state is State.OPEN and now >= self._until:
            self.state = State.HALF_OPEN
            # Should the probe's outcome never be told, another may follow after a rest.
            self._until = now + self._rest
            return True
        if self.state is State.HALF_OPEN and now >= self._until:
            self._until = now + self._rest
            return True
        return self.state is State.CLOSED

    def succeeded(self) -> None:
        """The provider answered."""
        self.state = State.CLOSED
        self._failures = 0
        self._rest = FIRST_REST

    def failed(self, now: float) -> None:
        """It did not, and the fault was its own."""
        self._failures += 1
        if self.state is State.HALF_OPEN:
            self._rest = min(self._rest * 2, LONGEST_REST)
        elif self._failures < THRESHOLD:
            return
        self.state = State.OPEN
        self._until = now + self._rest

    def left(self, now: float) -> float:
        """Seconds of rest that are left."""
        return max(0.0, self._until - now) if self.state is State.OPEN else 0.0
