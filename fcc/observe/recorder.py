"""What did the last requests look like? A bounded ring of them in memory, and on the disk.

With bodies on, an ended request is redacted, encoded and written in a thread of its own; the loop
only hands it over. A disk that takes nothing costs a warning a minute, and no answer. Facts alone are
in memory alone, and become a trace when somebody looks: that costs more than all else of noting them.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from loguru import logger

import fcc
from fcc.observe.outcome import Outcome
from fcc.observe.recording import Budget, Recording
from fcc.observe.redactor import Redactor
from fcc.observe.shelf import Shelf
from fcc.observe.trace import TOO_LARGE, Summary, Trace, decoded, encoded, found, summary
from fcc.settings.recorder import RecorderOptions

__all__ = ["Recorder"]

_QUIET: Final = 60.0
"""Seconds between two warnings that traces can't be written."""


class _Facts:
    """A request on the ring whose facts become a trace, without secrets, when somebody looks."""

    __slots__ = ("_outcome", "_recording", "_redactor", "_trace", "size")

    def __init__(self, recording: Recording, outcome: Outcome, redactor: Redactor) -> None:
        self.size = recording.weight
        self._recording = recording
        self._outcome = outcome
        self._redactor = redactor
        self._trace: Trace | None = None

    def trace(self) -> Trace:
        """The whole."""
        if self._trace is None:
            self._trace = self._recording.finish(self._outcome, self._redactor, fcc.__version__)
        return self._trace

    def summary(self) -> Summary:
        """Its line in a list."""
        return summary(self.trace())


class _Encoded:
    """A request on the ring with all that was said, without secrets."""

    __slots__ = ("_raw", "_summary", "size")

    def __init__(self, trace: Trace, raw: bytes) -> None:
        self.size = len(raw)
        self._raw = raw
        self._summary = summary(trace)

    def trace(self) -> Trace:
        """The whole."""
        return decoded(self._raw)

    def summary(self) -> Summary:
        """Its line in a list."""
        return self._summary


_Kept = _Facts | _Encoded


class Recorder:
    """An observer: `begin` gives what notes a request, `ended` puts it on the ring."""

    def __init__(
        self,
        options: Callable[[], RecorderOptions],
        known: Callable[[], frozenset[str]],
    ) -> None:
        """`known`: the secrets in force, word for word."""
        self._options = options
        self._known = known
        self.shelf: Shelf | None = None
        """Without one nothing outlives the daemon."""
        self._open: dict[str, Recording] = {}
        self._ring: OrderedDict[str, _Kept] = OrderedDict()
        self._bytes = 0
        self._budget = Budget(0)
        self._thread: ThreadPoolExecutor | None = None
        self._ending: set[asyncio.Future[None]] = set()
        self._redactor: tuple[frozenset[str], Redactor] = (frozenset(), Redactor())
        self._warned = float("-inf")

    def begin(
        self, request_id: str, method: str, path: str, headers: Iterable[tuple[str, str]]
    ) -> Recording | None:
        """What notes the request; None where nothing is kept."""
        options = self._options()
        if not options.keep:
            return None
        self._budget.limit = options.max_bytes
        recording = Recording(method, path, bodies=options.bodies, budget=self._budget)
        recording.headers = list(headers)
        self._open[request_id] = recording
        return recording

    def began(self, request_id: str) -> None:
        """`begin` has it."""

    def ended(self, outcome: Outcome) -> None:
        """Put it on the ring; what is large, a little later."""
        recording = self._open.pop(outcome.request_id, None)
        if recording is None:
            return
        redactor = self._redactor_for(recording)
        if not recording.bodies:
            recording.release()
            self._add(outcome.request_id, _Facts(recording, outcome, redactor))
            return
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "fcc-recorder")
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
        ours = {id: one.summary() for id, one in self._ring.items()}
        lines = [one for one in kept if one.id not in ours]
        return sorted([*lines, *ours.values()], key=lambda one: one.at)

    async def trace(self, wanted: str) -> Trace:
        """By its id, the beginning of that, or `last`. Raises NotFoundError."""
        id = found(wanted, [one.id for one in await self.summaries()])
        if id in self._ring:
            return self._ring[id].trace()
        trace = await asyncio.to_thread(self.shelf.read, id) if self.shelf else None
        # It may have been pruned meanwhile.
        return trace if trace is not None else self._ring[found(id, list(self._ring))].trace()

    async def _added(
        self, task: "asyncio.Future[tuple[Trace, bytes]]", recording: Recording
    ) -> None:
        try:
            trace, raw = await task
        finally:
            recording.release()
        self._add(trace.id, _Encoded(trace, raw))

    def _finished(
        self, recording: Recording, outcome: Outcome, redactor: Redactor
    ) -> tuple[Trace, bytes]:
        """In the thread."""
        trace = recording.finish(outcome, redactor, fcc.__version__)
        raw, options = encoded(trace), self._options()
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

    def _add(self, id: str, kept: _Kept) -> None:
        options = self._options()
        self._ring[id] = kept
        self._bytes += kept.size
        while self._ring and (len(self._ring) > options.keep or self._bytes > options.max_bytes):
            _, oldest = self._ring.popitem(last=False)
            self._bytes -= oldest.size

    def _redactor_for(self, recording: Recording) -> Redactor:
        known = self._known()
        if recording.known:
            known |= recording.known
        if known is not self._redactor[0] and known != self._redactor[0]:
            self._redactor = (known, Redactor(known))
        return self._redactor[1]
