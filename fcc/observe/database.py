"""The ledger's file: opened, written, pruned. Everything here may wait for a disk.

Write-ahead logging (https://sqlite.org/wal.html) keeps the file whole whenever the process is
killed; `synchronous=NORMAL` may lose the last entries when the machine loses its power.
"""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Final, Self

from fcc.observe.entry import CREATE, INSERT, INSERT_SEVERAL, SEVERAL, VERSION
from fcc.settings.places import private_dir

__all__ = ["Database", "NewerLedgerError", "damaged"]

_PATIENCE: Final = 1.0
"""Seconds to wait for somebody who has the database locked; then it is tried again later."""

_BITE: Final = 5000
"""Rows that are deleted in one go: the lock is not held for long."""

# Each bool of a row would be asked in vain how it wants to be written: a fifth of a write.
sqlite3.register_adapter(bool, int)

_DAMAGED: Final = ("SQLITE_CORRUPT", "SQLITE_NOTADB")


class NewerLedgerError(Exception):
    """A newer fcc has changed the table."""


class Database:
    """Used as `with`; for one thread. Raises sqlite3.Error, OSError, NewerLedgerError."""

    def __init__(self, path: Path) -> None:
        self._path = path
        private_dir(path.parent)
        # Made for its owner alone; SQLite gives its companions the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        self._connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            self._prepare()
        except BaseException:
            self._connection.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with suppress(sqlite3.Error):
            self._connection.close()

    def write(self, rows: Sequence[tuple[object, ...]]) -> None:
        """All of them or none."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            self._insert(rows)
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise

    def _insert(self, rows: Sequence[tuple[object, ...]]) -> None:
        # Each statement lets go of the interpreter's lock and waits for it again, against the loop.
        whole = len(rows) - len(rows) % SEVERAL
        for at in range(0, whole, SEVERAL):
            values = list(chain.from_iterable(rows[at : at + SEVERAL]))
            self._connection.execute(INSERT_SEVERAL, values)
        self._connection.executemany(INSERT, rows[whole:])

    def spent_since(self, at: float) -> tuple[float, int]:
        """US dollars and tokens of the requests that began at `at` or later."""
        found = self._connection.execute(
            "SELECT total(cost), coalesce(sum(input + output), 0) FROM requests WHERE at >= ?",
            (at,),
        ).fetchone()
        return float(found[0]), int(found[1])

    def prune(self, before: float, most: int) -> int:
        """Delete what began before `before`, and the oldest beyond `most`; how many it were."""
        newest = self._connection.execute("SELECT max(id) FROM requests").fetchone()[0] or 0
        deleted = 0
        while True:
            bite = self._connection.execute(
                "DELETE FROM requests WHERE id IN "
                "(SELECT id FROM requests WHERE at < ? OR id <= ? LIMIT ?)",
                (before, newest - most, _BITE),
            ).rowcount
            deleted += bite
            if bite < _BITE:
                return deleted

    def _prepare(self) -> None:
        execute = self._connection.execute
        version = execute("PRAGMA user_version").fetchone()[0]
        if version > VERSION:
            raise NewerLedgerError(f"{self._path} was written by a newer fcc")
        execute("PRAGMA journal_mode = WAL")
        execute("PRAGMA synchronous = NORMAL")
        if version < VERSION:
            for statement in CREATE:
                execute(statement)


def damaged(error: Exception) -> bool:
    """Whether the file is no database, or no longer one."""
    return isinstance(error, sqlite3.Error) and error.sqlite_errorname.startswith(_DAMAGED)
