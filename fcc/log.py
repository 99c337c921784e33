"""loguru, set up once: where to, in which format; the standard library's loggers are let in."""

import fcntl
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from io import RawIOBase
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
from loguru import logger

from fcc.errors import ConfigError
from fcc.observe.outcome import Outcome
from fcc.overriding import override

if TYPE_CHECKING:
    from loguru import Message, Record

__all__ = ["Format", "set_up"]

Format = Literal["text", "json"]

_LARGEST: Final = 10_000_000
"""Bytes of a file of the log."""

_KEPT: Final = 5
"""Files of the log beside the present one."""

_WITHOUT: Final = frozenset({"request_id", "error", "longest", "repairs", "waiting"})
"""Fields of an outcome that are no field of its line: the id is the line's own; the words of an
error may quote the prompt; what was mended is told at DEBUG."""

_PRIORITIES: Final = ((40, 3), (30, 4), (20, 6), (0, 7))
"""loguru's levels -> syslog's priorities: err, warning, info, debug."""


def set_up(level: str, format: Format = "text", file: Path | None = None) -> None:
    """Log from `level` (debug, info, warning, error) on, to `file` or to stderr.

    Under systemd each line has its priority, and no time: the journal has one. A file is begun
    anew at 10 MB, and the last five are kept. `diagnose` stays off: it prints the values of
    variables, and those are prompts and keys. Raises ConfigError for a file that can't be written.
    """
    logger.remove()
    formats = {"json": _as_json, "text": _as_text}
    options: dict[str, Any] = {"level": level.upper(), "diagnose": False, "backtrace": False}
    if file is not None:
        _to_file(file, format=formats[format], **options)
    elif _journal():
        formats["text"] = _as_text_without_time
        logger.add(_to_journal, format=formats[format], **options)
    else:
        logger.add(sys.stderr, format=formats[format], **options)
    logging.basicConfig(handlers=[_Forwarding()], level=logging.WARNING, force=True)


def _to_file(file: Path, *, format: Callable[["Record"], str], **options: Any) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        sink = _File(file)
    except OSError as error:
        raise ConfigError(f"{file}: no log can be written there: {error.strerror}") from error
    logger.add(sink, format=format, **options)


class _File:
    """A file of the log, and the old ones beside it: `fcc.log.1` is the youngest of them.

    loguru's own tells each line that a full disk refuses with a traceback, and all it knows of it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._refused = False
        self._file = self._opened()

    def write(self, message: str) -> None:
        """One line, or a few; where the disk refuses it, that is said once."""
        try:
            if os.fstat(self._file.fileno()).st_size > _LARGEST:
                self._begin_anew()
            self._file.write(message.encode("utf-8", "backslashreplace"))
            self._refused = False
        except OSError as error:
            if not self._refused:
                self._refused = True
                with suppress(OSError):
                    sys.stderr.write(f"fcc: {self._path}: {error.strerror}; lines are lost\n")

    def stop(self) -> None:
        """Close the file."""
        self._file.close()

    def _begin_anew(self) -> None:
        # Another daemon that writes to the same file may begin it anew as well.
        fcntl.flock(self._file, fcntl.LOCK_EX)
        if self._is_present():
            old = [Path(f"{self._path}.{number}") for number in range(1, _KEPT + 1)]
            for younger, older in reversed(list(pairwise([self._path, *old]))):
                with suppress(FileNotFoundError):
                    younger.replace(older)
        before, self._file = self._file, self._opened()
        _redirect(before.fileno(), self._file.fileno())
        before.close()

    def _is_present(self) -> bool:
        try:
            return os.path.samestat(self._path.stat(), os.fstat(self._file.fileno()))
        except FileNotFoundError:
            return False

    def _opened(self) -> RawIOBase:
        return open(self._path, "ab", buffering=0, opener=_private)


def _redirect(before: int, after: int) -> None:
    """A daemon in the background has the log as its standard output and error too."""
    known = os.fstat(before)
    for stream in (1, 2):
        with suppress(OSError):
            if os.path.samestat(os.fstat(stream), known):
                os.dup2(after, stream)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _as_text(record: "Record") -> str:
    return "<green>{time:YYYY-MM-DD HH:mm:ss}</green> " + _as_text_without_time(record)


def _as_text_without_time(record: "Record") -> str:
    request_id = " {extra[request_id]}" if "request_id" in record["extra"] else ""
    record["extra"]["said"] = _one_line(record["message"])
    return "<level>{level: <7}</level>" + request_id + " {extra[said]}\n{exception}"


def _one_line(text: str) -> str:
    """A name that a client chose can't begin a line of the log, or colour a terminal."""
    if text.isprintable():
        return text
    signs = (one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)
    return "".join(signs)


def _as_json(record: "Record") -> str:
    """One object in one line; what is not ASCII is escaped."""
    record["extra"]["line"] = json.dumps(_fields(record), default=str)
    return "{extra[line]}\n"


def _fields(record: "Record") -> dict[str, Any]:
    fields: dict[str, Any] = {
        "time": record["time"].isoformat(timespec="milliseconds"),
        "level": record["level"].name.lower(),
        "message": record["message"],
    }
    if "request_id" in record["extra"]:
        fields["request_id"] = record["extra"]["request_id"]
    outcome = record["extra"].get("outcome")
    if isinstance(outcome, Outcome):
        told = msgspec.structs.asdict(outcome)
        fields |= {name: value for name, value in told.items() if name not in _WITHOUT}
    if (error := record["exception"]) is not None:
        lines = traceback.format_exception(error.type, error.value, error.traceback)
        fields["exception"] = "".join(lines)
    return fields


def _to_journal(message: "Message") -> None:
    """Each line begins with its priority: https://www.freedesktop.org/software/systemd/man/sd-daemon.html."""
    number = message.record["level"].no
    priority = next(syslog for level, syslog in _PRIORITIES if number >= level)
    sys.stderr.write("".join(f"<{priority}>{line}\n" for line in message.splitlines()))


def _journal() -> bool:
    """Whether stderr is the journal's; a shell below a service inherits the variable alone."""
    device, _, inode = os.environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError, AttributeError):
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


class _Forwarding(logging.Handler):
    """What the libraries log goes where everything goes."""

    @override
    def emit(self, record: logging.LogRecord) -> None:
        logger.opt(exception=record.exc_info, depth=6).log(record.levelno, record.getMessage())
