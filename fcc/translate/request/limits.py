"""Where does the answer end, how is it sampled, and what shape does it have?"""

from typing import Any

import msgspec

from fcc.settings.profile import Ask, Model
from fcc.wire.messages import MessagesRequest, OutputFormat

__all__ = ["format_fields", "format_instruction", "output_limit", "sampling", "stop"]


def output_limit(request: MessagesRequest, model: Model) -> int | None:
    """Tokens of the answer at most; None where nobody set a limit."""
    if request.max_tokens is None:
        return None
    # 0 warms Anthropic's cache; no other API takes it.
    wanted = max(1, request.max_tokens)
    return min(wanted, model.max_output_tokens or wanted)


def sampling(request: MessagesRequest, ask: Ask) -> dict[str, Any]:
    """The parameters that the client set and the provider takes."""
    given = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
    }
    return {key: v for key, v in given.items() if v is not None and key in ask.params}


def stop(request: MessagesRequest, ask: Ask, declined: list[str]) -> dict[str, Any]:
    """The first stop sequences, as many as are taken; the others are declined."""
    given = [text for text in dict.fromkeys(request.stop_sequences or ()) if text]
    taken = given[: ask.stop_limit] if "stop" in ask.params else []
    declined += [f"stop sequence {text!r}" for text in given[len(taken) :]]
    return {"stop": taken} if taken else {}


def format_fields(request: MessagesRequest, ask: Ask) -> dict[str, Any]:
    """The shape of the answer as `response_format`, where the provider takes it."""
    schema = _schema(request)
    if schema is None or not ask.response_format:
        return {}
    shape = {"name": "output", "schema": schema}
    return {"response_format": {"type": "json_schema", "json_schema": shape}}


def format_instruction(request: MessagesRequest, ask: Ask) -> str | None:
    """The shape of the answer in words, where the provider takes no `response_format`."""
    schema = _schema(request)
    if schema is None or ask.response_format:
        return None
    text = msgspec.json.encode(schema).decode()
    return f"Answer with one JSON value and nothing else, valid by this JSON Schema:\n{text}"


def _schema(request: MessagesRequest) -> dict[str, Any] | None:
    shape: OutputFormat | None = request.output_format
    if request.output_config is not None and request.output_config.format is not None:
        shape = request.output_config.format
    if shape is None or shape.type != "json_schema":
        return None
    return shape.schema or {}
