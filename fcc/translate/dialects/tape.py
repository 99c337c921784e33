"""How a grammar reads text that arrives in any cut, and how it takes that back.

A grammar is a generator. It yields where it needs more text and raises MismatchError where the
text is no call; the tape then winds back to the last commit. What waits in `text` while a grammar
waits is shorter than a marker, so every character is looked at a fixed number of times.
"""

import re
from collections.abc import Generator
from functools import lru_cache
from typing import TypeAlias, TypeVar

__all__ = ["MismatchError", "Reading", "Tape", "begins"]

_T = TypeVar("_T")
Reading: TypeAlias = Generator[None, None, _T]
"""Yields where more text is needed; returns what was read."""

MAX_HEADER = 256
"""Characters of a tag's inside or of a name. Names are at most 128 long at every vendor."""
MAX_DEPTH = 128
"""Nested brackets; decoders recurse and give up at about 1000."""
_BLANKS = re.compile(r"\s*")
_WORD = re.compile(r"[\w.\-:/]*")
_PLAIN = re.compile(r"[\s\w,:+\-.]*")
_PYTHON_PLAIN = re.compile(r"[\s\w,:+\-.=*]*")
_CLOSER = {"{": "}", "[": "]", "(": ")"}
_IN_STRING = {quote: re.compile(rf"[^{quote[0]}\\]*") for quote in ('"', "'")}


class MismatchError(Exception):
    """What was read is no call after all."""


