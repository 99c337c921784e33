"""A regular expression that is compiled when it is first needed.

Most of what is known of errors is needed for none of them: compiling all of it would be a tenth of
every start.
"""

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

__all__ = ["Pattern"]

_Found = re.Match[str] | None


class Pattern:
    """As `re.Pattern[str]`, for the methods it has."""

    def __init__(self, text: str, flags: int = 0) -> None:
        self._text = text
        self._flags = flags

    @cached_property
    def search(self) -> Callable[..., _Found]:
        """The first place that fits."""
        return self._compiled.search

    @cached_property
    def match(self) -> Callable[..., _Found]:
        """What fits at the beginning."""
        return self._compiled.match

    @cached_property
    def fullmatch(self) -> Callable[..., _Found]:
        """Whether all of it fits."""
        return self._compiled.fullmatch

    @cached_property
    def findall(self) -> Callable[..., list[Any]]:
        """The texts, or the groups, of all places that fit."""
        return self._compiled.findall

    @cached_property
    def finditer(self) -> Callable[..., Iterator[re.Match[str]]]:
        """All places that fit."""
        return self._compiled.finditer

    @cached_property
    def sub(self) -> Callable[..., str]:
        """The text with what fits replaced."""
        return self._compiled.sub

    @property
    def _compiled(self) -> re.Pattern[str]:
        # `re` keeps what it has compiled.
        return re.compile(self._text, self._flags)
