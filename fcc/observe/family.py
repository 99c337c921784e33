"""What is one metric with its numbers, before it is written in anybody's format?

Names, units and types as https://prometheus.io/docs/practices/naming/ wants them.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

import msgspec

__all__ = ["Distribution", "Family", "Histogram", "Value"]


class Distribution(msgspec.Struct, frozen=True):
    """How many observations there were up to each bound, and what they add up to."""

    bounds: Sequence[float]
    counts: Sequence[int]
    """Cumulative; the last one, behind all bounds, counts every observation."""
    total: float


Value = float | Distribution


class Family(msgspec.Struct, frozen=True):
    """A metric: its numbers by the values of its labels."""

    name: str
    """Without `_total`, which counters get when they are written."""
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    values: Sequence[tuple[tuple[str, ...], Value]] = ()


class Histogram:
    """`observe(value)`: counted under the first bound that is not below it."""

    __slots__ = ("_bounds", "_counts", "_total")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._total = 0.0

    def observe(self, value: float) -> None:
        """One more."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._total += value

    @property
    def distribution(self) -> Distribution:
        """As it stands."""
        return Distribution(self._bounds, tuple(accumulate(self._counts)), self._total)
