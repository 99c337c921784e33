"""What is the smallest input that still fails in the same way?"""

import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

__all__ = ["shrunk"]

_PATIENCE: Final = 10.0
"""Seconds."""


def shrunk(given: Any, fails: Callable[[Any], bool]) -> Any:
    """`given` with all left out that the failure does not need: by halves, then by less."""
    until = time.monotonic() + _PATIENCE
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(given):
            if time.monotonic() > until:
                return given
            if fails(candidate):
                given, smaller = candidate, True
                break
    return given


_Sequence = TypeVar("_Sequence", bytes, str, list[Any])


def _halved(given: _Sequence) -> Iterator[_Sequence]:
    size = len(given)
    while size := size // 2:
        for at in range(0, len(given), size):
            yield given[:at] + given[at + size :]
    if len(given) == 1:
        yield given[:0]


def _smaller(given: Any) -> Iterator[Any]:
    """All that is a little less, the least of it first."""
    match given:
        case bytes():
            yield from _halved(given)
        case str():
            yield from _halved(given)
        case list():
            yield from _halved(given)
        case dict():
            for key in given:
                yield {name: part for name, part in given.items() if name != key}
        case _:
            return
    if isinstance(given, list | dict):
        keys = list(given) if isinstance(given, dict) else range(len(given))
        for key in keys:
            for part in _smaller(given[key]):
                less = given.copy()
                less[key] = part
                yield less
