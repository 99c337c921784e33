"""Does waiting help against this rate limit, and how long?"""

from collections.abc import Iterable

import msgspec

from fcc.diagnosis.pattern import Pattern
from fcc.diagnosis.rates import Rate
from fcc.diagnosis.report import Report

__all__ = ["Quota", "quota"]

_NEAR = 3600.0
"""Seconds. A limit that returns later is, for a session at work, used up for good."""

_LONG = Pattern(
    r"(?i)\bper[ _-]?(?:day|week|month)|per(?:day|week|month)\b|per_(?:day|week|month)"
    r"|\b(?:daily|weekly|monthly)\b|\b[TR]PD\b|byday\b|by_day|\b86400 ?s"
)

_NEVER = Pattern(r"(?i)\blimit: 0(?![0-9.])")
_TOO_LARGE = Pattern(r"(?i)\blimit:? ([0-9]{1,12})\b.{0,40}\brequested:? ([0-9]{1,12})\b")


class Quota(msgspec.Struct, frozen=True):
    """What a rate limit means for the next attempt."""

    retryable: bool = True
    wait: float | None = None
    step: str = ""


def quota(report: Report, wait: float | None, told: Iterable[Rate] = ()) -> Quota:
    """What to do about a rate limit that asks for `wait` seconds; `told` by its headers."""
    said = " ".join((report.text[:4000], *report.codes))
    if _NEVER.search(said):
        # Gemini: the free tier has nothing of this model.
        return Quota(retryable=False, step="this key may not use the model at all: use another")
    if (found := _TOO_LARGE.search(said)) and int(found[2]) > int(found[1]):
        # Groq answers 413: the request alone is over what a minute allows.
        step = "the request alone is over the key's limit: use another model, or a shorter session"
        return Quota(retryable=False, step=step)
    if _is_long(said, wait, told):
        back = f" for another {_words(wait)}" if wait is not None else ""
        return Quota(
            retryable=False, step=f"the quota is used up{back}: use another model or provider"
        )
    if wait is None:
        return Quota(step="wait a moment, or use another model")
    return Quota(wait=wait, step=f"wait {_words(wait)}, or use another model")


def _is_long(said: str, wait: float | None, told: Iterable[Rate]) -> bool:
    """Whether it is the limit of a day or more. A near reset counts more than the limit's name."""
    if wait is not None:
        return wait > _NEAR
    by_header = any(rate.remaining == 0 and (rate.window or 0.0) > _NEAR for rate in told)
    return by_header or bool(_LONG.search(said))


def _words(seconds: float) -> str:
    if seconds >= 2 * _NEAR:
        return f"{seconds / _NEAR:.0f} hours"
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"