@lru_cache(maxsize=256)
def _alternatives(literals: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile("|".join(map(re.escape, literals)))


def begins(text: str, at: int, literal: str) -> int:
    """Where the longest end of `text` starts that `literal` may go on from; else its length."""
    start = max(at, len(text) - len(literal) + 1)
    while (start := text.find(literal[0], start)) >= 0:
        if literal.startswith(text[start:]):
            return start
        start += 1
    return len(text)


class Tape:
    """Text in any cut, read once from left to right."""

    __slots__ = ("_mark", "_taken", "at", "certain", "ended", "text")

    def __init__(self) -> None:
        self.text = ""
        self.at = 0
        self.ended = False
        """The answer ended, and cleanly: no more text comes."""
        self.certain = False
        """What is being read is a call, finished or not."""
        self._mark = 0
        self._taken: list[str] = []

    def feed(self, text: str) -> None:
        """Adds text at the end."""
        if self.at > self._mark:
            self._taken.append(self.text[self._mark : self.at])
        self.text = self.text[self.at :] + text
        self.at = self._mark = 0

    def commit(self) -> None:
        """What was read so far is used up."""
        self._taken.clear()
        self._mark = self.at

    def rewind(self) -> int:
        """Back to the last commit; says how many characters were given back."""
        at = self.at - self._mark + sum(map(len, self._taken))
        if self._taken:
            self.text = "".join(self._taken) + self.text[self._mark :]
            self._taken.clear()
            self._mark = 0
        self.at = self._mark
        return at

    def unread(self, text: str) -> None:
        """Puts `text` back in front; for use right after a commit."""
        self.text = text + self.text[self.at :]
        self.at = self._mark = 0

    def rest(self) -> str:
        """Everything since the last commit, taken off the tape."""
        self.rewind()
        rest, self.text, self.at, self._mark = self.text[self.at :], "", 0, 0
        return rest

    def option(self, *literals: str) -> Reading[str]:
        """The first of `literals` that stands here, read; or "" and nothing read.

        Where one begins another, the longer one comes first.
        """
        while True:
            for literal in literals:
                if self.text.startswith(literal, self.at):
                    self.at += len(literal)
                    return literal
                if self._may_become(literal):
                    break
            else:
                return ""
            yield

    def _may_become(self, literal: str) -> bool:
        """Whether more text may make this `literal`."""
        missing = len(literal) - (len(self.text) - self.at)
        return missing > 0 and not self.ended and literal.startswith(self.text[self.at :])

    def literal(self, *literals: str) -> Reading[str]:
        """The one of `literals` that must stand here."""
        found = yield from self.option(*literals)
        if not found:
            raise MismatchError
        return found

    def ahead(self, *literals: str) -> Reading[bool]:
        """Whether one of `literals` stands here; nothing is read."""
        found = yield from self.option(*literals)
        self.at -= len(found)
        return found != ""

    def peek(self) -> Reading[str]:
        """The next character, not read; "" at the end."""
        while self.at == len(self.text) and not self.ended:
            yield
        return self.text[self.at : self.at + 1]

    def blanks(self) -> Reading[str]:
        """White space, as much as there is."""
        return (yield from self._run(_BLANKS, None))

    def word(self) -> Reading[str]:
        """A tool's name, to where it ends."""
        word = yield from self._run(_WORD, MAX_HEADER)
        if not word:
            raise MismatchError
        return word

    def _run(self, pattern: re.Pattern[str], limit: int | None) -> Reading[str]:
        parts: list[str] = []
        length = 0
        while True:
            match = pattern.match(self.text, self.at)
            assert match is not None  # an empty match is one
            parts.append(match[0])
            length += len(match[0])
            self.at = match.end()
            if limit is not None and length > limit:
                raise MismatchError
            if self.at < len(self.text) or self.ended:
                return "".join(parts)
            yield

    def header(self, end: str) -> Reading[str]:
        """The inside of a tag up to `end`, on one line."""
        while True:
            found = self.text.find(end, self.at, self.at + MAX_HEADER)
            inside = self.text[self.at : found if found >= 0 else self.at + MAX_HEADER]
            if "\n" in inside or (found < 0 and (self.ended or len(inside) == MAX_HEADER)):
                raise MismatchError
            if found >= 0:
                self.at = found + len(end)
                return inside
            yield

    def until(self, *closes: str) -> Reading[tuple[str, str]]:
        """Text up to the first of `closes`, and which one that is; "" where the answer ends."""
        pattern = _alternatives(closes)
        parts: list[str] = []
        while True:
            match = pattern.search(self.text, self.at)
            if match is not None:
                parts.append(self.text[self.at : match.start()])
                self.at = match.end()
                return "".join(parts), match[0]
            end = len(self.text)
            if not self.ended:
                end = min(begins(self.text, self.at, close) for close in closes)
            parts.append(self.text[self.at : end])
            self.at = end
            if self.ended:
                return "".join(parts), ""
            yield

    def brackets(self, *, python: bool = False) -> Reading[tuple[str, bool]]:
        """A bracketed value with its strings, and whether every bracket was closed.

        It ends early at a character that can stand in no such value. A string that is open at
        the end of the answer is a mismatch: nothing may guess the rest of it.
        """
        plain = _PYTHON_PLAIN if python else _PLAIN
        parts: list[str] = []
        open_brackets: list[str] = []
        while True:
            parts.append((yield from self._run(plain, None)))
            char = self.text[self.at : self.at + 1]
            if char in {'"', "'"} and char:
                parts.append((yield from self._string(char, python=python)))
                continue
            if char in _CLOSER and len(open_brackets) < MAX_DEPTH:
                open_brackets.append(_CLOSER[char])
            elif open_brackets and char == open_brackets[-1]:
                open_brackets.pop()
            else:
                return "".join(parts), False
            parts.append(char)
            self.at += 1
            if not open_brackets:
                return "".join(parts), True

    def _string(self, quote: str, *, python: bool) -> Reading[str]:
        triple = (yield from self.option(quote * 3)) if python else ""
        if triple:
            return (yield from self._triple(triple))
        parts = [quote]
        self.at += 1
        while True:
            inside = yield from self._run(_IN_STRING[quote], None)
            if self.at == len(self.text):
                raise MismatchError
            length = 2 if self.text[self.at] == "\\" else 1
            while self.at + length > len(self.text):
                if self.ended:
                    raise MismatchError
                yield
            parts += (inside, self.text[self.at : self.at + length])
            self.at += length
            if length == 1:
                return "".join(parts)

    def _triple(self, quote: str) -> Reading[str]:
        parts = [quote]
        while True:
            inside, closed = yield from self.until(quote)
            if not closed:
                raise MismatchError
            parts += (inside, quote)
            if not inside.endswith("\\"):
                return "".join(parts)
