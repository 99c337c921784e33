"""What may go out of an answer's text at once, and where does a call begin?"""

import re

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.dialect import Dialect
from fcc.translate.dialects.markdown import Markdown
from fcc.translate.dialects.openings import Openings
from fcc.translate.dialects.tape import Tape
from fcc.translate.pieces import Text

__all__ = ["Prose"]

_BLANKS = re.compile(r"\s*")


class Prose:
    """Text outside of calls."""

    def __init__(self, openings: Openings, calls: Calls) -> None:
        self._openings = openings
        self._calls = calls
        self.markdown = Markdown()
        self._skip = 0
        """Characters at the tape's position that begin no call."""
        self._sentinels = set(openings.sentinels)
        self._results: set[str] = set()
        self._quiet = True
        """Nothing but white space came since the beginning or the last call."""
        self._muted = False
        """The model goes on with a result that it made up: the rest is fiction."""

    @property
    def steady(self) -> bool:
        """Whether text without a marker's first character can pass by `markdown.advance_plain`."""
        return self.markdown.steady and not self._muted and not self._quiet

    def blanks(self, tape: Tape) -> None:
        """Says the white space at the tape's position."""
        match = _BLANKS.match(tape.text, tape.at)
        assert match is not None  # an empty match is one
        tape.at = match.end()
        self.markdown.advance(match[0])
        self._calls.say(Text, match[0])

    def at_tag(self, opening: str) -> bool:
        """Whether `opening` is a tag and first on its line: nobody talks about it there."""
        return opening[:1] == "<" and self.markdown.line_start()

    def refuse(self, tape: Tape, opening: str) -> None:
        """The `opening` that stands here begins no call: it is text, or a stray token."""
        if opening in self._sentinels:
            tape.at += len(opening)
            tape.commit()
        else:
            self._skip = min(1, len(opening))

    def refuse_all(self, tape: Tape) -> None:
        """All that is on the tape is text."""
        self._skip = len(tape.text) - tape.at

    def after(self, dialect: Dialect) -> None:
        """A call or a channel of `dialect` has been read."""
        self._sentinels.update(dialect.sentinels)
        self._results.update(dialect.results)
        self._quiet = True
        self.markdown.reset_line()

    def read(self, tape: Tape) -> str:
        """Says all that is prose; returns the opening at which it stopped, or ""."""
        if self._muted:
            tape.rest()
            return ""
        said: list[str] = []
        opening = self._read(tape, said)
        self._calls.say(Text, "".join(said))
        return opening

    def _read(self, tape: Tape, said: list[str]) -> str:
        text, openings = tape.text, self._openings
        start = tape.at + self._skip
        self._skip = 0
        while True:
            match = openings.markers.search(text, start)
            if match is not None:
                end = match.start()
            else:
                end = len(text) if tape.ended else openings.held(text, start)
            self._say(text[tape.at : end], said)
            tape.at = end
            if match is None:
                return ""
            marker, start = match[0], match.end()
            if self.markdown.in_code():
                continue
            if marker in openings.dialects:
                return marker
            if marker in self._sentinels:
                tape.at = start
            elif marker in self._results and self._quiet:
                self._muted = True
                tape.at = len(text)
                return ""

    def _say(self, text: str, said: list[str]) -> None:
        if not text:
            return
        said.append(text)
        self.markdown.advance(text)
        if self._quiet and not text.isspace():
            self._speak()

    def _speak(self) -> None:
        self._quiet = False
        if not self._calls.in_channels:
            self._calls.may_speak = False
