"""How are figures shown? One line each, the goal beside it; a table for each that fcc is beside."""

from collections.abc import Iterator, Sequence
from statistics import median

import msgspec

__all__ = ["Figure", "Goal", "shown"]

_HEADINGS = (
    "figure",
    "unit",
    "{}",
    "fcc",
    "fcc min..max",
    "ratio",
    "min..max",
    "goal",
    "",
    "reads a chunk",
)


class Goal(msgspec.Struct, frozen=True):
    """At most `limit`, of what `of` names."""

    of: str
    """ratio (fcc to the other), added (fcc less the other) or fcc."""
    limit: float
    unit: str = ""

    @property
    def words(self) -> str:
        """As a person reads it."""
        sign = {"ratio": "x", "added": "+", "fcc": ""}[self.of]
        number = f"{self.limit:g}{self.unit}"
        return f"<= {number}x" if sign == "x" else f"<= {sign}{number}"


class Figure(msgspec.Struct):
    """Something measured several times, for another gateway and for fcc in turn."""

    name: str
    unit: str
    goals: tuple[Goal, ...] = ()
    digits: int = 1
    other: str = "pass"
    """Which: the pass-through, or `off`, fcc with observe = false."""
    beside: list[float] = []
    """The other's, one for each round; empty where it has none."""
    fcc: list[float] = []
    reads: dict[str, list[float]] = {}
    """How often the client had something to read for each chunk, by gateway: far below 1 on a
    machine too busy to keep the pace, where figures of paced streams flatter both."""

    @property
    def ratios(self) -> list[float]:
        """Of the two of each round, which had the same neighbours."""
        return [ours / theirs for ours, theirs in zip(self.fcc, self.beside, strict=False)]

    def value(self, of: str) -> float:
        """The median of what a goal speaks of."""
        if of == "fcc":
            return median(self.fcc)
        if of == "ratio":
            return median(self.ratios)
        return median([ours - theirs for ours, theirs in zip(self.fcc, self.beside, strict=True)])

    def row(self) -> tuple[str, ...]:
        """Its cells."""
        missed = [goal for goal in self.goals if self.value(goal.of) > goal.limit]
        ratios = self.ratios
        return (
            self.name,
            self.unit,
            f"{median(self.beside):.{self.digits}f}" if self.beside else "-",
            f"{median(self.fcc):.{self.digits}f}",
            _range(self.fcc, self.digits),
            f"{median(ratios):.2f}x" if ratios else "-",
            _range(ratios, 2) if ratios else "-",
            ", ".join(goal.words for goal in self.goals) or "-",
            "MISSED" if missed else ("ok" if self.goals else ""),
            ", ".join(f"{name} {median(reads):.2f}" for name, reads in self.reads.items()),
        )


def shown(figures: Sequence[Figure]) -> str:
    """The tables."""
    measured = [figure for figure in figures if figure.fcc]
    others = dict.fromkeys(figure.other for figure in measured)
    tables = ([one for one in measured if one.other == other] for other in others)
    return "\n\n".join("\n".join(_lines(table)) for table in tables)


def _lines(figures: Sequence[Figure]) -> Iterator[str]:
    headings = tuple(heading.format(figures[0].other) for heading in _HEADINGS)
    rows = [headings, *(figure.row() for figure in figures)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.ljust(width) if place in (0, 1, 7, 8, 9) else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


def _range(values: Sequence[float], digits: int) -> str:
    return f"{min(values):.{digits}f}..{max(values):.{digits}f}"
