"""Events -> one whole message, for a client that did not ask for a stream."""

import msgspec

from fcc.wire.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Message,
    MessageDelta,
    MessageStart,
    RedactedThinkingBlock,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
)

__all__ = ["Accumulator"]


class Accumulator:
    """`feed(events)`, then `message`. A block that was never stopped is left out."""

    def __init__(self) -> None:
        self._message: Message | None = None
        self._open: BlockStart | None = None
        self._parts: dict[str, list[str]] = {}

    def feed(self, events: list[Event]) -> None:
        """More of the answer, in order."""
        for event in events:
            match event:
                case MessageStart():
                    self._message = msgspec.structs.replace(event.message, content=[])
                case BlockStart():
                    self._open, self._parts = event, {}
                case BlockDelta():
                    self._parts.setdefault(event.type, []).append(event.value)
                case BlockStop():
                    self._close()
                case MessageDelta():
                    self.message.stop_reason = event.delta.stop_reason
                    self.message.stop_sequence = event.delta.stop_sequence
                    self.message.usage = event.usage
                case _:
                    pass

    @property
    def message(self) -> Message:
        """The message so far."""
        assert self._message is not None
        return self._message

    def _close(self) -> None:
        assert self._open is not None
        block = self._open.content_block
        match block:
            case TextBlock():
                block.text += self._joined("text_delta")
            case ThinkingBlock():
                block.thinking += self._joined("thinking_delta")
                block.signature += self._joined("signature_delta")
            case ToolUseBlock():
                block.input = _input(self._joined("input_json_delta"))
            case RedactedThinkingBlock():
                pass
        self.message.content.append(block)
        self._open = None

    def _joined(self, type: str) -> str:
        return "".join(self._parts.get(type, ()))


def _input(arguments: str) -> msgspec.Raw:
    """Arguments as the JSON of `input`; what is no JSON goes as a string, not lost."""
    raw = arguments.strip().encode() or b"{}"
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return msgspec.Raw(msgspec.json.encode(arguments))
    return msgspec.Raw(raw)
