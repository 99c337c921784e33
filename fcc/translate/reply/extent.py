"""Where does a JSON object that comes in fragments end?"""

import re

__all__ = ["Extent"]

_STRUCTURE = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'["\\]')
_COMMA_OR_STRING = re.compile(r'"|\\.|,\s*[}\]]', re.DOTALL)


class Extent:
    """Where a JSON object that comes in fragments ends. Linear, keeps no text."""

    __slots__ = ("_depth", "_escaped", "_string", "whole")

    def __init__(self) -> None:
        self._depth = 0
        self._escaped = False
        self._string = False
        self.whole = False
        """Whether the object has been closed."""

    @property
    def in_string(self) -> bool:
        """Whether the text so far ends inside a string."""
        return self._string

    def feed(self, text: str) -> int:
        """How many characters of `text` belong to the object; all of them unless it ends."""
        at = 0
        if self._escaped and text:
            at, self._escaped = 1, False
        while not self.whole:
            found = (_IN_STRING if self._string else _STRUCTURE).search(text, at)
            if found is None:
                return len(text)
            at = self._step(found.group(), found.end(), len(text))
        return at

    def trailing_comma(self, text: str) -> bool:
        """Whether, in the `text` that comes next, a comma outside strings ends an object."""
        string, at = self._string, 1 if self._escaped else 0
        for found in _COMMA_OR_STRING.finditer(text, at):
            if found.group() == '"':
                string = not string
            elif found.group().startswith(",") and not string:
                return True
        return False

    def _step(self, mark: str, at: int, size: int) -> int:
        if mark == "\\":
            self._escaped = at >= size
            return at + 1
        if mark == '"':
            self._string = not self._string
        elif mark in "{[":
            self._depth += 1
        else:
            self._depth -= 1
            self.whole = self._depth <= 0
        return at
