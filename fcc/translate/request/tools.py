"""Which tools does the provider get to see, and under which names and schemas?"""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import msgspec

from fcc.errors import RequestError
from fcc.overriding import override
from fcc.settings.profile import Ask
from fcc.translate.request.names import provider_name
from fcc.translate.request.schema.rules import aliases, as_object, rewritten
from fcc.translate.tools import DeclaredTool

__all__ = ["Offer", "offer"]

PLACEHOLDER = "DeferredToolPlaceholder"
"""Claude Code's stand-in for tools that its tool search has not loaded yet."""


_ENDS: Final = 256
"""Bytes at either end that are hashed."""


class Tool(msgspec.Struct):
    """One entry of `tools`: the client's own, or one that Anthropic defines."""

    name: str | None = None
    type: str | None = None
    description: str | None = None
    input_schema: Any = None
    defer_loading: bool | None = None

    def __post_init__(self) -> None:
        if not self.name and self.type in (None, "custom"):
            raise ValueError("a tool needs 'name'")

    @property
    def foreign(self) -> bool:
        """Whether only Anthropic's servers know what it takes: a type, and no schema."""
        return self.type not in (None, "custom") and self.input_schema is None


class Offer(msgspec.Struct, frozen=True):
    """The tools of a request as a provider takes them; shared between requests, so unchanged."""

    declared: tuple[DeclaredTool, ...] = ()
    sent: tuple[msgspec.Raw, ...] = ()
    """Encoded, one for each of `declared`."""
    names: Mapping[str, str] = MappingProxyType({})
    """The provider's name of a tool -> the client's, where they differ."""
    aliases: Mapping[str, Mapping[str, str]] = MappingProxyType({})
    """Tool -> the client's names of arguments -> the provider's, where they differ."""
    declined: tuple[str, ...] = ()
    """The names of tools that are not offered."""

    def only(self, name: str) -> "Offer":
        """The offer of one tool, named as the client does."""
        kept = [place for place, tool in enumerate(self.declared) if tool.name == name]
        return msgspec.structs.replace(
            self,
            declared=tuple(self.declared[place] for place in kept),
            sent=tuple(self.sent[place] for place in kept),
        )

    def nothing(self) -> "Offer":
        """The same without a tool that could be called."""
        return msgspec.structs.replace(self, declared=(), sent=())


_TOOLS = msgspec.json.Decoder(list[Tool] | None, strict=False)


class _Sent:
    """The bytes of `tools` as a key: the hash of them all would cost more than to compare them."""

    __slots__ = ("_hash", "raw")

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._hash = hash((len(raw), raw[:_ENDS], raw[-_ENDS:]))

    @override
    def __hash__(self) -> int:
        return self._hash

    @override
    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sent) and self.raw == other.raw


def offer(tools: bytes, ask: Ask) -> Offer:
    """The `tools` of a request; the same bytes cost nothing the next time."""
    return _offer(_Sent(tools), ask.tool_names, ask.schema) if tools else Offer()


@lru_cache(maxsize=64)
def _offer(tools: _Sent, names: str, schema: tuple[str, ...]) -> Offer:
    chosen: dict[str, tuple[DeclaredTool, msgspec.Raw]] = {}
    declined = []
    for tool in _decoded(tools.raw):
        if tool.foreign:
            declined.append(tool.name or tool.type or "")
        elif tool.name and tool.name not in chosen and not _is_placeholder(tool):
            chosen[tool.name] = _translated(tool, tool.name, names, schema)
    declared = tuple(tool for tool, _ in chosen.values())
    sent_as = {provider_name(name, names): name for name in chosen}
    return Offer(
        declared=declared,
        sent=tuple(sent for _, sent in chosen.values()),
        names=MappingProxyType({sent: name for sent, name in sent_as.items() if sent != name}),
        aliases=MappingProxyType(
            {t.name: {ours: theirs for theirs, ours in t.aliases.items()} for t in declared}
        ),
        declined=tuple(name for name in dict.fromkeys(declined) if name not in chosen),
    )


def _decoded(tools: bytes) -> list[Tool]:
    try:
        return _TOOLS.decode(tools.decode("utf-8", "replace")) or []
    except msgspec.ValidationError as error:
        what, _, path = str(error).partition(" - at `$")
        where = "tools" + path.rstrip("`").replace("[", ".").replace("]", "")
        raise RequestError(f"{where}: {what[0].lower()}{what[1:]}") from error


def _is_placeholder(tool: Tool) -> bool:
    return bool(tool.defer_loading) and tool.name == PLACEHOLDER


def _translated(
    tool: Tool, name: str, names: str, schema: tuple[str, ...]
) -> tuple[DeclaredTool, msgspec.Raw]:
    given = tool.input_schema if isinstance(tool.input_schema, dict) else {}
    parameters = rewritten(given, schema)
    function = {
        "name": provider_name(name, names),
        "description": tool.description or "",
        "parameters": parameters,
    }
    declared = DeclaredTool(name, given, aliases(as_object(given), parameters))
    encoded = msgspec.json.encode({"type": "function", "function": function})
    return declared, msgspec.Raw(encoded)
