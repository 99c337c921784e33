"""What does the ledger say of a time, by day, model, provider or session?

Reads the file alone, so it works while a daemon writes and while none runs.
"""

import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec

from fcc.errors import ConfigError
from fcc.observe.entry import VERSION

__all__ = ["GROUPS", "Line", "Report", "report"]

GROUPS: Final = {
    "day": "date(at, 'unixepoch', 'localtime')",
    "model": "CASE WHEN local <> '' THEN 'fcc/' || local ELSE provider || '/' || model END",
    "provider": "CASE WHEN local <> '' THEN 'fcc' ELSE provider END",
    "session": "session",
}
"""What can be told apart -> the SQL that tells it."""

_ORDER: Final = {"day": "key", "session": "max(at)"}
"""Days and sessions as they came, the rest by what it took."""

_SUMS: Final = """
count(*), ifnull(sum(failed), 0), ifnull(sum(input), 0), ifnull(sum(cached), 0),
ifnull(sum(written), 0), ifnull(sum(output), 0), ifnull(sum(reasoning), 0), sum(cost),
ifnull(sum(cost IS NULL), 0), avg(first), avg(seconds), ifnull(sum(estimated), 0),
ifnull(sum(retries), 0)
"""

_PATIENCE: Final = 2.0
"""Seconds to wait for a lock."""


class Line(msgspec.Struct, frozen=True):
    """The sums of one group."""

    key: str
    requests: int
    failed: int
    input: int
    cached: int
    written: int
    output: int
    reasoning: int
    cost: float | None
    """US dollars, as far as prices are known; None: no price is."""
    unpriced: int
    """Requests whose cost nobody knows."""
    first: float | None
    """Mean seconds to the first content."""
    seconds: float | None
    """Mean seconds to the end."""
    estimated: int
    """Requests whose tokens fcc has counted itself."""
    retries: int


class Report(msgspec.Struct, frozen=True):
    """The groups and what they add up to."""

    lines: tuple[Line, ...]
    total: Line


def report(path: Path, by: str, since: float) -> Report:
    """What began at `since` (unix seconds) or later. Raises ConfigError for a file that can't be
    read.
    """
    key, order = GROUPS[by], _ORDER.get(by, "total(cost) DESC, total(input + output) DESC, key")
    where = "FROM requests WHERE at >= ?"
    try:
        connection = _opened(path)
        try:
            _check_version(connection, path)
            lines = connection.execute(
                f"SELECT {key} AS key, {_SUMS} {where} GROUP BY key ORDER BY {order}", (since,)
            ).fetchall()
            total = connection.execute(f"SELECT 'total', {_SUMS} {where}", (since,)).fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise ConfigError(f"{path}: can't be read: {error}") from error
    return Report(tuple(map(_line, lines)), _line(total))


def _opened(path: Path) -> sqlite3.Connection:
    """Read-only; where not even the companions of the file may be made, as it stands."""
    url = f"file:{quote(str(path))}"
    connection = sqlite3.connect(f"{url}?mode=ro", uri=True, timeout=_PATIENCE)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        return sqlite3.connect(f"{url}?mode=ro&immutable=1", uri=True)
    return connection


def _check_version(connection: sqlite3.Connection, path: Path) -> None:
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > VERSION:
        raise ConfigError(f"{path} was written by a newer fcc: use that one to read it")


def _line(row: tuple[object, ...]) -> Line:
    return msgspec.convert(dict(zip(Line.__struct_fields__, row, strict=True)), Line)
