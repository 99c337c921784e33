"""With what does a call begin, for a set of dialects?"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from fcc.translate.dialects.dialect import Grammar
from fcc.translate.dialects.table import DEFAULT, DIALECTS
from fcc.translate.dialects.xml_calls import XmlCalls

__all__ = ["Openings", "attempts", "openings"]


class Openings(msgspec.Struct, frozen=True):
    """What a scanner looks for in prose, compiled once for each set of dialects."""

    candidate: re.Pattern[str]
    """Finds the first two characters of a marker, its first at the end, or a run of backticks."""
    markers: re.Pattern[str]
    """Finds openings, sentinels and made-up results."""
    first: re.Pattern[str]
    """Finds a character that may begin one."""
    prefixes: frozenset[str]
    """Every beginning of every marker."""
    longest: int
    dialects: dict[str, tuple[str, ...]]
    """Opening -> names of the dialects that begin so."""
    whole: dict[str, tuple[str, ...]]
    """First character -> names of the dialects that are the whole answer and may begin so."""
    bare: tuple[str, ...]
    """Names of those that begin with a tool's name."""
    sentinels: frozenset[str]
    """Left out from the beginning, as the model is known to have them."""

    def held(self, text: str, at: int) -> int:
        """Where the longest end of `text` starts that may begin a marker; else its length."""
        start = max(at, len(text) - self.longest + 1)
        while (match := self.first.search(text, start)) is not None:
            start = match.start()
            if text[start:] in self.prefixes:
                return start
            start += 1
        return len(text)


def _candidate(markers: Iterable[str]) -> re.Pattern[str]:
    """One class of characters to skip by, then what may follow each of them."""
    seconds: dict[str, set[str]] = {}
    for marker in markers:
        seconds.setdefault(marker[0], set()).add(marker[1:2])
    alone = "".join(first for first, following in seconds.items() if "" in following)
    pairs = (
        f"|(?<={re.escape(first)})[{re.escape(''.join(following))}]"
        for first, following in sorted(seconds.items())
        if "" not in following
    )
    firsts = re.escape("".join(sorted(seconds)))
    return re.compile(rf"[{firsts}`~](?:(?<=[{re.escape(alone)}`~])|\Z{''.join(pairs)})")


@lru_cache(maxsize=64)
def openings(names: tuple[str, ...]) -> Openings:
    """The openings of the dialects `names`.

    Raises: KeyError, where there is no such dialect
    """
    known = [name for name in dict.fromkeys(names) if name != "default"]
    if "default" in names:
        known += [name for name in DEFAULT if name not in known]
    order = {name: place for place, name in enumerate(DIALECTS)}
    known.sort(key=order.__getitem__)
    by_opening: dict[str, tuple[str, ...]] = {}
    markers: set[str] = set()
    for name in known:
        dialect = DIALECTS[name]
        markers.update(dialect.sentinels, dialect.results)
        if not dialect.whole:
            for opening in dialect.opens:
                by_opening[opening] = (*by_opening.get(opening, ()), name)
    markers.update(by_opening)
    if not markers:
        markers.add("\0")
    firsts = "".join(sorted({marker[0] for marker in markers}))
    ordered = sorted(markers, key=len, reverse=True)
    return Openings(
        candidate=_candidate(markers),
        markers=re.compile("|".join(map(re.escape, ordered))),
        first=re.compile(f"[{re.escape(firsts)}]"),
        prefixes=frozenset(marker[:end] for marker in markers for end in range(1, len(marker))),
        longest=max(map(len, ordered)),
        dialects=by_opening,
        whole=_whole(known),
        bare=tuple(name for name in known if DIALECTS[name].whole and not DIALECTS[name].opens),
        sentinels=_known_sentinels(known),
    )


def _whole(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    by_first: dict[str, tuple[str, ...]] = {}
    for name in names:
        dialect = DIALECTS[name]
        for first in sorted({opening[0] for opening in dialect.opens} if dialect.whole else ()):
            by_first[first] = (*by_first.get(first, ()), name)
    return by_first


def _known_sentinels(names: Sequence[str]) -> frozenset[str]:
    """Those of dialects that a profile names itself; "default" says nothing about the model."""
    if set(names) >= set(DEFAULT):
        return SEED_SENTINELS
    return frozenset(token for name in names for token in DIALECTS[name].sentinels)


SEED_SENTINELS = frozenset(DIALECTS["seed"].sentinels)
"""A token that only ever leaks."""


def attempts(name: str) -> tuple[Grammar, ...]:
    """The ways of reading a dialect, the likelier first."""
    grammar = DIALECTS[name].grammar
    if isinstance(grammar, XmlCalls) and grammar.nested:
        return grammar, msgspec.structs.replace(grammar, nested=False)
    return (grammar,)
