"""Where in an answer's text is a tool call, and what is left of the text?

    HEAD --only white space so far--> HEAD
    HEAD --anything that may begin a whole-answer form--> READING --no call--> PROSE
    PROSE --a dialect's opening, not in code--> READING --a call, or none--> PROSE

Prose goes out at once but for the longest end that may begin an opening.
"""

from collections.abc import Iterator, Sequence

from fcc.translate.dialects.calls import Calls
from fcc.translate.dialects.dialect import Grammar
from fcc.translate.dialects.openings import attempts, openings
from fcc.translate.dialects.prose import Prose
from fcc.translate.dialects.table import DIALECTS
from fcc.translate.dialects.tape import MismatchError, Reading, Tape
from fcc.translate.pieces import Piece, Text
from fcc.translate.tools import DeclaredTool

__all__ = ["Scanner"]

CREDIT = 1 << 16
"""Characters that may be read again after long attempts, beyond twice what came: text made of
unfinished calls must not cost the square of its length."""
LONG_ATTEMPT = 512
"""Characters of an attempt that count as long."""

MANY = 64
"""Chunks that are taken note of together: one by one that costs more than all the rest."""


class Scanner:
    """Text in any cut -> pieces, in the order of the answer.

    `dialects` are names of the table; none of them: everything passes at once. `calls` numbers
    the calls of the answer. Without `whole_message` the forms that must be the whole answer are
    not looked for; without `repair` damaged JSON is no call.
    """

    def __init__(
        self,
        dialects: Sequence[str],
        tools: Sequence[DeclaredTool],
        calls: Iterator[int],
        *,
        whole_message: bool = True,
        repair: bool = True,
    ) -> None:
        self._openings = openings(tuple(dialects))
        self._tape = Tape()
        self._calls = Calls(tools, calls, self._tape, repair=repair)
        self._prose = Prose(self._openings, self._calls)
        self._candidate = self._openings.candidate.search
        self._passed: list[str] = []
        """Text that went out at once and is not yet taken note of."""
        self._on = bool(dialects) and bool(tools)
        """Whether anything is looked for; else text passes."""
        self._head = whole_message and bool(self._openings.whole or self._openings.bare)
        """Only white space came, and the whole answer may be a call."""
        self._idle = False
        """Text without a character that may begin something can pass at once."""
        self._reading: Reading[None] | None = None
        self._attempts: list[tuple[str, Grammar]] = []
        self._opening = ""
        self._credit = CREDIT

    @property
    def repairs(self) -> dict[str, int]:
        """How many calls were recovered, by dialect, and what had to be mended, by name."""
        return self._calls.recovered

    def feed(self, text: str) -> list[Piece]:
        """What `text` completes."""
        if not text:
            return []
        if self._idle and self._candidate(text) is None:
            self._passed.append(text)
            if len(self._passed) >= MANY:
                self._catch_up()
            return [Text(text)]
        if not self._on:
            return [Text(text)]
        self._catch_up()
        self._credit += 2 * len(text)
        self._tape.feed(text)
        return self._run()

    def finish(self, *, clean: bool, truncated: bool = False) -> list[Piece]:
        """What is left at the end of the answer.

        `clean`: the provider ended it; `truncated`: at the limit of tokens. Unless it ended
        cleanly and was not truncated, a call that is not whole is neither a call nor text.
        """
        if not self._on:
            return []
        self._catch_up()
        self._tape.ended = True
        if self._reading is None or self._calls.speaking or (clean and not truncated):
            pieces = self._run()
        elif self._tape.certain:
            pieces = []
        else:
            pieces = self._give_back()
        self._tape.rest()
        self._on = self._idle = False
        return pieces

    def release(self) -> list[Piece]:
        """Gives back what is held; from here on all text passes.

        For an answer in which a native call appears: that wins over copies that leaked.
        """
        pieces = self._give_back() if self._on else []
        self._on = self._idle = False
        return pieces

    def _catch_up(self) -> None:
        if self._passed:
            self._prose.markdown.advance_plain("".join(self._passed))
            self._passed.clear()

    def _give_back(self) -> list[Piece]:
        self._calls.say(Text, self._tape.rest())
        return self._calls.take()

    def _run(self) -> list[Piece]:
        while self._step():
            pass
        self._idle = (
            self._reading is None
            and not self._head
            and self._tape.at == len(self._tape.text)
            and self._prose.steady
        )
        return self._calls.take()

    def _step(self) -> bool:
        """One move; False where more text is needed."""
        if self._reading is not None:
            return self._read(self._reading)
        if self._head:
            return self._begin()
        opening = self._prose.read(self._tape)
        if opening:
            names = self._openings.dialects[opening]
            self._attempts = [(n, grammar) for n in names for grammar in attempts(n)]
            self._opening = opening
            return self._attempt()
        return False

    def _begin(self) -> bool:
        """Decides by the first character which whole-answer forms are possible."""
        self._prose.blanks(self._tape)
        first = self._tape.text[self._tape.at : self._tape.at + 1]
        if not first:
            return False
        self._head = False
        self._opening = ""
        names = self._openings.whole.get(first, ())
        if self._openings.bare and self._calls.names.starts(first):
            names = (*self._openings.bare, *names)
        self._attempts = [(name, DIALECTS[name].grammar) for name in names]
        return self._attempt() if self._attempts else True

    def _attempt(self) -> bool:
        """Begins to read by the next grammar."""
        name, grammar = self._attempts.pop(0)
        self._calls.begin(name)
        self._tape.certain = DIALECTS[name].special or self._prose.at_tag(self._opening)
        self._reading = grammar(self._tape, self._calls)
        return True

    def _read(self, reading: Reading[None]) -> bool:
        try:
            next(reading)
        except StopIteration:
            self._tape.rewind()
            self._end_reading()
        except MismatchError:
            self._mismatch()
        else:
            return False
        return True

    def _mismatch(self) -> None:
        """Winds back, and goes on with the next grammar or with prose."""
        length = self._tape.rewind()
        if length > LONG_ATTEMPT:
            self._credit -= length
        if self._calls.committed:
            self._end_reading()
        elif self._attempts and self._credit > 0:
            self._attempt()
        else:
            if self._credit > 0:
                self._prose.refuse(self._tape, self._opening)
            else:
                self._prose.refuse_all(self._tape)
            self._end_reading()

    def _end_reading(self) -> None:
        self._reading = None
        self._attempts = []
        self._calls.speaking = False
        if self._calls.committed:
            self._prose.after(DIALECTS[self._calls.dialect])
