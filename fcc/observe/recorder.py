"""What did the last requests look like? A bounded ring of them in memory, and on the disk.

With bodies on, an ended request is redacted, encoded and written in a thread of its own; the loop
only hands it over. A disk that takes nothing costs a warning a minute, and no answer. Facts alone are
in memory alone, and become a trace when somebody looks: that costs more than all else of noting them.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
from loguru import logger

import fcc
from fcc.errors import NotFoundError
from fcc.observe.outcome import Outcome
from fcc.observe.recording import Recording
from fcc.observe.redactor import Redactor
from fcc.observe.said import Budget, Room, Talk
from fcc.observe.shelf import Shelf
from fcc.observe.trace import TOO_LARGE, Summary, Trace, decoded, encoded, found, summary
from fcc.settings.recorder import RecorderOptions

__all__ = ["Recorder"]

_QUIET: Final = 60.0
"""Seconds between two warnings that traces can't be written."""


class _Facts(msgspec.Struct, gc=False):
    """A request on the ring whose facts become a trace when somebody looks."""

    recording: Recording
    outcome: Outcome
    size: int

    @property
    def id(self) -> str:
        """The request id."""
        return self.outcome.request_id

    def trace(self, redactor: Callable[[frozenset[str]], Redactor]) -> Trace:
        """The whole, without secrets."""
        known = redactor(self.recording.secrets)
        return self.recording.finish(self.outcome, known, fcc.__version__)

    def summary(self) -> Summary:
        """Its line in a list."""
        return summary(self.outcome, bodies=False)


class _Encoded:
    """A request on the ring with all that was said, without secrets."""

    __slots__ = ("_raw", "_summary", "size")

    def __init__(self, trace: Trace, raw: bytes) -> None:
        self.size = len(raw)
        self._raw = raw
        self._summary = summary(trace.outcome, bodies=trace.bodies)

    @property
    def id(self) -> str:
        """The request id."""
        return self._summary.id

    def trace(self, _redactor: Callable[[frozenset[str]], Redactor]) -> Trace:
        """The whole."""
        return decoded(self._raw)

    def summary(self) -> Summary:
        """Its line in a list."""
        return self._summary


_Kept = _Facts | _Encoded


class Recorder:
    """An observer: `begin` gives what notes a request, `ended` puts it on the ring."""

    def __init__(self, options: RecorderOptions, known: Callable[[], frozenset[str]]) -> None:
        """`known`: the secrets in force, word for word."""
        self.options = options
        self._known = known
        self.shelf: Shelf | None = None
        """Without one nothing outlives the daemon."""
        self._open: dict[str, Recording] = {}
        self._ring: deque[_Kept] = deque()
        self._bytes = 0
        self._budget = Budget(0)
        self._clock = asyncio.get_running_loop().time
        self._thread: ThreadPoolExecutor | None = None
        self._ending: set[asyncio.Future[None]] = set()
        self._redactor: tuple[frozenset[str], Redactor] = (frozenset(), Redactor())
        self._warned = float("-inf")

    def begin(
        self, request_id: str, method: str, path: str, headers: Iterable[tuple[str, str]]
    ) -> Recording | None:
        """What notes the request; None where nothing is kept."""
        if not self.options.keep:
            return None
        began = self._clock()
        talk = Talk(self._room(began)) if self.options.bodies else None
        recording = Recording(method, path, headers, self._clock, began, talk)
        self._open[request_id] = recording
        return recording

    def remember(self) -> None:
        """Other secrets are about to be in force: those until here may be in what is open."""
        known = self._known()
        for recording in self._open.values():
            recording.known |= known

    def ended(self, outcome: Outcome) -> None:
        """Put it on the ring; what is large, a little later."""
        recording = self._open.pop(outcome.request_id, None)
        if recording is None:
            return
        known = self._known()
        recording.known = recording.known | known if recording.known else known
        size = recording.pack()
        if not recording.bodies:
            recording.release()
            self._add(_Facts(recording, outcome, size))
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "fcc-recorder")
        redactor = self._redactor_for(recording.secrets)
        task = asyncio.get_running_loop().run_in_executor(
            self._thread, self._finished, recording, outcome, redactor
        )
        ending = asyncio.ensure_future(self._added(task, recording))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)

    async def settled(self) -> None:
        """Until what has ended by now is on the ring."""
        if self._ending:
            await asyncio.wait(list(self._ending))

    async def stop(self) -> None:
        """Write what waits."""
        await self.settled()
        if self._thread is not None:
            self._thread.shutdown(wait=False)
            self._thread = None

    async def summaries(self) -> list[Summary]:
        """Of all that is kept, in memory or of earlier daemons, the oldest first."""
        await self.settled()
        kept = await asyncio.to_thread(self.shelf.summaries) if self.shelf else []
        ours = {one.id: one.summary() for one in self._ring}
        lines = [one for one in kept if one.id not in ours]
        return sorted([*lines, *ours.values()], key=lambda one: one.at)

    async def trace(self, wanted: str) -> Trace:
        """By its id, the beginning of that, or `last`. Raises NotFoundError."""
        id = found(wanted, [one.id for one in await self.summaries()])
        for kept in self._ring:
            if kept.id == id:
                return kept.trace(self._redactor_for)
        trace = await asyncio.to_thread(self.shelf.read, id) if self.shelf else None
        if trace is None:
            # It was pruned meanwhile.
            raise NotFoundError(f"there is no trace {id!r}")
        return trace

    async def _added(
        self, task: "asyncio.Future[tuple[Trace, bytes]]", recording: Recording
    ) -> None:
        try:
            trace, raw = await task
        finally:
            recording.release()
        self._add(_Encoded(trace, raw))

    def _finished(
        self, recording: Recording, outcome: Outcome, redactor: Redactor
    ) -> tuple[Trace, bytes]:
        """In the thread."""
        trace = recording.finish(outcome, redactor, fcc.__version__)
        raw, options = encoded(trace), self.options
        if len(raw) > options.max_bytes // 2:
            # It would push all others out.
            trace = trace.facts(TOO_LARGE)
            raw = encoded(trace)
        if self.shelf is not None:
            try:
                self.shelf.put(trace, raw, keep=options.keep, max_bytes=options.max_bytes)
            except OSError as error:
                self._warn(error)
        return trace, raw

    def _warn(self, error: OSError) -> None:
        if time.monotonic() - self._warned >= _QUIET:
            self._warned = time.monotonic()
            logger.warning("traces can't be written and are in memory alone: {}", error)

    def _room(self, began: float) -> Room:
        self._budget.limit = self.options.max_bytes
        return Room(self._budget, self._clock, began)

    def _add(self, kept: _Kept) -> None:
        options = self.options
        self._ring.append(kept)
        self._bytes += kept.size
        while self._ring and (len(self._ring) > options.keep or self._bytes > options.max_bytes):
            self._bytes -= self._ring.popleft().size

    def _redactor_for(self, known: frozenset[str]) -> Redactor:
        if known is not self._redactor[0] and known != self._redactor[0]:
            self._redactor = (known, Redactor(known))
        return self._redactor[1]
