"""One answer in several streams: upstream bytes -> pieces, over cuts in its text.

    OPEN --cut in text--> CUT --go_on()--> OPEN, and the next stream's bytes come
    OPEN, CUT --give_up()--> the cut is told as if nothing had been tried

Only text is gone on with. What was held at the cut, as it might begin a call, is not said: the rest
has it again. Reasoning that stands before the rest is about the interruption, and is left out.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import msgspec

from fcc.diagnosis.verdict import Source
from fcc.errors import CutError, StalledError, UpstreamError
from fcc.settings.profile import Reply
from fcc.translate.context import Context
from fcc.translate.pieces import Arguments, Failure, Piece, Reasoning, Text, ToolCall, Usage
from fcc.translate.reply.overlap import Overlap
from fcc.translate.reply.reader import Reader
from fcc.translate.tokens import OutputCount

__all__ = ["MAX_SAID", "ContinuedReader"]

MAX_SAID: Final = 1_000_000
"""Characters that are kept of an answer; a longer one is not gone on with. 128,000 tokens, the
most that models write, are half of it."""


class ContinuedReader:
    """A Reader that keeps a cut to itself where the answer may go on: `cut` tells of it.

    `by_itself`: the provider goes on with an assistant's message, so that no template opens
    another block of reasoning.
    """

    def __init__(
        self, source: Source, reply: Reply, context: Context, *, by_itself: bool = False
    ) -> None:
        self._source = source
        self._reply = (
            msgspec.structs.replace(reply, implicit_think_open=False) if by_itself else reply
        )
        self._context = msgspec.structs.replace(context, begun=True)
        self._stream = _Stream(Reader(source, reply, context))
        self._said = _Said()
        self._spent = Usage()
        """By the streams before the present one."""
        self._repairs: Counter[str] = Counter()
        self._held: list[Piece] = []
        """What the answer ends with, if nothing goes on with it."""
        self._given_up = False
        self.cut: UpstreamError | None = None
        """Why the present stream ended, if nobody has been told."""

    @property
    def done(self) -> bool:
        """Whether the present stream is over."""
        return self.cut is not None or self._stream.reader.done

    @property
    def repairs(self) -> dict[str, int]:
        """What was recovered or mended, by name."""
        return dict(self._repairs + Counter(self._stream.reader.repairs))

    @property
    def begun(self) -> bool:
        """Whether the present stream has said anything of the answer."""
        return self._stream.begun

    @property
    def another(self) -> bool:
        """Whether the present stream brought another answer, and not the rest of this one."""
        return self._stream.another

    @property
    def said(self) -> str:
        """The answer so far, with the beginning that the client gave."""
        said, given = self._said.text, self._context.prefill
        return said if said.startswith(given) else given + said

    @property
    def output_tokens(self) -> int:
        """What the answer has cost so far; what was not reported is estimated."""
        return self._spent.output_tokens + self._stream.output_tokens

    @property
    def taken(self) -> tuple[Usage, int]:
        """What the present stream took by itself: its bill, and the tokens of its own output."""
        return self._stream.usage or Usage(), self._stream.output_tokens

    def feed(self, raw: bytes) -> list[Piece]:
        """The pieces that `raw` completes."""
        return self._told(self._stream.reader.feed(raw)) if not self.done else []

    def finish(self, cut: UpstreamError | None = None) -> list[Piece]:
        """The end of the stream; `cut` is why it ended early, if the transport knows."""
        if self.cut is not None or (self._given_up and not self._stream.begun):
            return self._ending(cut) if self._given_up else []
        pieces = self._stream.reader.finish(cut)
        failure = pieces[-1] if pieces else None
        if isinstance(failure, Failure) and self._stream.begun and self._continues(failure.error):
            self.cut = failure.error
            self._held = self._stream.taken(pieces[:-1])
            return []
        return self._told(pieces)

    def go_on(self) -> None:
        """The bytes that come are those of a stream that was asked to go on."""
        self._spent = self._sum(self._stream.usage or Usage(), self._stream.output_tokens)
        self._repairs.update(self._stream.reader.repairs)
        reader = Reader(self._source, self._reply, self._context)
        self._stream = _Stream(reader, Overlap(self.said))
        self.cut = None

    def give_up(self) -> None:
        """Nothing goes on with the answer: `finish(cut)` tells the cut."""
        self._given_up = True

    def _ending(self, cut: UpstreamError | None) -> list[Piece]:
        assert cut is not None
        self.cut = None
        self._stream.reader.finish(cut)
        return [*self._held, Failure(cut)]

    def _told(self, pieces: list[Piece]) -> list[Piece]:
        taken = self._stream.taken(pieces)
        if taken and isinstance(taken[-1], Failure) and not self._stream.begun:
            # As good as refused: the stream has added nothing.
            self.cut = taken[-1].error
            return []
        if self._stream.another:
            self.cut = CutError(f"{self._source.who} did not go on, and began another answer")
        self._said.note(taken)
        if self._stream.usage is not None:
            return [self._summed(piece) for piece in taken]
        return taken

    def _summed(self, piece: Piece) -> Piece:
        return self._sum(piece, piece.output_tokens) if isinstance(piece, Usage) else piece

    def _sum(self, usage: Usage, output_tokens: int) -> Usage:
        """All output together, and one prompt: clients take it for the size of the conversation.

        What of the last prompt was output before is not counted twice.
        """
        spent = self._spent
        return msgspec.structs.replace(
            usage,
            input_tokens=max(0, usage.input_tokens - spent.output_tokens),
            output_tokens=spent.output_tokens + output_tokens,
            thinking_tokens=spent.thinking_tokens + usage.thinking_tokens,
        )

    def _continues(self, error: UpstreamError) -> bool:
        cut = isinstance(error, CutError | StalledError)
        return cut and not self._given_up and self._said.ends_in_text


class _Stream:
    """One of the streams, and what of its pieces belongs to the answer."""

    def __init__(self, reader: Reader, overlap: Overlap | None = None) -> None:
        self.reader = reader
        self._overlap = overlap
        self._count = OutputCount()
        self._counted = False
        self.begun = overlap is None
        """Whether it has said anything of the answer, or is the first."""
        self.usage: Usage | None = None

    @property
    def another(self) -> bool:
        """Whether it brings another answer, and not the rest."""
        return self._overlap is not None and self._overlap.another

    @property
    def output_tokens(self) -> int:
        """As reported, else estimated."""
        reported = self.usage.output_tokens if self.usage else 0
        return reported or (self._count.tokens if self._counted else 0)

    def taken(self, pieces: list[Piece]) -> list[Piece]:
        """`pieces` without what was said before."""
        for piece in pieces:
            if isinstance(piece, Text | Reasoning | Arguments):
                self._counted = True
                self._count.add(piece.text)
            elif isinstance(piece, Usage):
                self.usage = piece
        if self._overlap is None:
            return pieces
        return [kept for piece in pieces for kept in self._of_the_rest(piece, self._overlap)]

    def _of_the_rest(self, piece: Piece, overlap: Overlap) -> list[Piece]:
        if isinstance(piece, Usage | Failure):
            return [piece]
        if isinstance(piece, Reasoning) and not self.begun:
            return []
        text = overlap.feed(piece.text) if isinstance(piece, Text) else overlap.finish()
        if overlap.another:
            return []
        self.begun = self.begun or bool(text) or not isinstance(piece, Text)
        rest: list[Piece] = [Text(text)] if text else []
        return rest if isinstance(piece, Text) else [*rest, piece]


class _Said:
    """The answer's text, for as long as that is all there is of it beside reasoning."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._in_text = False
        self._closed = False

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(self._parts)

    @property
    def ends_in_text(self) -> bool:
        """Whether a text block is open, and no call was begun."""
        return self._in_text and not self._closed

    def note(self, pieces: Iterable[Piece]) -> None:
        """More of the answer."""
        for piece in pieces:
            if isinstance(piece, Text):
                self._parts.append(piece.text)
                self._size += len(piece.text)
                self._in_text = self._in_text or not (not piece.text or piece.text.isspace())
            elif isinstance(piece, Reasoning):
                self._in_text = self._in_text and (not piece.text or piece.text.isspace())
            elif isinstance(piece, ToolCall):
                self._closed = True
        if self._closed or self._size > MAX_SAID:
            self._closed = True
            self._parts.clear()
