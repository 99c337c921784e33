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

from fcc.translate.reply.extent import Extent

__all__ = ["ArgumentStream", "Mend", "is_object"]

Mend = Callable[[str], tuple[str, str] | None]
"""Broken arguments -> the mended JSON object and the repair's name; None where none is safe."""

_TRAILING_COMMA = re.compile(r",\s*[}\]]")
_OPEN_COMMA = re.compile(r",\s*\Z")
_BEGIN = re.compile(r'\s*(?:\{\s*(?:["}]|\Z)|\Z)')
"""How JSON arguments can begin: an object, then a key or its end."""


class ArgumentStream:
    """`feed(fragment) -> text to pass on`; `finish(clean) -> (rest, whether it is an object)`."""

    __slots__ = ("_after", "_extent", "_fragments", "_held", "_live", "_odd", "_said", "_size",
                 "repair")  # fmt: skip

    def __init__(self, *, live: bool) -> None:
        self._live = live
        self._odd = False
        self._extent = Extent()
        self._fragments: list[str] = []
        self._size = 0
        self._held = ""
        self._said: list[str] = []
        self._after: list[str] = []
        self.repair = ""
        """What had to be done to them, by name."""

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
        if self._extent.whole and not self._said and not is_object(self._text() + fragment[:end]):
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
        for reading, repair in self._readings(text.strip(), mend, clean=clean):
            if reading.startswith(said.lstrip()):
                self.repair = repair
                return reading[len(said.lstrip()) :], True
        return text[len(said) :], False

    def _readings(self, text: str, mend: Mend, *, clean: bool) -> Iterator[tuple[str, str]]:
        """What the fragments may mean, the likeliest first, each with the repair's name."""
        if not text and clean:
            yield "{}", ""
        if is_object(text):
            yield text, ""
        if last := _cumulative([fragment for fragment in self._fragments if fragment.strip()]):
            yield last, "cumulative"
        if copy := _one_copy(text):
            yield copy, "repeated"
        if text and clean and (mended := mend(text)):
            yield mended

    def further(self) -> list[str]:
        """Objects that followed the whole one and differ from it: calls of their own.

        GPT-5.4 through proxies sends several under one index (open-webui#22235).
        """
        rest = "".join(self._after).strip()
        if not rest:
            return []
        own, objects = _value(self._text()), _objects(rest)
        others = [text for text in objects if _value(text) != own]
        if len(others) < len(objects):
            self.repair = "repeated"
        return others


def _value(text: str) -> object:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return None


def is_object(text: str) -> bool:
    return text.startswith("{") and isinstance(_value(text), dict)


def _cumulative(fragments: list[str]) -> str | None:
    """The last fragment, where each begins with the one before it."""
    if len(fragments) < 2:
        return None
    growing = all(later.startswith(earlier) for earlier, later in pairwise(fragments))
    if growing and is_object(fragments[-1]):
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
        if not end or not is_object(text[:end]):
            return []
        found.append(text[:end])
        text = text[end:].strip()
    return found
