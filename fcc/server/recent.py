"""What do the last requests tell: how much came from a prefix cache, and what failed last?"""

from collections import deque
from datetime import UTC, datetime
from typing import Final

import msgspec

from fcc.observe.outcome import Outcome

__all__ = ["LastError", "Recent"]

_TELLING: Final = frozenset(
    {"rate_limit_error", "overloaded_error", "timeout_error", "authentication_error",
     "billing_error", "permission_error", "not_found_error"}
)  # fmt: skip
"""Errors whose words are about the account. Of others a provider may quote the prompt."""

_LONGEST: Final = 300
"""Characters of an error's words."""


class LastError(msgspec.Struct, frozen=True):
    """A request that failed."""

    type: str
    message: str
    provider: str
    model: str
    at: str
    """When the request came, as an ISO 8601 date and time in UTC."""
    request_id: str


class _Ended(msgspec.Struct, frozen=True):
    """One request, as far as it counts here."""

    input: int
    cached: int
    error: LastError | None


class Recent:
    """An observer of ended requests; it keeps the last `MOST` that a provider was asked for."""

    MOST: Final = 200
    """Enough for a ratio that is no accident, few enough to be of today."""

    def __init__(self) -> None:
        self._ended: deque[_Ended] = deque(maxlen=self.MOST)
        self.served = 0
        """Requests answered, well or not."""

    def ended(self, outcome: Outcome) -> None:
        """What fcc answered by itself tells nothing of a provider."""
        self.served += 1
        if not outcome.provider or outcome.local:
            return
        # What fcc has counted itself tells nothing of a cache.
        read = (0, 0) if outcome.estimated else (outcome.input, outcome.cached)
        self._ended.append(_Ended(*read, _error(outcome) if outcome.failed else None))

    @property
    def count(self) -> int:
        """How many requests are known."""
        return len(self._ended)

    @property
    def cache_hit_ratio(self) -> float | None:
        """The part of all prompt tokens that came from a prefix cache; None: none were counted."""
        read = sum(one.input for one in self._ended)
        return round(sum(one.cached for one in self._ended) / read, 4) if read else None

    @property
    def last_error(self) -> LastError | None:
        """The latest failure of those that are known."""
        return next((one.error for one in reversed(self._ended) if one.error), None)


def _error(outcome: Outcome) -> LastError:
    return LastError(
        type=outcome.outcome,
        message=_words(outcome),
        provider=outcome.provider,
        model=outcome.model,
        at=datetime.fromtimestamp(outcome.at, UTC).isoformat("T", "seconds"),
        request_id=outcome.request_id,
    )


def _words(outcome: Outcome) -> str:
    """The error's words; where a provider may have quoted the prompt, fcc's own before them."""
    said = outcome.error if outcome.outcome in _TELLING else outcome.error.partition(": ")[0]
    line = " ".join(said.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
