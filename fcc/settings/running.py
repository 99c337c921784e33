"""Which daemons run? Each leaves a file while it lives, and holds a lock on it.

The lock is the proof of life: it goes with the process however that ends, while a process id
may have become another's.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from fcc.errors import ConfigError
from fcc.settings.places import private_dir, replacing, runtime_dir, runtime_dirs

__all__ = ["Running", "Tier", "alive", "announced", "daemons", "find"]


class Tier(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where one of Claude Code's families goes, and what is known of the model there."""

    target: str
    """`provider/model`."""
    context_window: int | None = None
    max_output_tokens: int | None = None


class Running(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a daemon says of itself."""

    pid: int
    url: str
    version: str
    provider: str
    tiers: dict[str, Tier] = {}
    log: str = ""
    """The file it writes to, where it was started in the background."""
    service: Literal["", "user", "system"] = ""
    """Whose service manager started it."""

    @property
    def port(self) -> int:
        """Where it listens."""
        return urlsplit(self.url).port or 0


@contextmanager
def announced(running: Running) -> Iterator[Path]:
    """Others can find the daemon until this is left.

    Raises ConfigError where the file can't be written.
    """
    path = runtime_dir() / f"{running.port}.json"
    try:
        private_dir(path.parent)
        with replacing(path) as file:
            # Locked before it has its name: whoever finds it finds it locked.
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(msgspec.json.format(msgspec.json.encode(running)))
            held = os.dup(file.fileno())
    except OSError as error:
        raise ConfigError(f"{path}: can't be written: {error.strerror}") from error
    try:
        yield path
    finally:
        if path.exists() and path.stat().st_ino == os.fstat(held).st_ino:
            path.unlink()
        os.close(held)


def daemons() -> Iterator[Running]:
    """All that live, this user's before a system service."""
    for folder in runtime_dirs():
        for path in sorted(folder.glob("*.json")):
            running = _read(path)
            if running is not None:
                yield running


def find(port: int | None, usual: int) -> Running | None:
    """The daemon at `port`; without one the only daemon there is, or that at the usual port.

    Raises ConfigError where several run and neither is meant.
    """
    running = list(daemons())
    wanted = [one for one in running if one.port == (usual if port is None else port)]
    if wanted:
        return wanted[0]
    if port is not None or not running:
        return None
    if len(running) > 1:
        urls = ", ".join(one.url for one in running)
        raise ConfigError(f"several daemons run ({urls}): say which one with --port")
    return running[0]


def alive(running: Running) -> bool:
    """Whether this very daemon still runs."""
    return any(one.pid == running.pid and one.url == running.url for one in daemons())


def _read(path: Path) -> Running | None:
    """What stands in the file; None for one that nobody holds, or that another user left."""
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_uid not in (os.geteuid(), 0) or not _held(file.fileno()):
                return None
            return msgspec.json.decode(file.read(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None


def _held(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    return False
