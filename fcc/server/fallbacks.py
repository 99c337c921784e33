"""From which route did requests go on to which, and why, since the daemon started?"""

from collections import Counter
from itertools import pairwise
from typing import Final

from fcc.observe.outcome import Outcome

__all__ = ["Fallbacks"]


class Fallbacks:
    """An observer that counts by the route that failed, the one asked behind it, and the error."""

    MOST: Final = 100
    """Counts kept apart: more than a configuration leads to. Clients choose models, so there may be
    any number: further ones are counted together as model `other`."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str, str]] = Counter()

    def ended(self, outcome: Outcome) -> None:
        """Count what failed before the route that answered, or failed last."""
        if not outcome.fallbacks:
            return
        failed = [_parts(words) for words in outcome.fallbacks]
        routes = [*failed, (f"{outcome.provider}/{outcome.model}", "")]
        for (route, why), (to, _) in pairwise(routes):
            key = (route, to, why)
            if key not in self._counts and len(self._counts) >= self.MOST:
                key = (f"{route.partition('/')[0]}/other", "other", "")
            self._counts[key] += 1

    def totals(self) -> list[tuple[str, str, str, int]]:
        """(route that failed, route asked behind it, `status type`, number), in that order."""
        return [(*key, number) for key, number in sorted(self._counts.items())]


def _parts(words: str) -> tuple[str, str]:
    """`provider/model status type` as two; a model's name may have spaces in it."""
    route, *why = words.rsplit(" ", 2)
    return route, " ".join(why)
