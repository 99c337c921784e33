"""One answer: upstream bytes in any cut -> Messages API events, in a legal order.

raw -> Reader -> pieces -> Line -> events
"""

from typing import Protocol

from fcc.errors import UpstreamError
from fcc.translate.context import Context
from fcc.translate.pieces import (
    Arguments,
    Failure,
    Finish,
    Piece,
    Reasoning,
    Text,
    ToolCall,
    Usage,
)
from fcc.translate.reply.blocks import Sign
from fcc.translate.reply.ids import ToolIds
from fcc.translate.reply.line import Line
from fcc.translate.reply.prefill import Prefill
from fcc.translate.reply.rewrite import Rewrites
from fcc.translate.tokens import OutputCount
from fcc.wire.events import (
    Event,
    Message,
    MessageDelta,
    MessageStart,
    MessageStop,
    MessageUsage,
    OutputTokensDetails,
    StopDelta,
)

__all__ = ["PieceReader", "Translation"]


_SAID = (Text, Reasoning, Arguments)
"""Pieces that say more in a block."""


class PieceReader(Protocol):
    """Whatever reads an upstream body: `feed(raw) -> pieces`, `finish(cut) -> pieces`."""

    @property
    def done(self) -> bool:
        """Whether what still comes does not matter."""

    @property
    def repairs(self) -> dict[str, int]:
        """What was recovered or mended, by name."""

    def feed(self, raw: bytes) -> list[Piece]:
        """The pieces that `raw` completes."""

    def finish(self, cut: UpstreamError | None = None) -> list[Piece]:
        """The end of the body; `cut` is why it ended early, if the transport knows."""


class Translation:
    """`feed(raw) -> events`, `finish(cut) -> events`.

    Nothing is given before the first meaningful piece, message_start included, so that until
    then a failure can still become an HTTP status or another attempt. After a failure `failure`
    is set: the events up to it have been given, and no end.
    """

    def __init__(
        self, reader: PieceReader, message: Message, *, sign: Sign, context: Context | None = None
    ) -> None:
        context = context or Context()
        self.reader = reader
        self._message = message
        self._line = Line(ToolIds(message.id, context.used_ids), sign)
        self._names = context.names
        self._rewrites = Rewrites(context)
        self._prefill = Prefill(context.prefill)
        self._count = OutputCount()
        self.started = False
        self.failure: UpstreamError | None = None
        self.usage: Usage | None = None
        self.stop_reason: str | None = None

    @property
    def done(self) -> bool:
        """Whether the answer is over, well or not."""
        return self.reader.done

    @property
    def repairs(self) -> dict[str, int]:
        """What was recovered or mended, by name."""
        return self.reader.repairs

    @property
    def output_tokens(self) -> int:
        """As reported, else estimated."""
        return (self.usage.output_tokens if self.usage else 0) or self._count.tokens

    def start(self) -> list[Event]:
        """message_start, unless it has been given."""
        if self.started:
            return []
        self.started = True
        return [MessageStart(self._message)]

    def feed(self, raw: bytes) -> list[Event]:
        """The events that `raw` completes."""
        return self._answer(self.reader.feed(raw))

    def finish(self, cut: UpstreamError | None = None) -> list[Event]:
        """The end of the body; `cut` is why it ended early, if the transport knows."""
        return self._answer(self.reader.finish(cut))

    def _answer(self, pieces: list[Piece]) -> list[Event]:
        if len(pieces) == 1 and (event := self._more(pieces[0])) is not None:
            return [event]
        events: list[Event] = []
        content: list[Piece] = []
        for piece in self._changed(pieces):
            match piece:
                case Text() | Reasoning() | Arguments():
                    self._count.add(piece.text)
                    content.append(piece)
                case Usage():
                    self.usage = piece
                case Failure():
                    self.failure = piece.error
                    events += self._line.feed(*content)
                    events += self._line.finish(whole=False)
                    content = []
                case Finish():
                    events += self._line.feed(*content)
                    events += self._end(piece)
                    content = []
                case ToolCall(name=name) if name in self._names:
                    named = ToolCall(piece.call, self._names[name], piece.id, piece.extra)
                    content.append(named)
                case _:
                    content.append(piece)
        if content:
            events += self._line.feed(*content)
        if events and not self.started:
            events = self.start() + events
        return events

    def _more(self, piece: Piece) -> Event | None:
        """One chunk a read, and it says more in the only block: nearly all of an answer."""
        if not isinstance(piece, _SAID) or self._prefill.open or self._rewrites.held:
            return None
        event = self._line.go_on(piece)
        if event is not None:
            self._count.add(piece.text)
        return event

    def _changed(self, pieces: list[Piece]) -> list[Piece]:
        """`pieces` as the client shall see them."""
        if self._rewrites.needed:
            pieces = self._rewrites.feed(pieces)
        return self._continuation(pieces) if self._prefill.open else pieces

    def _continuation(self, pieces: list[Piece]) -> list[Piece]:
        """`pieces` without the client's own beginning of the answer."""
        kept: list[Piece] = []
        for piece in pieces:
            if isinstance(piece, Text):
                piece = Text(self._prefill.feed(piece.text))  # noqa: PLW2901
            elif not isinstance(piece, Reasoning) and (held := self._prefill.finish()):
                kept.append(Text(held))
            kept.append(piece)
        return kept

    def _end(self, end: Finish) -> list[Event]:
        self.stop_reason = end.stop_reason or "end_turn"
        if self._line.called and self.stop_reason in ("end_turn", "stop_sequence"):
            self.stop_reason = "tool_use"
        sequence = end.stop_sequence if self.stop_reason == "stop_sequence" else None
        delta = StopDelta(self.stop_reason, sequence)
        return [*self._line.finish(whole=True), MessageDelta(delta, self._usage()), MessageStop()]

    def _usage(self) -> MessageUsage:
        """As reported; what the provider did not report, as estimated."""
        usage = self.usage or Usage()
        prompt = (
            usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens
        )
        told = MessageUsage(
            input_tokens=usage.input_tokens if prompt else self._message.usage.input_tokens,
            output_tokens=self.output_tokens,
            cache_creation_input_tokens=usage.cache_creation_input_tokens,
            cache_read_input_tokens=usage.cache_read_input_tokens,
        )
        if usage.thinking_tokens:
            told.output_tokens_details = OutputTokensDetails(usage.thinking_tokens)
        return told
