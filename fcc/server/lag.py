"""How late does the event loop come to what is due?

Looked at only while somebody asks for the numbers: an idle daemon that nobody scrapes is not
woken.
"""

import asyncio
from typing import Final

from fcc.observe.family import Family, Histogram

__all__ = ["Lag"]

_EVERY: Final = 0.5
"""Seconds between two looks."""

_UNASKED: Final = 600.0
"""Seconds without a scrape after which nobody is looking."""

_BOUNDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Lag:
    """`family()` begins to look, and tells what was seen since the first time."""

    def __init__(self) -> None:
        self._seen = Histogram(_BOUNDS)
        self._timer: asyncio.TimerHandle | None = None
        self._until = 0.0

    def family(self) -> Family:
        """The lags so far."""
        loop = asyncio.get_running_loop()
        self._until = loop.time() + _UNASKED
        if self._timer is None:
            self._look_again(loop)
        help = "How late the event loop came to what was due; looked at twice a second."
        values = [((), self._seen.distribution)]
        return Family("fcc_event_loop_lag_seconds", "histogram", help, (), values)

    def stop(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look_again(self, loop: asyncio.AbstractEventLoop) -> None:
        due = loop.time() + _EVERY
        self._timer = loop.call_at(due, self._look, loop, due)

    def _look(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        now = loop.time()
        self._seen.observe(max(0.0, now - due))
        if now < self._until:
            self._look_again(loop)
        else:
            self._timer = None
