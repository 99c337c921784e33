"""What is sent upstream for a Messages request?

Pure, and the same for the same request: no clock, no chance. A longer conversation begins with
the same messages as the shorter one did, so that providers' prefix caches keep fitting.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from fcc.errors import RequestError
from fcc.settings.profile import Ask, Model
from fcc.translate.request.changes import tools_after
from fcc.translate.request.choice import choose
from fcc.translate.request.content import Reader, UserTurn
from fcc.translate.request.limits import output_limit, sampling, stop
from fcc.translate.request.parts import ChatMessage, limit_breakpoints, text_part
from fcc.translate.request.reasoning import reasoning_fields
from fcc.translate.request.session import session_fields
from fcc.translate.request.shape import Shape, format_fields, format_instruction, wanted_shape
from fcc.translate.request.system import reminder, system_message, system_text
from fcc.translate.request.tools import Offer, offer
from fcc.translate.request.turns import Turns
from fcc.translate.signature import RETURNED, tag
from fcc.translate.tools import DeclaredTool
from fcc.wire.messages import Block, Message, MessagesRequest

__all__ = ["Body", "translate"]


class Body(msgspec.Struct):
    """A chat completions body, and what is needed to read the answer to it."""

    data: bytes
    tools: tuple[DeclaredTool, ...] = ()
    """The tools that the model may call."""
    names: Mapping[str, str] = MappingProxyType({})
    """The provider's name of a tool -> the client's, where they differ."""
    used_ids: frozenset[str] = frozenset()
    """Every tool_use id of the conversation."""
    declined: tuple[str, ...] = ()
    """What was left out, in words."""
    prefill: str = ""
    """The beginning of the answer that the client gave; some servers repeat it (llama.cpp)."""
    media: bool = False
    """Whether images or files are in it."""
    shape: Shape | None = None
    """Which shape the answer must have, if the client asks for one."""


def translate(
    request: MessagesRequest, model: Model, *, extra: Mapping[str, Any] = MappingProxyType({})
) -> Body:
    """The body for `model`. A field of `extra` is added to it, or left out where it is None.

    Raises RequestError for tools that can't be read, ConfigError for names no table has.
    """
    try:
        return _translate(request, model, extra)
    except RecursionError as error:
        raise RequestError("the request is nested too deeply; send a flatter one") from error


def _translate(request: MessagesRequest, model: Model, extra: Mapping[str, Any]) -> Body:
    ask = model.ask
    offered = offer(tools_after(bytes(request.tools), request.messages), ask)
    choice = choose(offered, request.tool_choice, ask)
    returned = tag(model) if ask.reasoning_history in RETURNED else None
    reader = Reader(ask, offered.aliases, returned)
    declined: list[str] = []
    shape = wanted_shape(request, ask, declined)
    messages = _messages(request, ask, reader, _notes(choice.offer, shape), choice.instruction)
    declined += [
        *(f"tool {name}" for name in offered.declined),
        *dict.fromkeys(reader.declined),
        *(f"field {name}" for name in request.unsupported),
    ]
    fields: dict[str, Any] = {"model": model.name, "messages": messages}
    if choice.offer.sent:
        fields["tools"] = choice.offer.sent
        fields |= choice.fields
    fields["stream"] = True
    if ask.stream_usage:
        fields["stream_options"] = {"include_usage": True}
    fields |= _limits(request, model, shape, declined)
    for more in (ask.extra, extra):
        fields = _with_extra(fields, more)
    return Body(
        data=msgspec.json.encode(fields),
        tools=choice.offer.declared,
        names=offered.names,
        used_ids=_used_ids(request.messages),
        declined=tuple(declined),
        prefill=_prefill(messages[-1]),
        media=reader.media,
        shape=shape,
    )


def _messages(
    request: MessagesRequest, ask: Ask, reader: Reader, notes: list[str], instruction: str | None
) -> list[ChatMessage]:
    turns = Turns(ask)
    for message in _seen(request):
        if message.role == "assistant":
            turns.assistant(reader.assistant(message))
        elif message.role == "user":
            turns.user(reader.user(message))
        elif text := system_text(message.content):
            _say_system(turns, text, ask)
    turns.user(UserTurn([], [text_part(instruction)] if instruction else []))
    system = system_message(request.system, notes, cache_control=ask.cache_control)
    messages = [*([system] if system else []), *turns.finish()]
    if ask.cache_control:
        limit_breakpoints(messages)
    return messages


def _seen(request: MessagesRequest) -> Iterator[Message]:
    """The messages that the model still sees, with the breakpoint at the end of all."""
    users = [place for place, message in enumerate(request.messages) if message.role == "user"]
    for place, message in enumerate(request.messages):
        gone = message.clear_at == "next_user_message" and users and users[-1] > place
        if gone and message.role == "system":
            continue
        if request.cache_control is not None and users and place == users[-1]:
            message = _with_breakpoint(message, request.cache_control)  # noqa: PLW2901
        yield message


def _with_breakpoint(message: Message, cache_control: dict[str, Any]) -> Message:
    said = message.content
    blocks = [Block(type="text", text=said)] if isinstance(said, str) else list(said or ())
    if blocks:
        blocks[-1] = msgspec.structs.replace(blocks[-1], cache_control=cache_control)
    return Message(message.role, blocks)


def _say_system(turns: Turns, text: str, ask: Ask) -> None:
    if ask.system == "anywhere":
        turns.system(text)
    else:
        turns.user(UserTurn([], [text_part(reminder(text))]))


def _notes(offered: Offer, shape: Shape | None) -> list[str]:
    """What the system message says beside the client's own words."""
    missing = ", ".join(offered.declined)
    words = (
        f"Not available through this provider: {missing}." if missing else None,
        format_instruction(shape),
    )
    return [word for word in words if word]


def _limits(
    request: MessagesRequest, model: Model, shape: Shape | None, declined: list[str]
) -> dict[str, Any]:
    ask = model.ask
    limit = output_limit(request, model)
    if model.effort and ask.reasoning == "none":
        declined.append("the effort of config.toml: no knob of this model is known")
    return {
        **({} if limit is None else {ask.max_tokens: limit}),
        **sampling(request, ask),
        **stop(request, ask, declined),
        **reasoning_fields(request, ask, limit, model.effort),
        **format_fields(shape),
        **session_fields(request, ask),
    }


def _with_extra(fields: dict[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """What is there of a table stays beside what is added to it; model and messages stay."""
    result = dict(fields)
    for key, value in extra.items():
        if key in ("model", "messages"):
            continue
        there = result.get(key)
        if value is None:
            result.pop(key, None)
        elif isinstance(there, dict) and isinstance(value, dict):
            result[key] = {**there, **value}
        else:
            result[key] = value
    return result


def _used_ids(messages: list[Message]) -> frozenset[str]:
    said = [message.content for message in messages if isinstance(message.content, list)]
    calls = [block.id for blocks in said for block in blocks if block.type == "tool_use"]
    return frozenset(filter(None, calls))


def _prefill(last: ChatMessage) -> str:
    content = last.get("content")
    return content if last["role"] == "assistant" and isinstance(content, str) else ""
