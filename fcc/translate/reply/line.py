"""Blocks in line: pieces -> events, one block open at a time, indices dense by construction.

A piece is added to the block it belongs to: its call's, else the last in line, else a new one.
Then the head speaks; while another waits and the head is complete, the head stops and the next
becomes head. A call whose arguments were cut is never stopped: Claude Code runs a closed block.

What has to come back (`Kept`) goes with the thinking block while that one is the last in line,
else into a redacted_thinking block before the next block. None follows the last text: Claude Code
takes the last block's text for its result.
"""

from collections import deque

import msgspec

from fcc.translate.pieces import (
    Arguments,
    Piece,
    Reasoning,
    ToolCall,
    ToolCallEnd,
    ToolCallExtra,
)
from fcc.translate.pieces import Text as TextPiece
from fcc.translate.reply.blocks import Block, Phase, Redacted, Sign, Text, Thinking, ToolUse
from fcc.translate.reply.ids import ToolIds
from fcc.translate.signature import Kept
from fcc.wire.events import BlockDelta, Event

__all__ = ["Line"]


class Line:
    """`feed(*pieces) -> events`; `finish(whole) -> events`."""

    def __init__(self, ids: ToolIds, sign: Sign) -> None:
        self._ids = ids
        self._sign = sign
        self._line: deque[Block] = deque()
        self._calls: dict[int, ToolUse] = {}
        self._blank: list[str] = []
        self._kept = Kept()
        """What has to come back, and no block carries yet."""
        self._last: Block | None = None
        """The block that was added last, closed or not."""
        self._opened = 0
        self.called = False
        """Whether a whole call has been made."""

    def feed(self, *pieces: Piece) -> list[Event]:
        """The events that pieces of content add together, one delta for each block.

        Usage, ends and failures are not content.
        """
        for piece in pieces:
            self._add(piece)
        return self._speak()

    def go_on(self, piece: TextPiece | Reasoning | Arguments) -> BlockDelta | None:
        """The event of more for the only block, where that is open and takes it.

        None: it has to be fed.
        """
        if len(self._line) != 1:
            return None
        head = self._line[0]
        if isinstance(piece, TextPiece):
            goes_on = isinstance(head, Text)
        elif isinstance(piece, Reasoning):
            goes_on = isinstance(head, Thinking) and not piece.details
        else:
            goes_on = self._calls[piece.call] is head
        return head.go_on(piece.text) if goes_on else None

    def _add(self, piece: Piece) -> None:
        match piece:
            case TextPiece():
                self._text(piece.text)
            case Reasoning():
                self._reasoning(piece)
            case ToolCall():
                self._call(piece)
            case ToolCallExtra():
                self._extra(self._calls[piece.call], piece.extra)
            case Arguments():
                self._calls[piece.call].add(piece.text)
            case ToolCallEnd():
                self._calls[piece.call].ended = True
                self.called = True
            case _:
                pass

    def finish(self, *, whole: bool) -> list[Event]:
        """All leave in order, up to a call that was cut: it stays open, and is the last.

        `whole`: the answer came to its end, so what has to come back belongs to it.
        """
        if whole and isinstance(self._last, ToolUse):
            self._carry()
        events = self._speak()
        while self._line:
            head = self._line[0]
            if head.waiting:
                events += self._say(head)
            if not head.complete:
                break
            events += head.stop()
            self._line.popleft()
        return events

    def _text(self, text: str) -> None:
        last = self._line[-1] if self._line else None
        if isinstance(last, Text):
            last.add(text)
            return
        if not text or text.isspace():
            # White space alone opens no block; it waits for text that it may stand before.
            self._blank.append(text)
            return
        block = Text()
        block.add("".join(self._blank) + text)
        self._blank = []
        self._append(block)

    def _reasoning(self, piece: Reasoning) -> None:
        last = self._line[-1] if self._line else None
        if isinstance(last, Thinking):
            last.add(piece.text)
            last.kept.entries += piece.details
        elif piece.text and not piece.text.isspace():
            block = Thinking(self._sign)
            block.kept, self._kept = self._kept, Kept()
            block.add(piece.text)
            block.kept.entries += piece.details
            self._append(block)
        else:
            self._kept.entries += piece.details

    def _call(self, piece: ToolCall) -> None:
        block = ToolUse(self._ids.claim(piece.id), piece.name)
        self._calls[piece.call] = block
        if piece.extra is not None:
            self._extra(block, piece.extra)
        self._append(block)

    def _extra(self, block: ToolUse, extra: msgspec.Raw) -> None:
        last = self._line[-1] if self._line else None
        kept = last.kept if isinstance(last, Thinking) else self._kept
        kept.calls[block.id] = extra

    def _append(self, block: Block) -> None:
        self._carry()
        self._line.append(block)
        self._last = block

    def _carry(self) -> None:
        """What has to come back goes into a block of its own."""
        if not self._kept:
            return
        data = self._sign(self._kept)
        self._kept = Kept()
        if data:
            self._line.append(Redacted(data))

    def _speak(self) -> list[Event]:
        events: list[Event] = []
        while self._line:
            head = self._line[0]
            if head.waiting:
                events += self._say(head)
            done = isinstance(head, ToolUse) and head.ended
            if not done and not (len(self._line) > 1 and head.complete):
                break
            events += head.stop()
            self._line.popleft()
        return events

    def _say(self, block: Block) -> list[Event]:
        fresh = block.phase is Phase.PENDING
        events = block.say(self._opened)
        self._opened += fresh
        return events
