"""A strict chat completions backend's view of a body: `problems(body)` lists what it refuses.

Written from the rules of https://platform.openai.com/docs/api-reference/chat/create and of the
chat templates that read messages; it shares no code with what it judges.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
FIELDS = {
    *("model", "messages", "tools", "tool_choice", "parallel_tool_calls", "stream"),
    *("stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop"),
    *("response_format", "reasoning_effort"),
}
LIMITS = {"max_tokens", "max_completion_tokens"}
MESSAGE_FIELDS = {
    "system": {"role", "content"},
    "user": {"role", "content"},
    "assistant": {"role", "content", "tool_calls", "reasoning_content", "reasoning"},
    "tool": {"role", "content", "tool_call_id"},
}


@dataclass(frozen=True)
class Rules:
    """What this backend is strict about beyond OpenAI's own rules."""

    extra: frozenset[str] = frozenset()
    alternate: bool = False
    system_anywhere: bool = False
    id: re.Pattern[str] = re.compile(r"(?s).{1,64}")
    parts: tuple[str, ...] = ("text", "image_url")
    user_after_tool: bool = True
    name: re.Pattern[str] = NAME
    choices: tuple[str, ...] = ("auto", "none", "required", "function")
    efforts: tuple[str, ...] = ("none", "minimal", "low", "medium", "high")
    limit: str | None = None
    """Which of the two fields for the limit is known; None: both."""
    schema: Callable[[Any], bool] = lambda _schema: True
    """Whether every sub-schema, and what stands in the place of one, is taken."""
    images: bool = True
    cached: bool = False
    """Whether text parts may carry cache_control, also those of system and tool messages."""
    message: frozenset[str] = frozenset()
    """Further fields of an assistant message."""
    call: frozenset[str] = frozenset()
    """Further fields of a tool call."""
    assistant_parts: tuple[str, ...] = ()
    """Kinds of parts that an assistant's content may be a list of."""
    empty: bool = False
    """Whether content beside tool calls is "" rather than null."""
    prefix: str | None = None
    """The mark that a last message of the assistant needs."""

    def with_(self, **more: Any) -> "Rules":
        return replace(self, **more)


OPENAI = Rules()


def problems(body: bytes | dict[str, Any], rules: Rules = OPENAI) -> list[str]:
    """Everything a strict backend would answer 400 for, in words; empty if nothing."""
    if isinstance(body, bytes):
        body = json.loads(body, parse_constant=lambda name: 1 / 0)
    found = [f"unknown field {key}" for key in body if key not in FIELDS | rules.extra]
    for check in (_scalars, _tools, _choice):
        found += check(body, rules)
    return [*found, *_messages(body.get("messages"), rules)]


def assert_legal(body: bytes | dict[str, Any], rules: Rules = OPENAI) -> None:
    found = problems(body, rules)
    assert not found, "\n".join(found)


def _scalars(body: dict[str, Any], rules: Rules) -> Iterator[str]:
    if not isinstance(body.get("model"), str) or not body["model"]:
        yield "model is missing"
    limits = [body[key] for key in LIMITS if key in body]
    if len(limits) > 1 or any(type(limit) is not int or limit < 1 for limit in limits):
        yield f"limits {limits}"
    if rules.limit is not None and any(key in body for key in LIMITS - {rules.limit}):
        yield f"a limit that is not {rules.limit}"
    if "stream_options" in body and body.get("stream") is not True:
        yield "stream_options without stream"
    stop = body.get("stop", ["x"])
    if not isinstance(stop, list) or not 1 <= len(stop) <= 4 or not all(stop):
        yield f"stop {stop}"
    for key, high in (("temperature", 2), ("top_p", 1)):
        if key in body and not 0 <= body[key] <= high:
            yield f"{key} {body[key]}"
    if body.get("reasoning_effort", "low") not in rules.efforts and "reasoning_effort" in body:
        yield f"reasoning_effort {body['reasoning_effort']}"


def _names(body: dict[str, Any]) -> list[str]:
    return [tool["function"]["name"] for tool in body.get("tools", ())]


def _tools(body: dict[str, Any], rules: Rules) -> Iterator[str]:
    if "tools" not in body:
        return
    if not isinstance(body["tools"], list) or not body["tools"]:
        yield "tools is empty or no list"
        return
    for tool in body["tools"]:
        if set(tool) != {"type", "function"} or tool["type"] != "function":
            yield f"tool {tool}"
        function = tool["function"]
        if set(function) != {"name", "description", "parameters"}:
            yield f"function {function}"
        if not rules.name.fullmatch(function["name"]) or not isinstance(
            function["description"], str
        ):
            yield f"name or description of {function}"
        if function["parameters"].get("type") != "object":
            yield f"parameters of {function}"
        if bad := [
            schema for schema in subschemas(function["parameters"]) if not rules.schema(schema)
        ]:
            yield f"schemas of {function['name']}: {bad}"
    if len(set(_names(body))) != len(body["tools"]):
        yield f"names repeat: {_names(body)}"


def subschemas(schema: Any) -> Iterator[Any]:
    """A schema and all that stands where a schema may stand in it."""
    yield schema
    if not isinstance(schema, dict):
        return
    for key in ("properties", "$defs", "definitions", "patternProperties"):
        for inner in schema.get(key, {}).values():
            yield from subschemas(inner)
    for key in ("items", "additionalProperties", "not", "propertyNames", "contains"):
        if key in schema and not isinstance(schema[key], list):
            yield from subschemas(schema[key])
    for key in ("anyOf", "oneOf", "allOf", "prefixItems"):
        for inner in schema.get(key, ()):
            yield from subschemas(inner)


