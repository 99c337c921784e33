"""Is the end of a text inside code, or quoted?

    TEXT  --run of ` or ~, 3 or more, first on its line-->  FENCE  --as long a run, alone-->  TEXT
    TEXT  --any other run of `-->  SPAN  --run of the same length, or a blank line-->  TEXT

Text comes in any cut; only the state and the beginning of the current line are kept. The rules
are CommonMark's (https://spec.commonmark.org/0.31.2/), but that a fence may be indented by more:
a list item may hold it.
"""

import re

__all__ = ["Markdown"]

_HEAD = 80
"""Characters kept of a line: more than any indentation that means something."""
_EVENT = re.compile(r"`+|~+|\n")
_BEFORE_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*\Z")
_BEFORE_END = re.compile(r"[ \t>]*\Z")
_QUOTING = frozenset((">", "|"))
"""With these a line of a quotation or of a table begins."""
_QUOTED = re.compile(r"[\s(\[{=:,]?[\"'\u201c\u2018\u00ab]")
"""A quotation mark that opens: what a model leaks stands in none."""
_INDENTED = re.compile(r"(?: {4}|\t)")


class Markdown:
    """Follows a text by `advance`."""

    __slots__ = (
        "_closing",
        "_fence",
        "_head",
        "_in_quote",
        "_indent_is_code",
        "_info",
        "_length",
        "_opened",
        "_quoted",
        "_run",
        "_span",
        "_tail",
    )

    def __init__(self) -> None:
        self._fence = ""
        """The character of the fence we are in."""
        self._opened = 0
        """The length of the run that opened it."""
        self._in_quote = False
        """The fence stands in a quotation, and ends with it."""
        self._info = False
        """We are on the fence's own line."""
        self._closing = False
        """We are behind a run that ends the fence if nothing else stands on its line."""
        self._span = 0
        """The length of the run that opened the code span we are in."""
        self._quoted = False
        """A marker stood in quotation marks: what follows on its line is theirs."""
        self._run = ""
        """The character of the run at the very end: the next text may make it longer."""
        self._length = 0
        self._tail = ""
        """The last two characters, or what there is of them; of a run, what came before."""
        self._head = ""
        self._indent_is_code = False

    @property
    def steady(self) -> bool:
        """Whether text without runs changes nothing but the line."""
        return not (self._span or self._run or self._info or self._closing or self._in_quote)

    def advance_plain(self, text: str) -> None:
        """As `advance`, for text without runs, from and to a plain state."""
        self._tail = text[-2:] if len(text) > 1 else self._tail[-1:] + text
        end = text.rfind("\n")
        if end < 0:
            if len(self._head) < _HEAD:
                self._head = (self._head + text)[:_HEAD]
            return
        self._quoted = False
        last = text.rfind("\n", 0, end)
        line = text[last + 1 : end] if last >= 0 else self._head + text[:end]
        if _INDENTED.match(line) and last >= 0:
            # Whether it is code depends on all lines before it.
            self.advance(text)
            return
        self._next_line(line)
        self._head = text[end + 1 : end + 1 + _HEAD]

    def advance(self, text: str) -> None:
        """Goes on over `text`."""
        if self._run:
            more = len(text) - len(text.lstrip(self._run))
            self._length += more
            text = text[more:]
            if not text:
                return
            self._decide()
        at = 0
        for event in _EVENT.finditer(text):
            self._pass(text[at : event.start()])
            at = event.end()
            if event[0] == "\n":
                self._line_end()
                continue
            self._run, self._length = event[0][0], at - event.start()
            if at < len(text):
                self._decide()
        self._pass(text[at:])

    def in_code(self) -> bool:
        """Whether what comes next, which is no run, is code, a table's cell or a quotation."""
        if self._run:
            self._decide()
        if _QUOTED.fullmatch(self._tail):
            self._quoted = True
        self._leave_quote()
        if self._closing:
            # A call may follow a fence without a line end: its token is no text.
            self._line_end()
        if self._fence or self._span or self._quoted:
            return True
        return self._head.lstrip()[:1] in _QUOTING or self._in_indented(self._head)

    def line_start(self) -> bool:
        """Whether nothing but white space stands on the line so far."""
        return not self._head or self._head.isspace()

    def reset_line(self) -> None:
        """After a call: whatever comes begins afresh."""
        self._head = self._run = self._tail = ""
        self._indent_is_code = False

    def _pass(self, text: str) -> None:
        """Text without runs and line ends."""
        if not text:
            return
        self._tail = (self._tail + text[-2:])[-2:]
        if len(self._head) < _HEAD:
            self._head = (self._head + text)[:_HEAD]
        if self._closing and not text.isspace():
            self._closing = False

    def _line_end(self) -> None:
        self._leave_quote()
        if self._closing:
            self._fence, self._in_quote = "", False
        self._closing = self._info = self._quoted = False
        if self.line_start():
            self._span = 0
        self._next_line(self._head)
        self._head, self._tail = "", "\n"

    def _in_indented(self, head: str) -> bool:
        """Whether the line that begins with `head` is an indented block's."""
        return self._indent_is_code and _INDENTED.match(head) is not None

    def _leave_quote(self) -> None:
        if self._in_quote and self._head.lstrip()[:1] != ">":
            self._fence, self._in_quote, self._info = "", False, False

    def _next_line(self, line: str) -> None:
        """After a blank line an indented one is code, and so are those that follow it."""
        if not line or line.isspace():
            self._indent_is_code = True
        elif _INDENTED.match(line) is None:
            self._indent_is_code = False

    def _decide(self) -> None:
        """The run is as long as it gets."""
        char, length, head = self._run, self._length, self._head
        self._run = ""
        self._leave_quote()
        if len(head) < _HEAD:
            self._head = head + char
        if self._fence:
            self._in_fence(char, length, head)
        elif self._in_indented(head):
            pass
        elif self._span:
            if char == "`" and length == self._span:
                self._span = 0
        elif length >= 3 and _BEFORE_FENCE.match(head):
            self._fence, self._opened, self._info = char, length, True
            self._in_quote = head.lstrip()[:1] == ">"
        elif char == "`":
            # A backslash takes the first one out of the run.
            self._span = length - (self._tail[-1:] == "\\")
        self._tail = char * 2

    def _in_fence(self, char: str, length: int, head: str) -> None:
        if char != self._fence:
            self._closing = False
        elif self._info:
            if char == "`" and length == self._opened:
                # A fence's own line holds no backticks: it was a code span.
                self._fence, self._info, self._in_quote = "", False, False
        else:
            self._closing = length >= self._opened and bool(_BEFORE_END.match(head))
