"""How much do a response's headers say is left of the provider's limits?

Names and values differ; the words in them don't. Sources:
platform.openai.com/docs/guides/rate-limits and console.groq.com/docs/rate-limits
(`x-ratelimit-remaining-requests: 59`, `x-ratelimit-reset-tokens: 6m0s`);
inference-docs.cerebras.ai/support/rate-limits (`x-ratelimit-limit-requests-day`);
openrouter.ai/docs/api-reference/limits (`X-RateLimit-Reset` in epoch milliseconds);
draft-ietf-httpapi-ratelimit-headers: -03 `RateLimit-Limit: 10;w=60`, -07 `RateLimit: limit=10,
remaining=5, reset=30`, -10 `RateLimit: "default";r=5;t=30`.
"""

from collections.abc import Iterator, Mapping
from typing import Final, Literal

import msgspec

from fcc.diagnosis.pattern import Pattern
from fcc.diagnosis.waits import asked_wait, span

__all__ = ["MOMENTARY", "Rate", "rates"]

MOMENTARY: Final = 900.0
"""Seconds. What comes back later is a quota: the provider's own refusal tells of it best. Claude
Code lives on pings alone for a quarter of an hour, and not much longer."""

_MOST: Final = 10**12
"""Any limit is smaller."""

_NUMBER = Pattern(r"[0-9]{1,12}(?:\.[0-9]{1,6})?(?=\s*(?:$|;|,(?![0-9])))")
"""A digit behind a comma: it may divide the thousands."""
_WINDOW = Pattern(r"[;,]\s*w=([0-9]{1,9})(?![0-9.])")
_PARAMETER = Pattern(r"[;,\s](limit|remaining|reset|r|t)=([0-9]{1,12})(?![0-9.])")

_UNITS: Final = {"requests": "requests", "request": "requests", "req": "requests"} | {
    "tokens": "tokens",
    "token": "tokens",
}
_WINDOWS: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0} | {
    "week": 7 * 86400.0,
    "month": 30 * 86400.0,
}
_QUANTITIES: Final = frozenset({"limit", "remaining", "reset"})
_SHORT: Final = {"r": "remaining", "t": "reset"}


class Rate(msgspec.Struct, frozen=True):
    """What is said of one limit; None where nothing is, or nothing that can be true."""

    unit: Literal["requests", "tokens"] = "requests"
    limit: int | None = None
    remaining: int | None = None
    reset: float | None = None
    """Seconds until the limit is whole again."""
    window: float | None = None
    """Seconds in which `limit` counts."""

    @property
    def momentary(self) -> bool:
        """Whether a client can wait for the reset."""
        return self.reset is not None and self.reset <= MOMENTARY


def rates(headers: Mapping[str, str], now: float | None, *, waits: bool = False) -> list[Rate]:
    """One for each limit that the headers tell of; `now` is the time in epoch seconds; without
    it moments don't count.

    `waits`: retry-after counts as a limit that is used up. That is for answers: a refusal has its
    own way of being waited for.
    """
    lower = {
        low: value.strip()
        for name, value in headers.items()
        if "ratelimit" in (low := name.lower()) or low.startswith("retry-after")
    }
    if not lower:
        return []
    found = [*_by_name(lower, now), *_structured(lower.get("ratelimit", ""))]
    wait = asked_wait(lower, now) if waits else None
    if wait:
        found.append(Rate(remaining=0, reset=wait))
    return found


def _by_name(headers: Mapping[str, str], now: float | None) -> Iterator[Rate]:
    """The families `[x-]ratelimit-...`: one header for each quantity."""
    families: dict[tuple[str, ...], dict[str, str]] = {}
    for name, value in headers.items():
        if "ratelimit-" not in name:
            continue
        words = name.removeprefix("x-").split("-")
        quantity = _QUANTITIES.intersection(words)
        if words[0] == "ratelimit" and len(quantity) == 1:
            kind = tuple(word for word in words[1:] if word not in quantity)
            families.setdefault(kind, {})[min(quantity)] = value
    for kind, values in families.items():
        rate = _rate(kind, values, now)
        if rate is not None:
            yield rate


def _rate(kind: tuple[str, ...], values: Mapping[str, str], now: float | None) -> Rate | None:
    """None for a kind with a word that is neither a unit nor a window: it counts something else."""
    units = {_UNITS[word] for word in kind if word in _UNITS}
    windows = [_WINDOWS[word] for word in kind if word in _WINDOWS]
    if len(units) > 1 or len(units) + len(windows) < len(kind):
        return None
    window = windows[0] if windows else _window(values.get("limit", ""))
    reset = span(values.get("reset", ""), now)
    if reset is None and "reset" not in values:
        reset = window
    return Rate(
        unit="tokens" if "tokens" in units else "requests",
        limit=_count(values.get("limit", "")) or None,
        remaining=_count(values.get("remaining", "")),
        reset=reset,
        window=window,
    )


def _structured(value: str) -> Iterator[Rate]:
    """The one header of the later drafts, with a list of limits in it."""
    # Up to draft 7 a comma divides the quantities of one limit, since then the limits.
    for item in [value] if "limit=" in value or "remaining=" in value else value.split(","):
        told = {_SHORT.get(name, name): int(n) for name, n in _PARAMETER.findall(f" {item}")}
        if told:
            reset = told.get("reset")
            yield Rate(
                limit=told.get("limit") or None,
                remaining=told.get("remaining"),
                reset=None if reset is None else float(reset),
                window=_window(item),
            )


def _count(value: str) -> int | None:
    found = _NUMBER.match(value)
    count = int(float(found[0])) if found else _MOST
    return count if count < _MOST else None


def _window(value: str) -> float | None:
    found = _WINDOW.search(value)
    return float(found[1]) if found and int(found[1]) else None
