"""What one check found."""

from enum import Enum
from typing import Any

import msgspec

__all__ = ["Change", "Finding", "Step", "Verdict", "fail", "ok", "warn"]


class Verdict(Enum):
    """How bad it is: a warning does not keep Claude Code from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Change(msgspec.Struct, frozen=True, omit_defaults=True):
    """What `--fix` would do about it."""

    file: str
    set: dict[str, Any] = {}
    """Dotted keys of a TOML file and their values."""
    mode: int | None = None
    """The file's permissions."""
    source: str = ""
    """The file that it begins as where it is not there yet."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was looked at, what was seen, and what mends it."""

    check: str
    verdict: Verdict
    seen: str
    fix: str = ""
    change: Change | None = None


Step = Finding | str
"""A finding, or in words what is being done until the next one comes."""


def ok(check: str, seen: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, seen)


def warn(check: str, seen: str, fix: str, change: Change | None = None) -> Finding:
    """Works, but not as well as it could."""
    return Finding(check, Verdict.WARN, seen, fix, change)


def fail(check: str, seen: str, fix: str, change: Change | None = None) -> Finding:
    """Does not work."""
    return Finding(check, Verdict.FAIL, seen, fix, change)
