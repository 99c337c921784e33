"""Which shape must the answer have, and how is the provider told?"""

from typing import Any

import msgspec

from fcc.settings.profile import Ask
from fcc.translate.request.parts import text_part
from fcc.wire.messages import MessagesRequest

__all__ = ["Shape", "corrected", "format_fields", "format_instruction", "in_words", "wanted_shape"]

_FIELD = "response_format"


class Shape(msgspec.Struct, frozen=True):
    """The JSON Schema of the whole answer."""

    schema: dict[str, Any]
    emulated: bool
    """Asked for in words: the provider does not see to it."""


def wanted_shape(request: MessagesRequest, ask: Ask, declined: list[str]) -> Shape | None:
    """What the client asks for; None where the answer is free."""
    config = request.output_config
    wanted = (config.format if config is not None else None) or request.output_format
    if wanted is None:
        return None
    if wanted.type != "json_schema":
        declined.append(f"an output format of type {wanted.type!r}")
        return None
    return Shape(wanted.schema or {}, emulated=not ask.response_format)


def format_fields(shape: Shape | None) -> dict[str, Any]:
    """The shape as `response_format`, where the provider takes it."""
    if shape is None or shape.emulated:
        return {}
    json_schema = {"name": "output", "schema": shape.schema}
    return {_FIELD: {"type": "json_schema", "json_schema": json_schema}}


def format_instruction(shape: Shape | None) -> str | None:
    """The shape in words, where the provider takes no `response_format`."""
    if shape is None or not shape.emulated:
        return None
    text = msgspec.json.encode(shape.schema).decode()
    return f"Answer with one JSON value and nothing else, valid by this JSON Schema:\n{text}"


_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MESSAGES = msgspec.json.Decoder(list[msgspec.Raw])


def in_words(body: bytes, shape: Shape) -> bytes:
    """The body of a provider that has refused `response_format`: the shape is in its system text."""
    fields, messages = _opened(body)
    fields.pop(_FIELD, None)
    words = format_instruction(Shape(shape.schema, emulated=True)) or ""
    first = msgspec.json.decode(messages[0])
    if first["role"] != "system":
        messages.insert(0, _raw({"role": "system", "content": words}))
    elif isinstance(first["content"], str):
        messages[0] = _raw({**first, "content": f"{first['content']}\n\n{words}"})
    else:
        messages[0] = _raw({**first, "content": [*first["content"], text_part(words)]})
    return _closed(fields, messages)


def corrected(body: bytes, said: str, wrong: str) -> bytes:
    """The body that asks once more, after an answer that did not have its shape."""
    fields, messages = _opened(body)
    words = (
        f"This is not valid: {wrong}. Answer again with the one JSON value that the JSON Schema "
        "asks for: no other words, no Markdown."
    )
    messages.append(_raw({"role": "assistant", "content": said or "[empty]"}))
    messages.append(_raw({"role": "user", "content": words}))
    return _closed(fields, messages)


def _opened(body: bytes) -> tuple[dict[str, msgspec.Raw], list[msgspec.Raw]]:
    fields = _FIELDS.decode(body)
    return fields, _MESSAGES.decode(fields["messages"])


def _closed(fields: dict[str, msgspec.Raw], messages: list[msgspec.Raw]) -> bytes:
    # In the order in which they were: a prefix that is the same is in the provider's cache.
    return msgspec.json.encode({**fields, "messages": _raw(messages)})


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
