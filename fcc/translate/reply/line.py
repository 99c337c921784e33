"""Blocks in line: pieces -> events, one block open at a time, indices dense by construction.

A piece is added to the block it belongs to: its call's, else the last in line, else a new one.
Then the head speaks; while another waits and the head is complete, the head stops and the next
becomes head. A call whose arguments were cut is never stopped: Claude Code runs a closed block.
"""

from collections import deque

from fcc.translate.pieces import Arguments, Piece, Reasoning, ToolCall, ToolCallEnd
from fcc.translate.pieces import Text as TextPiece
from fcc.translate.reply.blocks import Block, Phase, Sign, Text, Thinking, ToolUse
from fcc.translate.reply.ids import ToolIds
from fcc.wire.events import Event

__all__ = ["Line"]


class Line:
    """`feed(piece) -> events`; `finish() -> events`."""

    def __init__(self, ids: ToolIds, sign: Sign) -> None:
        self._ids = ids
        self._sign = sign
        self._line: deque[Block] = deque()
        self._calls: dict[int, ToolUse] = {}
        self._blank: list[str] = []
        self._opened = 0
        self.called = False
        """Whether a whole call has been made."""

    def feed(self, piece: Piece) -> list[Event]:
        """The events that a piece of content adds; usage, ends and failures are not content."""
        match piece:
            case TextPiece():
                self._text(piece.text)
            case Reasoning():
                self._reasoning(piece)
            case ToolCall():
                block = ToolUse(self._ids.claim(piece.id), piece.name)
                self._calls[piece.call] = block
                self._line.append(block)
            case Arguments():
                self._calls[piece.call].add(piece.text)
            case ToolCallEnd():
                self._calls[piece.call].ended = True
                self.called = True
            case _:
                return []
        return self._speak()

    def finish(self) -> list[Event]:
        """All leave in order, up to a call that was cut: it stays open, and is the last."""
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
        self._line.append(block)

    def _reasoning(self, piece: Reasoning) -> None:
        last = self._line[-1] if self._line else None
        if isinstance(last, Thinking):
            block = last
        elif piece.text and not piece.text.isspace():
            block = Thinking(self._sign)
            self._line.append(block)
        else:
            return
        block.add(piece.text)
        block.details += piece.details

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
