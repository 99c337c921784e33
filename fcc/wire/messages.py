"""What did the client ask? The request of the Messages API, decoded and checked.

Unknown fields and unknown block types are taken: new ones appear with every client release.
What the Messages API itself refuses is refused here, with the place it stands in.
Source: https://docs.anthropic.com/en/api/messages, and the types of the `anthropic` package.
"""

import re
from typing import Any

import msgspec

from fcc.errors import RequestError
from fcc.wire import json
from fcc.wire.blocks import REQUIRED, Block, Source

__all__ = [
    "Block",
    "Message",
    "MessagesRequest",
    "Source",
    "decode_count_tokens",
    "decode_request",
]

ROLES = ("user", "assistant", "system")

_ABSENT = msgspec.Raw()
_NOTHING = (b"", b"null", b"[]", b"{}")


class Message(msgspec.Struct, gc=False):
    """One turn of the conversation."""

    role: str
    content: str | list[Block] | None = None
    clear_at: str | None = None
    """Of a system message: how long the model sees it."""
    output_config: "OutputConfig | None" = None
    """Of a system message: for the answers that follow it."""

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ValueError(f"role must be user, assistant or system, not {self.role!r}")


class ToolChoice(msgspec.Struct):
    """Whether and which tool the model shall call."""

    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None

    def __post_init__(self) -> None:
        if self.type not in ("auto", "any", "tool", "none"):
            raise ValueError(f"type must be auto, any, tool or none, not {self.type!r}")
        if self.type == "tool" and not self.name:
            raise ValueError("a choice of type 'tool' needs 'name'")


class Thinking(msgspec.Struct):
    """Whether the model shall think, and how long: `budget_tokens` are tokens."""

    type: str
    budget_tokens: int | None = None

    def __post_init__(self) -> None:
        if self.type == "enabled" and self.budget_tokens is None:
            raise ValueError("'enabled' needs 'budget_tokens'")


class OutputFormat(msgspec.Struct):
    """The shape that the answer's text must have."""

    type: str
    schema: dict[str, Any] | None = None


class OutputConfig(msgspec.Struct):
    """How much work to put into the answer, and its shape."""

    effort: str | None = None
    format: OutputFormat | None = None


class MessagesRequest(msgspec.Struct):
    """The body of POST /v1/messages."""

    model: str
    messages: list[Message]
    system: str | list[Block] | None = None
    tools: msgspec.Raw = _ABSENT
    """The bytes the client sent, for they are the same every turn."""
    tool_choice: ToolChoice | None = None
    max_tokens: int | None = None
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: OutputFormat | None = None
    """The older place of `output_config.format`."""
    metadata: Any = None
    cache_control: dict[str, Any] | None = None
    """A breakpoint at the end of all."""
    thread: Any = None
    mcp_servers: msgspec.Raw = _ABSENT
    container: msgspec.Raw = _ABSENT
    context_management: msgspec.Raw = _ABSENT
    compaction: msgspec.Raw = _ABSENT
    fallbacks: msgspec.Raw = _ABSENT
    safeguards: msgspec.Raw = _ABSENT

    @property
    def unsupported(self) -> list[str]:
        """The names of the fields that ask for what only Anthropic's servers do."""
        asked = {
            "mcp_servers": self.mcp_servers,
            "container": self.container,
            "context_management": self.context_management,
            "compaction": self.compaction,
            "fallbacks": self.fallbacks,
            "safeguards": self.safeguards,
        }
        return [name for name, value in asked.items() if bytes(value) not in _NOTHING]


# Not strict: "100" is a number and 1 is a truth value where nothing else can be meant.
_REQUEST = msgspec.json.Decoder(MessagesRequest, strict=False)


def decode_request(body: bytes) -> MessagesRequest:
    """The request; a RequestError says what is wrong, where, and what to do."""
    request = decode_count_tokens(body)
    if request.max_tokens is not None and request.max_tokens < 0:
        raise RequestError(f"max_tokens: must be 0 or more, not {request.max_tokens}")
    return request


def decode_count_tokens(body: bytes) -> MessagesRequest:
    """The request of count_tokens: the same, whatever max_tokens says."""
    try:
        request = _decode(body)
    except RecursionError as error:
        raise RequestError("the body is nested too deeply; send a flatter one") from error
    if request.thread is not None:
        raise RequestError(
            "thread: not supported here; send the whole conversation in messages",
            error_code="thread_unsupported_request",
        )
    if not request.messages:
        raise RequestError("messages: at least one message is required")
    if bytes(request.tools)[:1] not in (b"", b"[", b"n"):
        raise RequestError("tools: expected a list of tools")
    return request


def _decode(body: bytes) -> MessagesRequest:
    try:
        return _REQUEST.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        request = _loads(body)
    try:
        return _REQUEST.decode(msgspec.json.encode(request))
    except msgspec.ValidationError:
        _plain_blocks(request)
    try:
        return _REQUEST.decode(msgspec.json.encode(request))
    except msgspec.ValidationError as error:
        raise _refusal(error) from error


def _loads(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise RequestError(f"the body is not JSON: {error}; send a Messages request") from error


def _plain_blocks(request: Any) -> None:
    messages = request.get("messages") if isinstance(request, dict) else None
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list):
            message["content"] = [_plain(block) for block in content]


_WORDS = ("id", "name", "tool_use_id", "text", "thinking", "title", "context", "signature")


def _plain(block: object) -> object:
    """A foreign block keeps its words only; elsewhere a number stands for a word."""
    if not isinstance(block, dict):
        return block
    if block.get("type") not in (*REQUIRED, "tool_result"):
        kept = ("type", "content", *_WORDS)
        return {key: block[key] for key in kept if isinstance(block.get(key), str)}
    return {
        key: str(value) if key in _WORDS and type(value) in (int, float) else value
        for key, value in block.items()
    }


_MISSING = re.compile(r"Object missing required field `(\w+)`")


def _refusal(error: msgspec.ValidationError) -> RequestError:
    """`Expected ... - at `$.messages[3].role`` as `messages.3.role: expected ...`."""
    what, _, path = str(error).partition(" - at `$")
    path = path.rstrip("`").replace("[...]", "").replace("[", ".").replace("]", "")
    where = [part for part in path.split(".") if part]
    if missing := _MISSING.fullmatch(what):
        where.append(missing[1])
        what = "field required"
    return RequestError(": ".join([".".join(where), what[0].lower() + what[1:]]).lstrip(": "))
