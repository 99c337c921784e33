"""Where is what fcc itself writes: the log, what probes taught, which daemon runs?"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Literal

__all__ = [
    "ledger_file",
    "log_file",
    "private_dir",
    "replacing",
    "runtime_dir",
    "runtime_dirs",
    "state_dir",
    "traces_dir",
    "user_dir",
]

_SYSTEM_RUNTIME = Path("/run/fcc")
"""RuntimeDirectory=fcc of a system unit."""


def user_dir(kind: Literal["config", "state"]) -> Path:
    """The platform's place for a user's files of this kind."""
    if sys.platform == "linux":
        # https://specifications.freedesktop.org/basedir-spec: by hand, as platformdirs takes a
        # tenth of a short command's time to import.
        variable, usual = {
            "config": ("XDG_CONFIG_HOME", ".config"),
            "state": ("XDG_STATE_HOME", ".local/state"),
        }[kind]
        home = os.environ.get(variable, "").strip()
        return Path(home or Path("~").expanduser() / usual) / "fcc"
    import platformdirs  # noqa: PLC0415 - as above

    if kind == "config":
        return platformdirs.user_config_path("fcc")
    return platformdirs.user_state_path("fcc")


def state_dir() -> Path:
    """What outlives the daemon: FCC_STATE_DIR, systemd's choice, or the platform's place."""
    chosen = os.environ.get("FCC_STATE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    given = os.environ.get("STATE_DIRECTORY", "").split(":")[0]
    return Path(given) if given else user_dir("state")


def runtime_dir() -> Path:
    """What lives as long as a daemon."""
    if os.environ.get("FCC_STATE_DIR"):
        return state_dir() / "run"
    given = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    if given:
        return Path(given)
    session = Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.geteuid()}")
    # Never below /tmp, where another user could have made the folder first.
    return session / "fcc" if os.access(session, os.W_OK) else state_dir() / "run"


def runtime_dirs() -> Iterator[Path]:
    """Where daemons may have left word: this user's places, and that of a system service."""
    places = [runtime_dir(), state_dir() / "run"]
    if not os.environ.get("FCC_STATE_DIR"):
        places.append(_SYSTEM_RUNTIME)
    yield from dict.fromkeys(places)


def log_file() -> Path:
    """What a daemon says that nobody watches."""
    return state_dir() / "daemon.log"


def ledger_file() -> Path:
    """What requests took: tokens, cost, outcomes."""
    return state_dir() / "usage.db"


def traces_dir() -> Path:
    """What the flight recorder keeps: a file a request."""
    return state_dir() / "traces"


def private_dir(path: Path) -> Path:
    """`path`, made for its owner alone where it is not there yet."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """A file for its owner alone, which takes the name `path` when this is left well.

    Whoever reads `path` sees the old whole or the new whole. Raises OSError.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}.part")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            scratch.replace(path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
