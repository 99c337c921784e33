"""Can others read a person's secrets, and does a configuration file belong to its person?"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from fcc.doctor.finding import Change, Finding, fail, ok, warn
from fcc.settings.files import config_dir, config_file
from fcc.settings.places import log_file
from fcc.settings.probed import Probes

__all__ = ["learned", "modes"]

_PRIVATE = 0o600


def modes() -> Iterator[Finding]:
    """One finding if all is well, else one for each file."""
    try:
        findings = [*_secrets(config_dir() / "fcc.env"), *_token(config_file()), *_log(log_file())]
        there = "what is in {} is yours alone" if config_dir().exists() else "{} is not there yet"
    except OSError as error:
        words = f"{error.filename}: {error.strerror}"
        yield fail("files", words, f"ls -ld {Path(error.filename).parent}, then chown or chmod it")
        return
    yield from findings or [ok("files", there.format(config_dir()))]


def learned() -> Iterator[Finding]:
    """What earlier probes have left and the daemon can't use."""
    for problem in Probes.read().problems:
        yield warn("learned", f"{problem.seen}: the daemon ignores it", problem.fix)


def _secrets(path: Path) -> Iterator[Finding]:
    if not path.is_file():
        return
    mode = _mode(path)
    if mode & 0o077:
        yield fail(
            "files",
            f"{path} has mode {mode:04o}: others may read your keys, and fcc does not start",
            f"chmod 600 {path}",
            Change(str(path), mode=_PRIVATE),
        )
    if path.stat().st_uid != os.geteuid():
        yield warn("files", f"{path} belongs to another user", f"chown {os.geteuid()} {path}")


def _token(path: Path) -> Iterator[Finding]:
    """A token in config.toml is a secret too."""
    if not path.is_file() or not _mode(path) & 0o044:
        return
    if any(
        line.startswith("auth_token") for line in path.read_text("utf-8", "replace").splitlines()
    ):
        yield warn(
            "files",
            f"{path} has an auth_token, and others may read it (mode {_mode(path):04o})",
            f"chmod 600 {path}",
            Change(str(path), mode=_PRIVATE),
        )


def _log(path: Path) -> Iterator[Finding]:
    if path.is_file() and _mode(path) & 0o077:
        change = Change(str(path), mode=_PRIVATE)
        yield warn("files", f"{path}: others may read your log", f"chmod 600 {path}", change)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
