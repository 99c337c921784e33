"""What one check found."""

from enum import Enum

import msgspec

__all__ = ["Finding", "Verdict", "fail", "ok", "warn"]


class Verdict(Enum):
    """How bad it is: a warning does not keep Claude Code from working."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True):
    """What was looked at, what was seen, and what mends it."""

    check: str
    verdict: Verdict
    seen: str
    fix: str = ""


def ok(check: str, seen: str) -> Finding:
    """All is well."""
    return Finding(check, Verdict.OK, seen)


def warn(check: str, seen: str, fix: str) -> Finding:
    """Works, but not as well as it could."""
    return Finding(check, Verdict.WARN, seen, fix)


def fail(check: str, seen: str, fix: str) -> Finding:
    """Does not work."""
    return Finding(check, Verdict.FAIL, seen, fix)
