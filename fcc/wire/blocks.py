"""What did client and model say? The content blocks of a Messages API request.

A block that lacks what it is about is refused here; unknown types are taken.
Source: https://docs.anthropic.com/en/api/messages, and the types of the `anthropic` package.
"""

from typing import Any

import msgspec

__all__ = ["REQUIRED", "Block", "Source"]

REQUIRED: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("source",),
    "document": ("source",),
    "thinking": ("thinking",),
    "redacted_thinking": ("data",),
    "tool_use": ("id", "name", "input"),
    "tool_reference": ("tool_name",),
}
"""The fields without which a block of this type says nothing."""

_ABSENT = msgspec.Raw()


class Source(msgspec.Struct, gc=False):
    """Where an image or a document comes from."""

    type: str = "base64"
    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    content: str | list[Any] | None = None
    file_id: str | None = None
    extracted: str | None = None
    """The text of a PDF, where it has been read (see `server/documents.py`); no client sends it."""


class Block(msgspec.Struct, kw_only=True, gc=False):
    """One content block of any type: the fields of all types, flat."""

    type: str
    text: str | None = None
    source: Source | str | None = None
    """A `search_result` names its source in words."""
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = _ABSENT
    """The bytes the client sent; empty where the field is missing."""
    tool_use_id: str | None = None
    content: str | list[Any] | dict[str, Any] | None = None
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    title: str | None = None
    context: str | None = None
    tool_name: str | None = None
    tool: dict[str, Any] | None = None
    """What a tool_addition or a tool_removal is about."""
    file_id: str | None = None
    cache_control: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        kind = self.type
        if kind == "tool_result":
            self._check_result()
        elif (kind == "text" and self.text is not None) or (
            # Most blocks are these two, and asdict costs more than all the rest of decoding.
            kind == "tool_use" and self.id and self.name and self.input is not _ABSENT
        ):
            return
        elif kind in REQUIRED:
            _require(kind, msgspec.structs.asdict(self))

    def _check_result(self) -> None:
        # Some clients name the call by `id` (SGLang's own tests do).
        self.tool_use_id = self.id if self.tool_use_id is None else self.tool_use_id
        if self.tool_use_id is None:
            raise ValueError("a block of type 'tool_result' needs 'tool_use_id'")
        for place, inner in enumerate(self.content if isinstance(self.content, list) else ()):
            if isinstance(inner, dict):
                _require(inner.get("type"), inner, f"content.{place}: ")


def _require(kind: object, fields: dict[str, Any], where: str = "") -> None:
    for field in REQUIRED.get(kind, ()) if isinstance(kind, str) else ():
        if fields.get(field) in (None, _ABSENT):
            raise ValueError(f"{where}a block of type {kind!r} needs {field!r}")
