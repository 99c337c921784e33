"""How is a recording given away without what was said in it?

Prose becomes placeholders of the same length, letter for letter. What makes the recording worth
looking at stays: the format's own words, names of tools and fields, markup, punctuation, the length
of everything and the bytes of every letter.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from fcc.observe.telling import retold
from fcc.wire.json import loads

__all__ = ["Masker"]

_KEPT: Final = frozenset(
    {"type", "role", "id", "name", "model", "object", "tool_use_id", "tool_call_id", "call_id",
     "media_type", "finish_reason", "native_finish_reason", "stop_reason", "stop_sequence",
     "tool_name", "effort", "reasoning_effort", "format", "code", "status", "param", "ttl",
     "service_tier", "system_fingerprint", "provider", "created"}
)  # fmt: skip
"""Fields whose strings are the format's."""

_QUOTING: Final = ("failed_generation",)
"""Fields of an error that quote the model. Its other words are the provider's, and stay."""

_SCHEMAS: Final = frozenset({"input_schema", "parameters", "schema"})
"""Below these only descriptions are prose."""

_PROSE_OF_SCHEMAS: Final = frozenset({"description", "title", "examples", "default", "$comment"})

_WORDS: Final = frozenset(
    {"true", "false", "null", "name", "arguments", "parameters", "function", "functions",
     "invoke", "parameter", "tool", "tools", "call", "calls", "tool_call", "tool_calls",
     "tool_response", "think", "thinking", "thought", "analysis", "commentary", "final",
     "channel", "message", "start", "end", "assistant", "user", "system", "python", "json",
     "call_id", "begin", "sep", "section", "argument", "argument_begin", "to"}
)  # fmt: skip
"""What models write around a tool call, and JSON's own."""

_TOKEN: Final = re.compile(
    r"<[^<>\n]{1,200}>"  # a tag, or a special token of a template
    r"|\[/?[A-Z_]{3,30}\]"  # the same of Mistral's
    r"|\\+u[0-9a-fA-F]{4}|\\+."  # an escape, of whichever level
    r"|\"[\w.$-]{1,64}\"(?=\s{0,4}:)"  # a key
    r"|[\u2581\uff5c]"
    r"|[^\W\d_][\w-]*"  # a word
    r"|\d",
    re.DOTALL,
)

_LETTERS: Final = {2: "\u00e9", 3: "\u6587", 4: "\U00010400"}
"""Bytes in UTF-8 -> the placeholder of as many."""


class Masker:
    """`names` (of tools and their fields) stay."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = _WORDS | set(names)

    def json(self, raw: bytes) -> bytes:
        """A request or a body; what is no JSON is prose."""
        try:
            return msgspec.json.encode(self._value(loads(raw), schema=False))
        except (ValueError, RecursionError):
            return self.text(raw.decode("utf-8", "replace")).encode()

    def stream(self, raw: bytes) -> bytes:
        """Server-sent events of either format."""
        if raw.lstrip().startswith((b"{", b"[")):
            return self.json(raw)
        return retold(raw, self._retold, all_fields=True)[0]

    def text(self, text: str) -> str:
        """Prose."""
        return _TOKEN.sub(lambda found: self._token(found[0]), text)

    def _retold(self, path: str, text: str) -> list[tuple[int, int, str]]:
        fields = path.split("/")
        said_by_provider = "error" in fields and fields[-1] not in _QUOTING
        if said_by_provider or fields[-1] in _KEPT:
            return []
        return [
            (found.start(), found.end(), masked)
            for found in _TOKEN.finditer(text)
            if (masked := self._token(found[0])) != found[0]
        ]

    def _token(self, token: str) -> str:
        if token[0] in '<[\\"\u2581\uff5c' or token in self._names:
            return token
        return "".join([_placeholder(letter) for letter in token])

    def _value(self, value: Any, *, schema: bool) -> Any:
        if isinstance(value, list):
            return [self._value(item, schema=schema) for item in value]
        if isinstance(value, dict):
            return {key: self._field(key, item, schema=schema) for key, item in value.items()}
        return self.text(value) if isinstance(value, str) and not schema else value

    def _field(self, key: str, value: Any, *, schema: bool) -> Any:
        if isinstance(value, str) and key in _KEPT:
            return value
        if key == "error" and isinstance(value, dict):
            quoted = {name: self.text(str(value[name])) for name in _QUOTING if name in value}
            return {**value, **quoted}
        if schema and key in _PROSE_OF_SCHEMAS:
            return self._value(value, schema=False)
        return self._value(value, schema=schema or key in _SCHEMAS)


def _placeholder(letter: str) -> str:
    if letter.isascii():
        if letter.isdigit():
            return "1"
        return letter if not letter.isalpha() else "X" if letter.isupper() else "x"
    return _LETTERS[len(letter.encode("utf-8", "surrogatepass"))] if letter.isalpha() else letter
