"""Which traces are on the disk? A file each, so that they outlive the daemon.

A file has two lines, the trace's summary and the trace, and its name from the moment it is whole.
What is not whole (a disk that was full, a power cut) is no trace. Several daemons may share the
folder.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from fcc.observe.trace import Summary, Trace, decoded, encoded, summary
from fcc.settings.places import private_dir, replacing

__all__ = ["Shelf"]

_STALE: Final = 3600.0
"""Seconds after which a half file belongs to nobody who still writes it."""

_ENDING: Final = ".trace.json"


class Shelf:
    """The folder `path`, bounded by `keep` files and `max_bytes`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def put(self, trace: Trace, raw: bytes, *, keep: int, max_bytes: int) -> None:
        """Write a trace, `raw` being its JSON, and make room for it. Raises OSError."""
        private_dir(self._path)
        line = summary(trace.outcome, bodies=trace.bodies)
        with replacing(self._path / _name(trace)) as file:
            file.write(b"%b\n%b\n" % (encoded(line), raw))
        self._prune(keep, max_bytes)

    def summaries(self) -> list[Summary]:
        """Of all traces, the oldest first."""
        found = [(path, _read_summary(path)) for path in self._files()]
        return [one for _, one in found if one is not None]

    def read(self, id: str) -> Trace | None:
        """The trace; None where it is not here or not whole."""
        for path in self._files():
            if path.name.endswith(f"-{id}{_ENDING}"):
                return _read(path)
        return None

    def _files(self) -> list[Path]:
        """The oldest first, as their names begin with the time."""
        with suppress(OSError):
            return sorted(self._path.glob(f"*{_ENDING}"))
        return []

    def _prune(self, keep: int, max_bytes: int) -> None:
        files = [(path, size) for path in self._files() for size in _size(path)]
        total = sum(size for _, size in files)
        while files and (len(files) > keep or total > max_bytes):
            path, size = files.pop(0)
            total -= size
            path.unlink(missing_ok=True)
        for path in self._path.glob(f".*{_ENDING}.*.part"):
            with suppress(OSError):
                if time.time() - path.stat().st_mtime > _STALE:
                    path.unlink()


def _name(trace: Trace) -> str:
    # Only what fcc itself made up is in it.
    return f"{int(trace.outcome.at * 1000):015d}-{trace.id}{_ENDING}"


def _size(path: Path) -> Iterator[int]:
    with suppress(OSError):
        yield path.stat().st_size


def _read_summary(path: Path) -> Summary | None:
    try:
        with path.open("rb") as file:
            line = file.readline()
            file.seek(-1, os.SEEK_END)
            whole = file.read(1) == b"\n" and file.tell() > len(line)
        return msgspec.json.decode(line, type=Summary) if whole else None
    except (OSError, msgspec.DecodeError):
        return None


def _read(path: Path) -> Trace | None:
    try:
        return decoded(path.read_bytes().partition(b"\n")[2])
    except (OSError, msgspec.DecodeError):
        return None
