"""How long did the provider ask us to wait?

Sources: RFC 9110 10.2.3 (Retry-After); console.groq.com/docs/rate-limits and
platform.openai.com/docs/guides/rate-limits (x-ratelimit-reset-* as "2m59.56s");
openrouter.ai/docs limits (X-RateLimit-Reset in epoch milliseconds); google.rpc.RetryInfo.
"""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from fcc.diagnosis.pattern import Pattern

__all__ = ["asked_wait", "retry_after", "span"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_STEP = (
    r"[0-9]{1,9}(?:\.[0-9]{1,9})?\s?"
    r"(?:ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?|d|days?)(?![a-z])"
)
_DURATION = rf"{_STEP}(?:(?:\s|,|and){{0,6}}{_STEP}){{0,4}}"
_COMPACT = Pattern(r"(?i)(?:[0-9]{1,9}(?:\.[0-9]{1,9})?(?:ms|[smhd])){1,5}")
_PART = Pattern(r"(?i)([0-9]{1,9}(?:\.[0-9]{1,9})?)\s?(milliseconds?|ms|[smhd])")
_NUMBER = Pattern(r"[0-9]{1,15}(?:\.[0-9]{1,12})?")

_SAID = (
    Pattern(
        r"(?i)\b(?:try(?:ing)?(?:\s(?:again|later|it))?|retry(?:ing)?|wait(?:ing)?|resets?"
        r"|reset|available(?:\sagain)?)(?:\s(?:your request|again))?\s(?:in|after|for|at least)?"
        rf"\s?(?:about |approximately |at least |another |~)?({_DURATION})"
    ),
    Pattern(rf"(?i)\bretry_?delay[\"']?\s?[:=]\s?[\"']?({_DURATION})"),
    Pattern(
        r"(?i)\bretry[-_ ]?after(?:[-_ ]?sec(?:ond)?s)?[\"']?\s?[:=]?\s?[\"']?"
        r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(?![0-9a-z.])"
    ),
)

_EPOCH_SECONDS = 1e9
_EPOCH_MILLISECONDS = 1e12
"""A number from here on is a moment: as a wait it would be thirty years and more."""


def retry_after(headers: Mapping[str, str], text: str, *, now: float | None = None) -> float | None:
    """Seconds to wait, as the headers or else the text say; None where neither does.

    `now` is the time in epoch seconds; without it moments (dates and epochs) don't count, and
    a moment that is past never does.
    """
    lower = {name.lower(): value.strip() for name, value in headers.items()}
    for wait in (asked_wait(lower, now), _said(text), _reset(lower, now)):
        if wait is not None:
            return wait
    return None


def asked_wait(headers: Mapping[str, str], now: float | None) -> float | None:
    """Seconds that retry-after-ms or retry-after ask for; `headers` have lower-case names."""
    wait = _scaled(headers.get("retry-after-ms", "").strip(), 0.001)
    return span(headers.get("retry-after", "").strip(), now) if wait is None else wait


def _scaled(value: str, unit: float) -> float | None:
    return float(value) * unit if _NUMBER.fullmatch(value) else None


def span(value: str, now: float | None) -> float | None:
    """Seconds from "20", "2m59.56s", an HTTP or ISO date, epoch seconds or milliseconds.

    None for all else: a negative number, a moment that is past, one without the time.
    """
    if not value:
        return None
    if _COMPACT.fullmatch(value):
        return _duration(value)
    if not _NUMBER.fullmatch(value):
        return _until(_moment(value), now)
    number = float(value)
    if number >= _EPOCH_MILLISECONDS:
        return _until(number / 1000, now)
    if number >= _EPOCH_SECONDS:
        return _until(number, now)
    return number


def _until(moment: float | None, now: float | None) -> float | None:
    if moment is None or now is None or not math.isfinite(now) or moment < now:
        return None
    return moment - now


def _moment(value: str) -> float | None:
    """Epoch seconds of an HTTP date or an ISO one; a date without a zone is UTC."""
    try:
        date = (
            datetime.fromisoformat(value) if value[:4].isdigit() else parsedate_to_datetime(value)
        )
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _duration(text: str) -> float:
    parts = _PART.findall(text)
    seconds = sum(float(number) * _UNITS[_unit(name)] for number, name in parts)
    return round(seconds, 6)


def _unit(name: str) -> str:
    lower = name.lower()
    return "ms" if lower.startswith("mil") else lower


def _said(text: str) -> float | None:
    """What a sentence asks for: "try again in 7m12s", "retry after 20 seconds"."""
    for pattern in _SAID:
        if found := pattern.search(text):
            return _scaled(found[1], 1.0) or _duration(found[1])
    return None


def _reset(headers: Mapping[str, str], now: float | None) -> float | None:
    """The reset of the limit that is used up, of all that `x-ratelimit-reset*` tell about."""
    waits: dict[str, float] = {}
    for name, value in headers.items():
        start, found, kind = name.removeprefix("x-").partition("ratelimit-reset")
        wait = span(value, now) if found and not start else None
        if wait is not None:
            waits[kind] = wait
    empty = [kind for kind in waits if _used_up(headers, kind)]
    if empty:
        return max(waits[kind] for kind in empty)
    # Nothing is quite at zero: the request was larger than what is left of the tokens.
    tokens = [wait for kind, wait in waits.items() if "token" in kind]
    return max(tokens or waits.values(), default=None)


def _used_up(headers: Mapping[str, str], kind: str) -> bool:
    for name in (f"x-ratelimit-remaining{kind}", f"ratelimit-remaining{kind}"):
        value = headers.get(name, "")
        if _NUMBER.fullmatch(value):
            return float(value) <= 0
    return False
