"""One class per content block, one small machine for all of them.

| phase, move | say                                | stop                                      |
|-------------|------------------------------------|-------------------------------------------|
| PENDING     | OPEN: content_block_start, delta   | CLOSED: nothing                           |
| OPEN        | OPEN: content_block_delta          | CLOSED: signature_delta, content_block_stop |
| CLOSED      | LocalProtocolError                 | LocalProtocolError                        |

PENDING: the client has not heard of the block, and never will if it has nothing to say.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from enum import Enum, auto
from typing import Final

import msgspec

from fcc.errors import LocalProtocolError
from fcc.overriding import override
from fcc.translate.signature import Kept
from fcc.wire.events import (
    Block as ContentBlock,
)
from fcc.wire.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    DeltaType,
    Event,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)

__all__ = ["Block", "Phase", "Redacted", "Sign", "Text", "Thinking", "ToolUse"]

Sign = Callable[[Kept], str]
"""What has to come back with a block -> the block's signature; "" where nothing has to."""

_EMPTY_INPUT: Final = msgspec.Raw(b"{}")


class Phase(Enum):
    """What the client knows of a block."""

    PENDING = auto()
    OPEN = auto()
    CLOSED = auto()


class Move(Enum):
    """What changes it."""

    SAY = auto()
    STOP = auto()


MOVES: Final = {
    (Phase.PENDING, Move.SAY): Phase.OPEN,
    (Phase.OPEN, Move.SAY): Phase.OPEN,
    (Phase.PENDING, Move.STOP): Phase.CLOSED,
    (Phase.OPEN, Move.STOP): Phase.CLOSED,
}


class Block(ABC):
    """A content block in line: it collects what it has to say until it may speak."""

    delta: DeltaType

    def __init__(self) -> None:
        self.phase = Phase.PENDING
        self.index = -1
        self._unsaid: list[str] = []

    def add(self, text: str) -> None:
        """More to say, in any cut."""
        if text:
            self._unsaid.append(text)

    @property
    def waiting(self) -> bool:
        """Whether it has something to say."""
        return bool(self._unsaid)

    @property
    def complete(self) -> bool:
        """Whether it may be stopped when another waits."""
        return True

    @abstractmethod
    def start(self) -> ContentBlock:
        """The block as content_block_start carries it."""

    def say(self, index: int) -> list[Event]:
        """All that is unsaid; opens as block `index` if it is not open yet."""
        events: list[Event] = []
        if self.phase is Phase.PENDING:
            self.index = index
            events.append(BlockStart(index, self.start()))
        if self.phase is not Phase.OPEN:
            # Saying more leaves an open block open: nearly every chunk does that.
            self._move(Move.SAY)
        if self._unsaid:
            events.append(BlockDelta(self.index, self.delta, "".join(self._unsaid)))
            self._unsaid = []
        return events

    def go_on(self, text: str) -> BlockDelta | None:
        """What `add` and `say` do for a block that is open and has nothing unsaid; else None."""
        if self.phase is Phase.OPEN and text and not self._unsaid:
            return BlockDelta(self.index, self.delta, text)
        return None

    def stop(self) -> list[Event]:
        """Close it; nothing for a block that the client has not heard of."""
        known = self.phase is Phase.OPEN
        self._move(Move.STOP)
        return [*self.farewell(), BlockStop(self.index)] if known else []

    def farewell(self) -> list[Event]:
        """What is said last."""
        return []

    def _move(self, move: Move) -> None:
        phase = MOVES.get((self.phase, move))
        if phase is None:
            raise LocalProtocolError(
                f"block {self.index} is {self.phase.name} and can't {move.name}"
            )
        self.phase = phase


class Text(Block):
    """Answer text."""

    delta = "text_delta"

    @override
    def start(self) -> ContentBlock:
        return TextBlock("")


class Thinking(Block):
    """Reasoning, signed when it closes."""

    delta = "thinking_delta"

    def __init__(self, sign: Sign) -> None:
        super().__init__()
        self._sign = sign
        self.kept = Kept()

    @override
    def add(self, text: str) -> None:
        super().add(text)
        self.kept.texts.append(text)

    @override
    def go_on(self, text: str) -> BlockDelta | None:
        event = super().go_on(text)
        if event is not None:
            self.kept.texts.append(text)
        return event

    @override
    def start(self) -> ContentBlock:
        return ThinkingBlock("", "")

    @override
    def farewell(self) -> list[Event]:
        return [BlockDelta(self.index, "signature_delta", self._sign(self.kept))]


class Redacted(Block):
    """What has to come back and has no reasoning to show; it is whole from the beginning."""

    def __init__(self, data: str) -> None:
        super().__init__()
        self._data = data

    @property
    @override
    def waiting(self) -> bool:
        return self.phase is Phase.PENDING

    @override
    def start(self) -> ContentBlock:
        return RedactedThinkingBlock(self._data)


class ToolUse(Block):
    """A call. It speaks as soon as it is known, and is complete when its arguments are."""

    delta = "input_json_delta"

    def __init__(self, id: str, name: str) -> None:
        super().__init__()
        self.id = id
        self._name = name
        self.ended = False

    @property
    @override
    def waiting(self) -> bool:
        return self.phase is Phase.PENDING or bool(self._unsaid)

    @property
    @override
    def complete(self) -> bool:
        return self.ended

    @override
    def start(self) -> ContentBlock:
        return ToolUseBlock(self.id, self._name, _EMPTY_INPUT)
