"""Who is told when a request to a model has ended, and which are being answered?

Nothing is told per chunk: what an answer costs to watch does not grow with its length. What has
ended is told a moment later, with others: what runs once in a request runs from cold memory, where
a call costs several times what it costs right behind its like.
"""

import asyncio
import time
from collections.abc import Callable
from contextvars import Context
from itertools import islice
from typing import Final, Protocol

from loguru import logger

from fcc.observe.outcome import Outcome

__all__ = ["TOGETHER", "Observer", "Watch"]

_MOMENT: Final = 0.1
"""Seconds in which others may join the first; a kill loses what ended in them."""

TOGETHER: Final = 16
"""Requests that are told at once. Of ten to thirty each costs a third of what one alone does; more
have grown cold themselves, and hold the loop for longer than the third of a millisecond of these.
"""

_QUIET: Final = 60.0
"""Seconds between two words about the same observer's failures."""


class Observer(Protocol):
    """It is called on the event loop and must not wait."""

    def ended(self, outcome: Outcome) -> None:
        """A request is over, well or not."""


class Watch:
    """`began` and `ended` for each request; an observer that fails harms nobody else.

    Whoever reads what observers know calls `tell` first.
    """

    def __init__(self, *, moment: float = _MOMENT) -> None:
        self._moment = moment
        self._observers: list[Observer] = []
        self._open: dict[str, Callable[[], Outcome]] = {}
        self._waiting: list[Outcome] = []
        self._told: dict[int, float] = {}
        self.failures = 0
        """Calls of observers that failed."""

    def add(self, observer: Observer) -> None:
        """`observer` is told what ends from here on too."""
        self.tell()
        self._observers.append(observer)

    def remove(self, observer: Observer) -> None:
        """It is told nothing that ends from here on."""
        self.tell()
        self._observers.remove(observer)

    @property
    def count(self) -> int:
        """Requests that are being answered."""
        return len(self._open)

    def open(self, most: int | None = None) -> list[Outcome]:
        """What is known of the requests that are being answered, the oldest first."""
        return [outcome() for outcome in islice(self._open.values(), most)]

    def began(self, request_id: str, outcome: Callable[[], Outcome]) -> None:
        """A request came; `outcome` tells what is known by the time of the call."""
        self._open[request_id] = outcome

    def ended(self, outcome: Outcome) -> None:
        """The request is over; observers are told in a moment."""
        self._open.pop(outcome.request_id, None)
        self._waiting.append(outcome)
        if len(self._waiting) == 1:
            asyncio.get_running_loop().call_later(self._moment, self.tell)
        elif len(self._waiting) >= TOGETHER:
            self.tell()

    def tell(self) -> None:
        """From here on observers know all that has ended."""
        if self._waiting:
            # In no request's context: lines of the log would have its id.
            Context().run(self._tell)

    def _tell(self) -> None:
        waiting, self._waiting = self._waiting, []
        for outcome in waiting:
            for observer in self._observers:
                try:
                    observer.ended(outcome)
                except Exception:  # noqa: BLE001 - an answer is worth more than a note of it
                    self._failed(observer, outcome)

    def _failed(self, observer: Observer, outcome: Outcome) -> None:
        self.failures += 1
        now = time.monotonic()
        if now - self._told.get(id(observer), float("-inf")) >= _QUIET:
            self._told[id(observer)] = now
            with logger.contextualize(request_id=outcome.request_id):
                logger.exception("a bug in {}; traffic goes on", type(observer).__name__)
