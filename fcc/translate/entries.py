"""How do a provider's reasoning entries, streamed in parts, become the ones to be returned?

OpenRouter streams `reasoning_details`: text in parts under one index, the signature of a text in
an entry of its own. Mistral streams `{"type": "thinking", "thinking": [...]}`. Returned are whole
entries in their order; what has no text (encrypted data) keeps every byte.
Sources: https://openrouter.ai/docs (reasoning tokens), PyPI mistralai 3.7.0 (thinkchunk.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import msgspec

__all__ = ["Entry", "merged", "restored", "text_of", "without_text"]

Entry = dict[str, Any]

_TEXT: dict[object, tuple[str, type]] = {
    "reasoning.text": ("text", str),
    "reasoning.summary": ("summary", str),
    "thinking": ("thinking", list),
}
"""Type of an entry that can come in parts -> the field of its text, and what that is."""

_LOOK_BACK = 16
"""Entries within which a late signature finds the text that it signs."""


class _Growing:
    """An entry and the parts of its text so far."""

    def __init__(self, entry: Entry, field: str) -> None:
        self.entry = entry
        self.field = field
        self.parts: list[Any] = []
        self.add(entry)

    def continues(self, entry: Entry) -> bool:
        """Whether `entry` is the next part of this one; nothing comes after a signature."""
        mine = self.entry
        if entry["type"] != mine["type"] or entry.get("index") != mine.get("index"):
            return False
        same = None in (mine.get("id"), entry.get("id")) or mine["id"] == entry["id"]
        return same and mine.get("signature") is None

    def add(self, entry: Entry) -> None:
        """Takes the text and whatever else the part says."""
        self.parts += _parts(entry.get(self.field))
        for key, value in entry.items():
            if key != self.field and value is not None:
                self.entry[key] = value

    def whole(self) -> Entry:
        """The entry with all of its text."""
        listed = isinstance(self.entry.get(self.field), list)
        text = list(_joined(self.parts)) if listed else "".join(self.parts)
        return {**self.entry, self.field: text}


def _parts(text: Any) -> list[Any]:
    if isinstance(text, list):
        return text
    return [] if text is None else [text]


def merged(entries: Iterable[msgspec.Raw]) -> list[msgspec.Raw | Entry]:
    """Whole entries in order of appearance. A Raw is one that is passed on as it came."""
    result: list[msgspec.Raw | _Growing] = []
    for raw in entries:
        entry = _decoded(raw)
        if entry is None:
            continue
        field, kind = _text_field(entry)
        if not field:
            result.append(raw)
            continue
        # Of the kinds that grow, only a signature comes without text.
        said = isinstance(entry.get(field), kind)
        before = _continued(result, entry, 1 if said else _LOOK_BACK)
        if before is not None:
            before.add(entry)
        else:
            result.append(_Growing(entry, field) if said else raw)
    return [item.whole() if isinstance(item, _Growing) else item for item in result]


def _text_field(entry: Entry) -> tuple[str, type]:
    kind = entry.get("type")
    return _TEXT.get(kind, ("", str)) if isinstance(kind, str) else ("", str)


def _continued(
    result: Sequence[msgspec.Raw | _Growing], entry: Entry, look_back: int
) -> _Growing | None:
    for item in islice(reversed(result), look_back):
        if isinstance(item, _Growing) and item.continues(entry):
            return item
    return None


def _joined(items: Iterable[Any]) -> Iterator[Any]:
    """The items of Mistral's list, neighbouring texts as one."""
    texts: list[str] = []
    for item in items:
        if isinstance(item, dict) and item.keys() == {"type", "text"} and type(item["text"]) is str:
            texts.append(item["text"])
            continue
        if texts:
            yield {"type": "text", "text": "".join(texts)}
            texts = []
        yield item
    if texts:
        yield {"type": "text", "text": "".join(texts)}


def text_of(entries: Iterable[msgspec.Raw | Entry]) -> str:
    """All text of the entries."""
    places = (place for entry in entries for place in _places(entry, str))
    return "".join(holder[key] for holder, key in places)


def without_text(entries: Sequence[msgspec.Raw | Entry]) -> None:
    """Puts the number of its characters in the place of every text."""
    for entry in entries:
        for holder, key in _places(entry, str):
            holder[key] = len(holder[key])


def restored(entries: Iterable[msgspec.Raw], text: str) -> list[msgspec.Raw | Entry]:
    """The entries with their parts of `text`; nothing where that has changed."""
    result: list[msgspec.Raw | Entry] = []
    at, needed = 0, False
    for raw in entries:
        entry = _decoded(raw) or {}
        places = _places(entry, int)
        for holder, key in places:
            end = at + holder[key]
            holder[key] = text[at:end]
            at, needed = end, True
        result.append(entry if places else raw)
    return [] if needed and at != len(text) else result


def _places(entry: msgspec.Raw | Entry, kind: type) -> list[tuple[Entry, str]]:
    """Where texts of an entry stand, or their sizes: the object and its key."""
    if isinstance(entry, msgspec.Raw):
        return []
    field, _ = _text_field(entry)
    value = entry.get(field) if field else None
    if not isinstance(value, list):
        return [(entry, field)] if type(value) is kind else []
    inner = (item for item in value if isinstance(item, dict))
    return [(item, "text") for item in inner if type(item.get("text")) is kind]


def _decoded(raw: msgspec.Raw) -> Entry | None:
    try:
        entry = msgspec.json.decode(raw)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) else None
