"""What does the ledger keep of a request, and in which table?

No words of an error are kept: a provider's may quote the prompt.
"""

from operator import attrgetter
from typing import Final

import msgspec

from fcc.observe.outcome import Outcome

__all__ = ["CREATE", "INSERT", "INSERT_SEVERAL", "SEVERAL", "VERSION", "row"]

VERSION: Final = 1
"""PRAGMA user_version of the database."""

_LARGEST: Final = 2**63 - 1
"""A provider may count any number of tokens; SQLite's integers have 64 bits."""

_COLUMNS: Final = {
    "request_id": "TEXT NOT NULL",
    "at": "REAL NOT NULL",
    "session": "TEXT NOT NULL",
    "client": "TEXT NOT NULL",
    "stream": "INTEGER NOT NULL",
    "asked": "TEXT NOT NULL",
    "provider": "TEXT NOT NULL",
    "model": "TEXT NOT NULL",
    "local": "TEXT NOT NULL",
    "status": "INTEGER NOT NULL",
    "outcome": "TEXT NOT NULL",
    "failed": "INTEGER NOT NULL",
    "seconds": "REAL NOT NULL",
    "first": "REAL",
    "queued": "REAL NOT NULL",
    "estimated": "INTEGER NOT NULL",
    "attempts": "INTEGER NOT NULL",
    "retries": "INTEGER NOT NULL",
    "input": "INTEGER NOT NULL",
    "output": "INTEGER NOT NULL",
    "cached": "INTEGER NOT NULL",
    "written": "INTEGER NOT NULL",
    "reasoning": "INTEGER NOT NULL",
    "cost": "REAL",  # US dollars; NULL: nobody knows the price
    "fallbacks": "TEXT NOT NULL",  # JSON
    "repairs": "TEXT NOT NULL",  # JSON
}

_COUNTED: Final = ("input", "output", "cached", "written", "reasoning")
_counts = attrgetter(*_COUNTED)
_told = attrgetter(
    *[name for name in _COLUMNS if name not in {*_COUNTED, "cost", "fallbacks", "repairs"}]
)

_DEFINED: Final = ", ".join(f"{name} {kind}" for name, kind in _COLUMNS.items())

CREATE: Final = (
    f"CREATE TABLE IF NOT EXISTS requests (id INTEGER PRIMARY KEY, {_DEFINED})",
    "CREATE INDEX IF NOT EXISTS requests_at ON requests (at)",
    f"PRAGMA user_version = {VERSION}",
)

_ONE: Final = f"({', '.join('?' * len(_COLUMNS))})"

_INTO: Final = f"INSERT INTO requests ({', '.join(_COLUMNS)})"

INSERT: Final = f"{_INTO} VALUES {_ONE}"

SEVERAL: Final = 32
"""Rows of INSERT_SEVERAL; SQLite before 3.32 takes 999 values."""

INSERT_SEVERAL: Final = f"{INSERT}{f', {_ONE}' * (SEVERAL - 1)}"


def row(outcome: Outcome, cost: float | None) -> tuple[object, ...]:
    """The values of INSERT."""
    counts = _counts(outcome)
    if max(counts) > _LARGEST or min(counts) < 0:
        counts = tuple([max(0, min(count, _LARGEST)) for count in counts])
    fallbacks = msgspec.json.encode(outcome.fallbacks).decode() if outcome.fallbacks else "[]"
    repairs = msgspec.json.encode(outcome.repairs).decode() if outcome.repairs else "{}"
    return (*_told(outcome), *counts, cost, fallbacks, repairs)
