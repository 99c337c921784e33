"""Where does the rest of a text begin that was cut and is told again from somewhere before the cut?

Asked to go on, a model goes on, or repeats the last sentence first, or begins from the beginning.
What is repeated is the longest end of the text that the rest begins with. Three things are no
evidence of a repetition, and there the rest is taken at its word: a few characters ("ha" after
"ha"), an end that repeats itself (rules of tables), an end without a letter (indentation).
"""

from typing import Final

__all__ = ["ANOTHER", "LONGEST", "SHORTEST", "Overlap"]

LONGEST: Final = 4096
"""Characters of an end that are looked for, and the most that is held back. All of the text is
recognized at any length, as nothing has to be held for it."""

SHORTEST: Final = 12
"""Characters of an end that are evidence; all of the text is at any length."""

ANOTHER: Final = 64
"""Characters from the text's beginning, after which anything else is another answer."""


class Overlap:
    """`feed(text) -> text`, `finish() -> text`: the rest, without what `said` has of it."""

    __slots__ = ("_again", "_end", "_from_the_beginning", "_held", "_said", "another", "open")

    def __init__(self, said: str) -> None:
        self._said = said
        self._end = said[-LONGEST:]
        self._held = ""
        """What came, if it is not what `said` begins with."""
        self._again = 0
        """Characters of `said`, from its beginning, that came again."""
        self._from_the_beginning = bool(said)
        """Whether all that came is such."""
        self.open = bool(said)
        """Whether it is not yet certain where the rest begins."""
        self.another = False
        """Whether this is no rest but another answer."""

    def feed(self, text: str) -> str:
        """What of `text`, and of what was held, belongs to the rest."""
        if not self.open:
            return text
        came = self._came + text
        if self._from_the_beginning:
            self._compare(text)
            if self._again == len(self._said):
                return self._begin(came)
        if self._from_the_beginning or self._may_go_on(came):
            self._held = "" if self._from_the_beginning else came
            return ""
        return self._begin(came)

    def finish(self) -> str:
        """What was held and is no repetition: the rest has ended, or is no text from here on."""
        return self._begin(self._came) if self.open else ""

    @property
    def _came(self) -> str:
        return self._said[: self._again] if self._from_the_beginning else self._held

    def _compare(self, text: str) -> None:
        """How far `text` goes on with `said` from where that came again."""
        expected = self._said[self._again : self._again + len(text)]
        if text.startswith(expected):
            self._again += len(expected)
            return
        pairs = zip(text, expected, strict=False)
        self._again += next(n for n, (one, other) in enumerate(pairs) if one != other)
        self._from_the_beginning = False

    def _may_go_on(self, came: str) -> bool:
        """Whether a longer end than `came` may be what is repeated."""
        place = self._end.find(came)
        return 0 <= place < len(self._end) - len(came)

    def _begin(self, came: str) -> str:
        self.open = False
        repeated = self._repeated(came)
        begun = self._said[: min(self._again, LONGEST)]
        partly = ANOTHER <= self._again < len(self._said)
        self.another = not repeated and partly and _evidence(begun)
        self._held = self._end = self._said = ""
        return "" if self.another else came[repeated:]

    def _repeated(self, came: str) -> int:
        """Characters of `came` that were said already."""
        if came.startswith(self._said):
            long = len(self._said) > LONGEST
            return len(self._said) if long or _evidence(self._said) else 0
        head = came[:SHORTEST]
        place = self._end.find(head) if len(head) == SHORTEST else -1
        while place >= 0:
            end = self._end[place:]
            if came.startswith(end):
                return len(end) if _evidence(end) else 0
            place = self._end.find(head, place + 1)
        return 0


def _evidence(end: str) -> bool:
    """Whether it is no chance that a text with this end goes on with the same."""
    repeats_itself = any(end[n:] == end[:-n] for n in range(1, len(end) // 2 + 1))
    return not repeats_itself and any(map(str.isalnum, end))
