"""How often was a call recovered from text, or its arguments mended, since the daemon started?"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

__all__ = ["Repairs"]


class Repairs:
    """Counts by provider, model and kind: the dialect's name, or that of the repair."""

    MOST: Final = 1000
    """Counts kept apart. Clients choose models, so there may be any number: further ones are
    counted together as model `*`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def count(self, provider: str, model: str, repairs: Mapping[str, int]) -> None:
        """Adds what one answer took, kind -> number."""
        for kind, number in repairs.items():
            key = (provider, model, kind)
            if key not in self._counts and len(self._counts) >= self.MOST:
                key = (provider, "*", kind)
            self._counts[key] += number

    def totals(self) -> list[tuple[str, str, str, int]]:
        """(provider, model, kind, number), in alphabetical order."""
        return [(*key, number) for key, number in sorted(self._counts.items())]
