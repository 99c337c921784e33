"""Each request's tokens, cost and outcome, kept in a file, without the event loop's waiting.

One thread writes, a moment after the first of several entries. While it can't write (a full disk,
a lock) the entries wait in a queue of bounded length, and traffic goes on.
"""

import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from loguru import logger

from fcc.observe.database import Database, NewerLedgerError, damaged

__all__ = ["Ledger"]

MOST_WAITING: Final = 10_000
"""Entries in the queue; the oldest is dropped for one more."""

MOST_ROWS: Final = 1_000_000
"""About 300 MB."""

_TOGETHER: Final = 1000
"""Entries of one write."""

_MOMENT: Final = 0.25
"""Seconds in which further entries may join the first: one write for all."""

_AGAIN: Final = 5.0
"""Seconds until a write that failed is tried again."""

_QUIET: Final = 60.0
"""Seconds between two words in the log about failed writes."""

_PRUNE_EVERY: Final = 3600.0
"""Seconds."""
_FIRST_PRUNE: Final = 60.0
_JUMP: Final = 30.0
"""Seconds. A clock that was set by more while nobody looked is not trusted with deleting."""

_DAY: Final = 86400.0


class Ledger:
    """`put(row)` never waits; `start`, then `stop`."""

    def __init__(
        self,
        path: Path,
        keep_days: Callable[[], int],
        *,
        clock: Callable[[], float] = time.time,
        moment: float = _MOMENT,
        most_waiting: int = MOST_WAITING,
        most_rows: int = MOST_ROWS,
    ) -> None:
        self._path = path
        self._keep_days = keep_days
        self._clock = clock
        self._moment = moment
        self._most_rows = most_rows
        self._waiting: deque[tuple[object, ...]] = deque(maxlen=most_waiting)
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fcc-ledger", daemon=True)
        self._batch: list[tuple[object, ...]] = []
        self._database: Database | None = None
        self._told = float("-inf")
        self._seed: tuple[float, Callable[[float, int], None]] | None = None
        self._prune_at = time.monotonic() + _FIRST_PRUNE
        self._ahead = self._clock() - time.monotonic()
        self.written = 0
        """Entries that this process has put into the file."""
        self.dropped = 0
        """Entries that were given up, as too many waited."""
        self.failures = 0
        """Writes that failed; most entries get in later."""

    @property
    def waiting(self) -> int:
        """Entries that are not in the file yet."""
        return len(self._waiting) + len(self._batch)

    def start(self, since: float, spent: Callable[[float, int], None]) -> None:
        """Begin to write; `spent` is told what the file has from `since` on: dollars and tokens.

        It is called on the ledger's thread, before anything is written.
        """
        self._seed = (since, spent)
        self._woken.set()
        self._thread.start()

    def put(self, row: tuple[object, ...]) -> None:
        """One more entry."""
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(row)
        if not self._woken.is_set():
            self._woken.set()

    def stop(self, patience: float = 2.0) -> None:
        """Write what waits, if that is possible within `patience` seconds."""
        self._stopping.set()
        self._woken.set()
        self._thread.join(patience)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._woken.wait(max(0.0, self._prune_at - time.monotonic()))
            self._stopping.wait(self._moment)
            self._woken.clear()
            if not self._try(self._work):
                self._woken.set()
                self._stopping.wait(_AGAIN)
        self._try(self._work)
        self._close()

    def _try(self, work: Callable[[Database], None]) -> bool:
        """Whether `work` was done; why not is counted, and told now and then."""
        try:
            if self._database is None:
                self._database = Database(self._path)
            work(self._database)
        except (sqlite3.Error, OSError, NewerLedgerError) as error:
            self._close()
            self._failed(error)
            return False
        return True

    def _work(self, database: Database) -> None:
        if self._seed is not None:
            since, spent = self._seed
            spent(*database.spent_since(since))
            self._seed = None
        while self._batch or self._waiting:
            while self._waiting and len(self._batch) < _TOGETHER:
                self._batch.append(self._waiting.popleft())
            database.write(self._batch)
            self.written += len(self._batch)
            self._batch = []
        if time.monotonic() >= self._prune_at:
            self._prune_at = time.monotonic() + _PRUNE_EVERY
            self._prune(database)

    def _prune(self, database: Database) -> None:
        ahead = self._clock() - time.monotonic()
        trusted, self._ahead = abs(ahead - self._ahead) < _JUMP, ahead
        before = self._clock() - self._keep_days() * _DAY if trusted else float("-inf")
        if deleted := database.prune(before, self._most_rows):
            logger.debug("{} old entries of the ledger deleted", deleted)

    def _failed(self, error: Exception) -> None:
        self.failures += 1
        if damaged(error):
            self._set_aside()
        if time.monotonic() - self._told < _QUIET:
            return
        self._told = time.monotonic()
        logger.warning(
            "{} can't be written ({}); requests are answered all the same, and {} entries wait",
            self._path,
            error,
            self.waiting,
        )

    def _set_aside(self) -> None:
        """A damaged file keeps what it has, under another name; a fresh one is begun."""
        aside = self._path.with_name(f"{self._path.name}.damaged")
        with suppress(OSError):
            for companion in ("-wal", "-shm"):
                self._path.with_name(self._path.name + companion).unlink(missing_ok=True)
            self._path.replace(aside)
            logger.warning("{} is damaged: it is kept as {}, and begun anew", self._path, aside)

    def _close(self) -> None:
        if self._database is not None:
            self._database.close()
            self._database = None
