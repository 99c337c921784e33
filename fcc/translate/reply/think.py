"""Reasoning in the content channel: `<think>` tags, in any cut.

A tag counts at the very start of the content only (white space before it allowed): in the middle
of an answer it is something that the answer talks about. Two profile switches differ:
`implicit_think_open` for templates that open the tag themselves, and `think_anywhere`.

    START --tag--> INSIDE --closing tag--> TEXT
      `--anything else--> TEXT (--tag--> INSIDE, under think_anywhere)
"""

import re
from collections.abc import Sequence
from enum import Enum, auto
from functools import lru_cache

from fcc.translate.pieces import Piece, Reasoning, Text

__all__ = ["MAX_HELD", "MAX_START", "ThinkSplitter"]

MAX_START = 4096
"""Characters of white space, at the start, after which no tag is waited for."""

MAX_HELD = 512 * 1024
"""Characters held under `implicit_think_open` while no closing tag comes."""


_LETTERS = re.IGNORECASE | re.ASCII


class _Phase(Enum):
    START = auto()
    INSIDE = auto()
    TEXT = auto()
    IMPLICIT = auto()


class _Tags:
    """What to look for, compiled once for each set of tags."""

    def __init__(self, tags: tuple[str, ...]) -> None:
        names = "|".join(map(re.escape, tags))
        self.open = re.compile(rf"<({names})>", _LETTERS) if tags else None
        self.closers = {tag: re.compile(rf"</{re.escape(tag)}>", _LETTERS) for tag in tags}
        self.any_close = re.compile(rf"</({names})>", _LETTERS)
        self.longest = max(map(len, tags), default=0) + 3


_tags = lru_cache(maxsize=64)(_Tags)


class ThinkSplitter:
    """`feed(text) -> Text | Reasoning`; `finish(truncated)` gives what is held."""

    def __init__(
        self, tags: Sequence[str], *, implicit_open: bool = False, anywhere: bool = False
    ) -> None:
        known = _tags(tuple(tag.lower() for tag in tags))
        self._open = known.open
        self._closers = known.closers
        self._any_close = known.any_close
        self._longest = known.longest
        self._anywhere = anywhere
        self._held: list[str] = []
        self._size = 0
        self._tag = ""
        self._tail = ""
        self._trim = False
        self._phase = _Phase.START if tags else _Phase.TEXT
        if tags and implicit_open:
            self._phase = _Phase.IMPLICIT

    @property
    def idle(self) -> bool:
        """Whether everything fed passes through as it is."""
        return self._phase is _Phase.TEXT and not (self._anywhere or self._trim or self._held)

    def release(self) -> list[Piece]:
        """The provider reasons in a field of its own: from here on all content is text."""
        held = self._take()
        inside = self._phase is _Phase.INSIDE
        self._phase, self._anywhere = _Phase.TEXT, False
        return [Reasoning(held) if inside else Text(held)] if held else []

    def feed(self, text: str) -> list[Piece]:
        """The pieces that are certain by now."""
        pieces: list[Piece] = []
        rest: str | None = text
        while rest:
            rest = self._step(rest, pieces)
        return pieces

    def finish(self, *, truncated: bool = False) -> list[Piece]:
        """What is held, at the end. Truncated: the answer was cut by its length limit."""
        held = self._take()
        if not held:
            return []
        reasoning = self._phase is _Phase.INSIDE or (self._phase is _Phase.IMPLICIT and truncated)
        return [Reasoning(held) if reasoning else Text(held)]

    def _step(self, text: str, pieces: list[Piece]) -> str | None:
        """Consume `text` in the present phase; what is left is for the next one."""
        match self._phase:
            case _Phase.START:
                return self._at_start(text)
            case _Phase.INSIDE:
                return self._inside(text, pieces)
            case _Phase.IMPLICIT:
                return self._implicit(text, pieces)
            case _Phase.TEXT:
                return self._in_text(text, pieces)

    def _at_start(self, text: str) -> str | None:
        text = self._take() + text
        bare = text.lstrip()
        found = self._open.match(bare) if self._open else None
        if found:
            return self._enter(found, bare)
        if len(text) < MAX_START and (not bare or self._may_open(bare)):
            self._hold(text)
            return None
        self._phase = _Phase.TEXT
        return text

    def _may_open(self, text: str) -> bool:
        lowered = text.lower()
        return any(f"<{tag}>".startswith(lowered) for tag in self._closers)

    def _enter(self, found: re.Match[str], text: str) -> str:
        self._phase, self._tag, self._trim = _Phase.INSIDE, found.group(1).lower(), True
        return text[found.end() :]

    def _inside(self, text: str, pieces: list[Piece]) -> str | None:
        text = self._trimmed(self._take() + text)
        found = self._closers[self._tag].search(text)
        if found:
            if found.start():
                pieces.append(Reasoning(text[: found.start()]))
            self._phase, self._trim = _Phase.TEXT, True
            return text[found.end() :]
        said = self._but_prefix(text, f"</{self._tag}>")
        if said:
            pieces.append(Reasoning(said))
        return None

    def _implicit(self, text: str, pieces: list[Piece]) -> str | None:
        near = self._tail + text
        self._tail = near[-self._longest :]
        found = self._any_close.search(near)
        if found:
            text = self._take() + text
            found = self._any_close.search(text, len(text) - len(near))
        if found:
            thinking = text[: found.start()].lstrip()
            opened = self._open.match(thinking) if self._open else None
            thinking = thinking[opened.end() :] if opened else thinking
            if thinking:
                pieces.append(Reasoning(thinking))
            self._phase, self._trim = _Phase.TEXT, True
            return text[found.end() :]
        self._hold(text)
        if self._size > MAX_HELD:
            pieces.append(Reasoning(self._take()))
            self._phase, self._tag = _Phase.INSIDE, next(iter(self._closers))
        return None

    def _in_text(self, text: str, pieces: list[Piece]) -> str | None:
        text = self._trimmed(self._take() + text)
        found = self._open.search(text) if self._anywhere and self._open else None
        if found:
            if found.start():
                pieces.append(Text(text[: found.start()]))
            return self._enter(found, text)
        if self._anywhere:
            text = self._but_prefix(text, *(f"<{tag}>" for tag in self._closers))
        if text:
            pieces.append(Text(text))
        return None

    def _trimmed(self, text: str) -> str:
        """Without the line ends that templates put around a tag."""
        if self._trim:
            text = text.lstrip("\r\n")
            self._trim = not text
        return text

    def _but_prefix(self, text: str, *markers: str) -> str:
        """`text` without the longest suffix that could begin a marker; that one is held."""
        at = text.rfind("<", max(0, len(text) - self._longest))
        if at >= 0 and any(marker.startswith(text[at:].lower()) for marker in markers):
            self._hold(text[at:])
            return text[:at]
        return text

    def _hold(self, text: str) -> None:
        self._held.append(text)
        self._size += len(text)

    def _take(self) -> str:
        held = "".join(self._held)
        self._held, self._size = [], 0
        return held
