"""One call's arguments: fragments as they come -> JSON text that can be streamed.

Most providers send well-formed increments, and these are passed on as they come. As soon as
something is odd (cumulative or doubled fragments, Python literals, a trailing comma, a JSON
string around the object) the rest is held until the call ends and is decided as a whole; what
had been passed on by then is a prefix of every reading of it.
Cumulative fragments: hermes-agent#35718. The same arguments twice: opencode#17339.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import msgspec

__all__ = ["ArgumentStream", "Extent", "Mend"]

Mend = Callable[[str], str | None]
"""Broken arguments -> the mended JSON object, or None where that is not safe."""

_STRUCTURE = re.compile(r'["{}\[\]]')
_IN_STRING = re.compile(r'["\\]')
_TRAILING_COMMA = re.compile(r",\s*[}\]]")
_COMMA_OR_STRING = re.compile(r'"|\\.|,\s*[}\]]', re.DOTALL)
_OPEN_COMMA = re.compile(r",\s*\Z")
_BEGIN = re.compile(r'\s*(?:\{\s*(?:["}]|\Z)|\Z)')
"""How JSON arguments can begin: an object, then a key or its end."""


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


class ArgumentStream:
    """`feed(fragment) -> text to pass on`; `finish(clean) -> (rest, whether it is an object)`."""

    __slots__ = ("_after", "_extent", "_fragments", "_held", "_live", "_odd", "_said", "_size")

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._odd = False
        self._extent = Extent()
        self._fragments: list[str] = []
        self._size = 0
        self._held = ""
        self._said: list[str] = []
        self._after: list[str] = []

    @property
    def started(self) -> bool:
        """Whether anything but white space has come."""
        return self._size > 0

    @property
    def closed(self) -> bool:
        """Whether the text so far is one closed object."""
        return self._extent.whole

    @property
    def whole(self) -> bool:
        """Whether the arguments are closed and have been passed on in full."""
        return self._extent.whole and not self._odd and not self._held

    def said(self) -> str:
        """All that has been passed on."""
        return "".join(self._said)

    def feed(self, fragment: str) -> str:
        """What of the arguments can be passed on by now."""
        if not fragment or (not self._size and fragment.isspace()):
            return ""
        if self._held.strip() == "{}" and not fragment.isspace():
            # Some servers open a call with "{}" as a placeholder before its real arguments.
            self._restart()
        if self._extent.whole and not self._odd:
            self._after.append(fragment)
            return ""
        self._odd = self._odd or self._is_odd(fragment)
        end = self._extent.feed(fragment)
        if self._extent.whole and not self._said and not _object(self._text() + fragment[:end]):
            # Closed, and no JSON all the same: nothing has been said, so it can be mended.
            self._odd = True
        if not self._odd and self._extent.whole:
            self._after.append(fragment[end:])
            fragment = fragment[:end]
        self._fragments.append(fragment)
        self._size += len(fragment)
        return "" if self._odd else self._pass_on(fragment)

    def _restart(self) -> None:
        self._extent = Extent()
        self._fragments = []
        self._size = 0
        self._held = ""

    def _is_odd(self, fragment: str) -> bool:
        """Whether the fragment can't be the next increment of a JSON object."""
        if self._size <= 2 and not _BEGIN.match((self._text() + fragment)[:64]):
            return True
        if len(fragment) >= self._size > 0 and fragment.startswith(self._text()):
            return True
        text = self._held + fragment
        return _TRAILING_COMMA.search(text) is not None and self._extent.trailing_comma(text)

    def _pass_on(self, fragment: str) -> str:
        if not self._live and not self._extent.whole:
            return ""
        text = self._held + fragment if self._live else self._text()
        self._held = ""
        if not self._said and text.strip() == "{}":
            self._held = text
            return ""
        comma = None if self._extent.in_string else _OPEN_COMMA.search(text)
        if comma:
            text, self._held = text[: comma.start()], comma.group()
        self._said.append(text)
        return text

    def _text(self) -> str:
        return "".join(self._fragments)

    def finish(self, mend: Mend, *, clean: bool) -> tuple[str, bool]:
        """The rest to pass on, and whether the arguments are one JSON object.

        Arguments that no reading makes a JSON object come out as they are. Not clean: they were
        cut, and are only an object if they had been closed by then.
        """
        if self.whole:
            return "", True
        said, text = self.said(), self._text()
        for reading in self._readings(text.strip(), mend, clean=clean):
            if reading is not None and reading.startswith(said.lstrip()):
                return reading[len(said.lstrip()) :], True
        return text[len(said) :], False

    def _readings(self, text: str, mend: Mend, *, clean: bool) -> Iterator[str | None]:
        """What the fragments may mean, the likeliest first; None where one does not apply."""
        if not text:
            yield "{}" if clean else None
            return
        yield text if _object(text) else None
        yield _cumulative([fragment for fragment in self._fragments if fragment.strip()])
        yield _one_copy(text)
        if clean:
            yield mend(text)

    def further(self) -> list[str]:
        """Objects that followed the whole one and differ from it: calls of their own.

        GPT-5.4 through proxies sends several under one index (open-webui#22235).
        """
        rest = "".join(self._after).strip()
        if not rest:
            return []
        own = _value(self._text())
        return [text for text in _objects(rest) if _value(text) != own]


def _value(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def _object(text: str) -> bool:
    return text.startswith("{") and isinstance(_value(text), dict)


def _cumulative(fragments: list[str]) -> str | None:
    """The last fragment, where each begins with the one before it."""
    if len(fragments) < 2:
        return None
    growing = all(later.startswith(earlier) for earlier, later in pairwise(fragments))
    if growing and _object(fragments[-1]):
        return fragments[-1]
    return None


def _one_copy(text: str) -> str | None:
    """The object of which `text` is two or more identical copies."""
    objects = _objects(text)
    if len(objects) > 1 and all(item == objects[0] for item in objects):
        return objects[0]
    return None


def _objects(text: str) -> list[str]:
    """The JSON objects that stand one after the other in `text`; [] where anything else does."""
    found = []
    while text:
        extent = Extent()
        end = extent.feed(text) if text.startswith("{") else 0
        if not end or not _object(text[:end]):
            return []
        found.append(text[:end])
        text = text[end:].strip()
    return found
