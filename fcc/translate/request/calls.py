"""How does a tool_use block become a tool call?"""

from collections.abc import Mapping

import msgspec

__all__ = ["Call", "arguments"]


class Call(msgspec.Struct):
    """One tool call of an assistant turn; `id` is the client's, `name` the provider's."""

    id: str
    name: str
    arguments: str
    extra: msgspec.Raw | None = None
    """The `extra_content` that the provider sent with the call."""


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_STRING = msgspec.json.Decoder(str)


def arguments(input: bytes, aliases: Mapping[str, str]) -> str:
    """The text of a JSON object: strict providers and chat templates parse it.

    The client's own bytes wherever they are an object, so that they are the same every turn.
    `aliases` are the client's names of arguments -> the provider's.
    """
    text = _object_text(input.decode("utf-8", "replace").strip())
    if not aliases:
        return text
    renamed = {aliases.get(k, k): value for k, value in _OBJECT.decode(text).items()}
    return msgspec.json.encode(renamed).decode()


def _object_text(input: str) -> str:
    if input.startswith("{"):
        return input
    if input.startswith('"'):
        # Claude Code sends back as a string what it could not parse.
        return _from_string(_STRING.decode(input))
    return "{}" if input in ("", "null") else f'{{"input":{input}}}'


def _from_string(text: str) -> str:
    if not text.strip():
        return "{}"
    try:
        _OBJECT.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return msgspec.json.encode({"input": text}).decode()
    return text
