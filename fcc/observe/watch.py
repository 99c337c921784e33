"""Who is told when a request to a model begins and ends?

Nothing is told per chunk: what an answer costs to watch does not grow with its length.
"""

import time
from collections.abc import Callable
from itertools import islice
from typing import Final, Protocol

from loguru import logger

from fcc.observe.outcome import Outcome

__all__ = ["Observer", "Watch"]

_QUIET: Final = 60.0
"""Seconds between two words about the same observer's failures."""


class Observer(Protocol):
    """Both are called on the event loop and must not wait."""

    def began(self, request_id: str) -> None:
        """A request came; `Watch.open` tells more of it as it goes on."""

    def ended(self, outcome: Outcome) -> None:
        """It is over, well or not."""


class Watch:
    """`began` and `ended` for each request; an observer that fails harms nobody else."""

    def __init__(self) -> None:
        self._observers: list[Observer] = []
        self._open: dict[str, Callable[[], Outcome]] = {}
        self._told: dict[int, float] = {}
        self.failures = 0
        """Calls of observers that failed."""

    def add(self, observer: Observer) -> None:
        """From the next call on `observer` is told too."""
        self._observers.append(observer)

    def remove(self, observer: Observer) -> None:
        """It is told nothing more."""
        self._observers.remove(observer)

    @property
    def count(self) -> int:
        """Requests that are being answered."""
        return len(self._open)

    def open(self, most: int | None = None) -> list[Outcome]:
        """What is known of the requests that are being answered, the oldest first."""
        return [outcome() for outcome in islice(self._open.values(), most)]

    def began(self, request_id: str, outcome: Callable[[], Outcome]) -> None:
        """`outcome` tells what is known by the time of the call."""
        self._open[request_id] = outcome
        for observer in self._observers:
            try:
                observer.began(request_id)
            except Exception:  # noqa: BLE001 - an answer is worth more than a note of it
                self._failed(observer)

    def ended(self, outcome: Outcome) -> None:
        """The request is over."""
        self._open.pop(outcome.request_id, None)
        for observer in self._observers:
            try:
                observer.ended(outcome)
            except Exception:  # noqa: BLE001 - as above
                self._failed(observer)

    def _failed(self, observer: Observer) -> None:
        self.failures += 1
        now = time.monotonic()
        if now - self._told.get(id(observer), float("-inf")) >= _QUIET:
            self._told[id(observer)] = now
            logger.exception("a bug in {}; traffic goes on", type(observer).__name__)
