"""How often was a call recovered from text, or its arguments mended, since the daemon started?"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

from fcc.diagnosis.redact import redact

__all__ = ["Repairs"]

_LONGEST: Final = 200
"""Characters of a model's name, which a client may have chosen."""


class Repairs:
    """Counts by provider, model and kind: the dialect's name, or that of the repair.

    Of every attempt, whether it came to its end or not: what a repair tells is how a model writes.
    """

    MOST: Final = 100
    """Counts kept apart, so that a scrape stays short. Clients choose models, so there may be any
    number: further ones are counted together as model `other`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, provider: str, model: str, repairs: Mapping[str, int]) -> None:
        """Adds what one attempt took, kind -> number."""
        if not repairs:
            return
        shown = redact(model[:_LONGEST])
        for kind, number in repairs.items():
            key = (provider, shown, kind)
            if key not in self._counts and len(self._counts) >= self.MOST:
                key = (provider, "other", kind)
            self._counts[key] += number

    def totals(self) -> list[tuple[str, str, str, int]]:
        """(provider, model, kind, number), in alphabetical order."""
        return [(*key, number) for key, number in sorted(self._counts.items())]
