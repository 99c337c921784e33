"""The Messages API's answer: events, blocks, usage, error; event -> bytes.

Source: https://docs.anthropic.com/en/docs/build-with-claude/streaming
"""

from typing import Literal, assert_never

import msgspec

__all__ = [
    "Block",
    "BlockDelta",
    "BlockStart",
    "BlockStop",
    "DeltaType",
    "ErrorBody",
    "ErrorEvent",
    "Event",
    "Message",
    "MessageDelta",
    "MessageStart",
    "MessageStop",
    "MessageUsage",
    "Ping",
    "RedactedThinkingBlock",
    "TextBlock",
    "ThinkingBlock",
    "ToolUseBlock",
    "encode",
    "frame",
]

encode = msgspec.json.Encoder().encode
"""Compact JSON: clients look for `"type":"overloaded_error"` without a blank."""


class TextBlock(msgspec.Struct, tag="text"):
    """Answer text."""

    text: str


class ThinkingBlock(msgspec.Struct, tag="thinking"):
    """Reasoning; the client sends it back unchanged with its signature."""

    thinking: str
    signature: str


class RedactedThinkingBlock(msgspec.Struct, tag="redacted_thinking"):
    """Reasoning that only the provider can read."""

    data: str


class ToolUseBlock(msgspec.Struct, tag="tool_use"):
    """A call. `input` is raw JSON; in content_block_start it is always {}."""

    id: str
    name: str
    input: msgspec.Raw


Block = TextBlock | ThinkingBlock | RedactedThinkingBlock | ToolUseBlock


class OutputTokensDetails(msgspec.Struct):
    """How much of the output was thinking."""

    thinking_tokens: int = 0


class MessageUsage(msgspec.Struct, omit_defaults=False):
    """Token counts; `input_tokens` are the uncached ones."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens_details: OutputTokensDetails | msgspec.UnsetType = msgspec.UNSET


class Message(msgspec.Struct):
    """A message, whole, or empty as message_start carries it."""

    id: str
    model: str
    usage: MessageUsage
    content: list[Block] = []
    stop_reason: str | None = None
    stop_sequence: str | None = None
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"


class MessageStart(msgspec.Struct, tag="message_start"):
    """First event."""

    message: Message


class BlockStart(msgspec.Struct, tag="content_block_start"):
    """A block opens; indices are dense from 0."""

    index: int
    content_block: Block


DeltaType = Literal["text_delta", "thinking_delta", "signature_delta", "input_json_delta"]


class BlockDelta(msgspec.Struct, gc=False):
    """The increment of an open block."""

    index: int
    type: DeltaType
    value: str


class BlockStop(msgspec.Struct, tag="content_block_stop"):
    """A block closes: Claude Code runs a closed tool_use block."""

    index: int


class StopDelta(msgspec.Struct):
    """Why the message ended."""

    stop_reason: str
    stop_sequence: str | None = None


class MessageDelta(msgspec.Struct, tag="message_delta"):
    """The end's reason and the true usage."""

    delta: StopDelta
    usage: MessageUsage


class MessageStop(msgspec.Struct, tag="message_stop"):
    """Last event of a whole answer."""


class Ping(msgspec.Struct, tag="ping"):
    """Nothing, but alive."""


class ErrorDetails(msgspec.Struct):
    """What the SDKs act on."""

    error_code: str


class ErrorBody(msgspec.Struct):
    """An error as clients are told it."""

    type: str
    message: str
    details: ErrorDetails | msgspec.UnsetType = msgspec.UNSET


class ErrorEvent(msgspec.Struct, tag="error"):
    """An error: body of an error response, or last event of a broken stream."""

    error: ErrorBody
    request_id: str


Event = (
    MessageStart
    | BlockStart
    | BlockDelta
    | BlockStop
    | MessageDelta
    | MessageStop
    | Ping
    | ErrorEvent
)

_DELTA = {
    type_: b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%%d,"delta":'
    b'{"type":"%b","%b":%%b}}\n\n' % (type_.encode(), field)
    for type_, field in (
        ("text_delta", b"text"),
        ("thinking_delta", b"thinking"),
        ("signature_delta", b"signature"),
        ("input_json_delta", b"partial_json"),
    )
}
"""Filled in by hand: a template costs a third of encoding a struct, once for every chunk."""


def frame(event: Event) -> bytes:
    """One server-sent event, blank line included."""
    match event:
        case BlockDelta():
            return _DELTA[event.type] % (event.index, encode(event.value))
        case MessageStart():
            name = b"message_start"
        case BlockStart():
            name = b"content_block_start"
        case BlockStop():
            name = b"content_block_stop"
        case MessageDelta():
            name = b"message_delta"
        case MessageStop():
            name = b"message_stop"
        case Ping():
            name = b"ping"
        case ErrorEvent():
            name = b"error"
        case _:
            assert_never(event)
    return b"event: %b\ndata: %b\n\n" % (name, encode(event))
