"""What an upstream stream says, in one alphabet.

Native tool calls, tool calls written as text, reasoning fields and `<think>` tags all become
these pieces before any content block sees them. A piece is one thing said; the order of pieces
is the order of the answer.
"""

import msgspec

from fcc.errors import UpstreamError

__all__ = [
    "Arguments",
    "Failure",
    "Finish",
    "Piece",
    "Reasoning",
    "Text",
    "ToolCall",
    "ToolCallEnd",
    "ToolCallExtra",
    "Usage",
]


class Text(msgspec.Struct, frozen=True, gc=False):
    """Answer text, in any cut."""

    text: str


class Reasoning(msgspec.Struct, frozen=True):
    """Reasoning text, in any cut; `details` are the provider's own entries, kept as they came."""

    text: str
    details: tuple[msgspec.Raw, ...] = ()


class ToolCall(msgspec.Struct, frozen=True):
    """A call has a name. `call` numbers the calls of one answer in order of appearance."""

    call: int
    name: str
    id: str | None = None
    """The provider's own id, or None where it gave none."""
    extra: msgspec.Raw | None = None
    """The provider's `extra_content` of the call, to be returned with it."""


class ToolCallExtra(msgspec.Struct, frozen=True):
    """The `extra_content` of a call that came after the call had been told."""

    call: int
    extra: msgspec.Raw


class Arguments(msgspec.Struct, frozen=True, gc=False):
    """The next part of a call's arguments: JSON text, in any cut."""

    call: int
    text: str


class ToolCallEnd(msgspec.Struct, frozen=True, gc=False):
    """A call's arguments are final. A call without this was cut and must not run."""

    call: int


class Usage(msgspec.Struct, frozen=True):
    """Token counts in Anthropic's terms: `input_tokens` are the uncached ones."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    thinking_tokens: int = 0


class Finish(msgspec.Struct, frozen=True):
    """The answer is over. `stop_reason` is Anthropic's; None means: by what was emitted."""

    stop_reason: str | None = None
    stop_sequence: str | None = None


class Failure(msgspec.Struct, frozen=True):
    """The answer broke off, and why; nothing follows."""

    error: UpstreamError


Piece = (
    Text | Reasoning | ToolCall | ToolCallExtra | Arguments | ToolCallEnd | Usage | Finish | Failure
)
