"""Can others read a person's secrets, and can fcc read what is the person's?"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from fcc.doctor.finding import Change, Finding, fail, ok, warn
from fcc.settings.files import config_dir, config_file
from fcc.settings.places import log_file, state_dir
from fcc.settings.probed import Probes

__all__ = ["learned", "modes"]

_PRIVATE = 0o600

_OWN = 0o700
"""What the owner of a folder needs."""


def modes() -> Iterator[Finding]:
    """One finding if all is well, else one for each file, and for each folder that is closed."""
    looks = ((_secrets, config_dir() / "fcc.env"), (_token, config_file()), (_log, log_file()))
    closed = {folder: why for folder in (config_dir(), state_dir()) if (why := _closed(folder))}
    findings = [_opening(folder, why) for folder, why in closed.items()]
    for look, path in looks:
        try:
            findings += look(path) if path.parent not in closed else []
        except OSError as error:
            findings.append(_opening(path.parent, error.strerror or str(error)))
    yield from findings or [ok("files", _all_well(config_dir()))]


def learned() -> Iterator[Finding]:
    """What earlier probes have left and the daemon can't use."""
    try:
        problems = Probes.read().problems
    except OSError as error:
        if not _closed(state_dir()):  # else that is told
            yield _opening(Path(error.filename), error.strerror or str(error))
        return
    for problem in problems:
        yield warn("learned", f"{problem.seen}: the daemon ignores it", problem.fix)


def _all_well(folder: Path) -> str:
    return (
        f"what is in {folder} is yours alone" if folder.is_dir() else f"{folder} is not there yet"
    )


def _closed(folder: Path) -> str:
    """Why the folder can't be read and entered; "" where it can, or is not there yet."""
    try:
        os.listdir(folder)  # noqa: PTH208 - to list it and to enter it are two rights
        os.stat(f"{folder}/.")  # noqa: PTH116 - a Path would leave the point out
    except FileNotFoundError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    return ""


def _opening(folder: Path, why: str) -> Finding:
    """The finding about a folder that is closed; `--fix` opens one that is the person's own."""
    seen = f"{folder} can't be looked into: {why}"
    try:
        found = folder.stat()
    except OSError:
        return fail("files", seen, f"ls -ld {folder.parent}, then chown or chmod it")
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return fail("files", seen, f"ls -ld {folder}, then chown it, or move it away")
    mode = stat.S_IMODE(found.st_mode) | _OWN
    return fail("files", seen, f"chmod u+rwx {folder}", Change(str(folder), mode=mode))


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