def _choice(body: dict[str, Any], rules: Rules) -> Iterator[str]:
    choice = body.get("tool_choice")
    if "tools" not in body:
        if "tool_choice" in body or "parallel_tool_calls" in body:
            yield "tool_choice or parallel_tool_calls without tools"
    elif isinstance(choice, dict):
        if "function" not in rules.choices:
            yield "tool_choice of one function"
        if choice["type"] != "function" or choice["function"]["name"] not in _names(body):
            yield f"tool_choice {choice}"
    elif choice is not None and choice not in rules.choices:
        yield f"tool_choice {choice!r}"


def _messages(messages: Any, rules: Rules) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield "messages is empty or no list"
        return
    if all(message["role"] == "system" for message in messages):
        yield "only system messages"
    open_ids: list[str] = []
    before = ""
    for place, message in enumerate(messages):
        role = message.get("role")
        if role not in MESSAGE_FIELDS:
            yield f"{place}: role {role!r}"
            continue
        for problem in (*_shape(message, rules), *_order(message, before, open_ids, rules)):
            yield f"{place} ({role}): {problem}"
        if role == "assistant":
            open_ids = [call["id"] for call in message.get("tool_calls", ())]
        before = role
    if open_ids:
        yield f"calls without results: {open_ids}"


def _order(
    message: dict[str, Any], before: str, open_ids: list[str], rules: Rules
) -> Iterator[str]:
    role = message["role"]
    if role == "tool":
        if before not in ("assistant", "tool") or message.get("tool_call_id") not in open_ids:
            yield f"answers no open call: {message.get('tool_call_id')!r}"
        elif message["tool_call_id"] != open_ids.pop(0):
            yield "results are not in call order"
    elif open_ids:
        yield f"calls without results: {open_ids}"
    if role == "system" and before not in ("", "system") and not rules.system_anywhere:
        yield "system message that is not the first"
    if role == "system" and before == "system" and not rules.system_anywhere:
        yield "two system messages"
    if rules.alternate and role == before and role in ("user", "assistant"):
        yield "roles do not alternate"
    if not rules.user_after_tool and (before, role) == ("tool", "user"):
        yield "Unexpected role 'user' after role 'tool'"


def _shape(message: dict[str, Any], rules: Rules) -> Iterator[str]:
    role, content = message["role"], message.get("content")
    more = rules.message if role == "assistant" else frozenset()
    if role == "assistant" and rules.prefix is not None:
        more |= {rules.prefix}
    if foreign := set(message) - MESSAGE_FIELDS[role] - more:
        yield f"unknown keys {foreign}"
    if isinstance(content, list) and (role == "user" or (rules.cached and role != "assistant")):
        if not content:
            yield "empty list of parts"
        for part in content:
            yield from _part(part, rules)
    elif isinstance(content, list) and role == "assistant" and rules.assistant_parts:
        if not content or any(part["type"] not in rules.assistant_parts for part in content):
            yield f"parts {content}"
    elif content is None and role == "assistant":
        if not message.get("tool_calls"):
            yield "no content and no tool_calls"
    elif not isinstance(content, str):
        yield f"content {content!r}"
    elif not content.strip() and role != "tool" and not (rules.empty and "tool_calls" in message):
        yield "blank content"
    if "tool_calls" in message:
        yield from _calls(message["tool_calls"], rules)


def _part(part: dict[str, Any], rules: Rules) -> Iterator[str]:
    kind = part.get("type")
    if kind not in rules.parts:
        yield f"part of type {kind!r}"
    elif kind == "text" and (_keys(part, rules) != {"type", "text"} or not part["text"]):
        yield f"part {part}"
    elif kind == "image_url" and not rules.images:
        yield "an image for a model without vision"
    elif kind == "image_url":
        url = part["image_url"]["url"]
        match = re.fullmatch(r"data:image/(png|jpeg|webp|gif);base64,(.+)", url)
        if match is None and not url.startswith(("http://", "https://")):
            yield f"image URL {url[:40]!r}"
        elif match is not None and not _is_base64(match[2]):
            yield "image that is no base64"


def _keys(part: dict[str, Any], rules: Rules) -> set[str]:
    return set(part) - {"cache_control"} if rules.cached else set(part)


def _is_base64(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) > 0
    except binascii.Error:
        return False


def _calls(calls: Any, rules: Rules) -> Iterator[str]:
    if not isinstance(calls, list) or not calls:
        yield "tool_calls is empty or no list"
        return
    ids = [call["id"] for call in calls]
    if len(set(ids)) != len(ids):
        yield f"ids repeat: {ids}"
    for call in calls:
        if set(call) - rules.call != {"id", "type", "function"} or call["type"] != "function":
            yield f"call {call}"
        if not isinstance(call["id"], str) or not rules.id.fullmatch(call["id"]):
            yield f"id {call['id']!r}"
        if set(call["function"]) != {"name", "arguments"}:
            yield f"function {call['function']}"
        if not rules.name.fullmatch(call["function"]["name"]):
            yield f"name {call['function']['name']!r}"
        if not isinstance(_loaded(call["function"]["arguments"]), dict):
            yield f"arguments {call['function']['arguments']!r}"


def _loaded(text: Any, loads: Callable[[str], Any] = json.loads) -> Any:
    try:
        return loads(text) if isinstance(text, str) else None
    except ValueError:
        return None
