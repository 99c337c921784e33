"""What do the events of a stream tell together, and how is a part of it told otherwise?

A model's words come in pieces: a key, a name or a sentence lies in the deltas of many events. Here
the pieces of each field are joined, changed as a whole, and given back to their events; events
that nothing changes in keep their bytes.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import msgspec

from fcc.wire.json import loads

__all__ = ["Edit", "Rewrite", "moved", "retold"]

_DEEPEST: Final = 100
"""Levels of JSON that are looked into: what a chunk tells lies in the first ten."""

Rewrite = Callable[[str, str], list[tuple[int, int, str]]]
"""Path of a field, its joined text -> places in it, in order, and what stands there instead."""


class Edit(NamedTuple):
    """From `start` to `end` there are `size` bytes instead."""

    start: int
    end: int
    size: int


class _Piece(NamedTuple):
    """A string in an event, and where it begins in what the field tells."""

    holder: dict[str, Any]
    key: str
    line: int
    at: int


class _Line(NamedTuple):
    """An event's JSON in the stream."""

    start: int
    end: int
    value: Any
    """JSON, or bytes that are none."""


def retold(raw: bytes, rewrite: Rewrite, *, all_fields: bool = False) -> tuple[bytes, list[Edit]]:
    """The stream with each field's text as `rewrite` wants it, and what has moved.

    Fields are those below a `delta`, or all; what is no JSON is told under the path "".
    """
    lines = _lines(raw)
    fields: dict[str, list[_Piece]] = {}
    sizes: dict[str, int] = {}
    for number, line in enumerate(lines):
        for path, holder, key in _strings(line.value, "", told=all_fields):
            pieces = fields.setdefault(path, [])
            at = sizes.get(path, 0)
            pieces.append(_Piece(holder, key, number, at))
            sizes[path] = at + len(holder[key])
    changed: set[int] = set()
    if all_fields:
        changed |= _unread(lines, rewrite)
    for path, pieces in fields.items():
        text = "".join([piece.holder[piece.key] for piece in pieces])
        changed |= _rewritten(pieces, text, rewrite(path, text))
    return _put(raw, [lines[number] for number in sorted(changed)])


def moved(ends: Iterable[int], edits: list[Edit]) -> list[int]:
    """Where these places are after the edits; one inside of an edit is at its end."""
    places, shift, next_edit = [], 0, 0
    for end in ends:
        while next_edit < len(edits) and edits[next_edit].end <= end:
            edit = edits[next_edit]
            shift += edit.size - (edit.end - edit.start)
            next_edit += 1
        place = end + shift
        if next_edit < len(edits) and edits[next_edit].start < end:
            place = edits[next_edit].start + shift + edits[next_edit].size
        places.append(place)
    return places


def _lines(raw: bytes) -> list[_Line]:
    """What the events carry. One that is told in several lines is one value."""
    found: list[_Line] = []
    start, open_event = 0, False
    for line in raw.splitlines(keepends=True):
        data = line.removeprefix(b"data:").strip()
        if line.startswith(b"data:") or data.startswith((b"{", b"[")):
            begin = start + line.index(data, 5 if line.startswith(b"data:") else 0)
            end = begin + len(data)
            last = found[-1] if found else None
            if open_event and last is not None and isinstance(last.value, bytes):
                found[-1] = _line(last.start, end, last.value + b"\n" + data)
            else:
                found.append(_line(begin, end, data))
            open_event = True
        elif not data:
            open_event = False
        start += len(line)
    return found


def _line(start: int, end: int, data: bytes) -> _Line:
    """What is cut, or no JSON, is its bytes."""
    try:
        value = loads(data) if data.startswith((b"{", b"[")) else data
    except (ValueError, RecursionError):
        value = data
    return _Line(start, end, value)


def _unread(lines: list[_Line], rewrite: Rewrite) -> set[int]:
    """The lines without JSON that have changed."""
    changed = set()
    for number, line in enumerate(lines):
        if isinstance(line.value, bytes) and line.value != b"[DONE]":
            text = line.value.decode("utf-8", "replace")
            parts, at = [], 0
            for start, end, new in rewrite("", text):
                parts += [text[at:start], new]
                at = end
            if parts:
                lines[number] = line._replace(value="".join([*parts, text[at:]]).encode())
                changed.add(number)
    return changed


def _strings(
    value: Any, path: str, *, told: bool, depth: int = 0
) -> Iterable[tuple[str, dict[str, Any], str]]:
    """Each string below a `delta`, or everywhere if `told`, with the path of its field."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for place, item in enumerate(value):
            # What carries an index of its own tells by it which one it is.
            numbered = isinstance(item, dict) and isinstance(item.get("index"), int)
            inner = path if numbered else f"{path}/{place}"
            yield from _strings(item, inner, told=told, depth=depth + 1)
    elif isinstance(value, dict):
        index = value.get("index")
        path = f"{path}#{index}" if isinstance(index, int) else path
        for key, item in value.items():
            if isinstance(item, str):
                if told:
                    yield f"{path}/{key}", value, key
            elif isinstance(item, dict | list):
                below = told or key == "delta"
                yield from _strings(item, f"{path}/{key}", told=below, depth=depth + 1)


def _rewritten(pieces: list[_Piece], text: str, edits: list[tuple[int, int, str]]) -> set[int]:
    """The lines that have changed; a new text stands in the piece where its place begins."""
    begins = [piece.at for piece in pieces]
    parts: dict[int, list[str]] = {}
    done: dict[int, int] = {}
    for start, end, new in edits:
        first = bisect_right(begins, start) - 1
        place, put = first, new
        while place < len(pieces) and (pieces[place].at < end or place == first):
            begin = pieces[place].at
            kept = text[done.get(place, begin) : max(start, begin)]
            parts.setdefault(place, []).append(kept + put)
            done[place] = min(end, begin + len(pieces[place].holder[pieces[place].key]))
            place, put = place + 1, ""
    for place, changed in parts.items():
        piece = pieces[place]
        tail = text[done[place] : piece.at + len(piece.holder[piece.key])]
        piece.holder[piece.key] = "".join([*changed, tail])
    return {pieces[place].line for place in parts}


def _put(raw: bytes, lines: list[_Line]) -> tuple[bytes, list[Edit]]:
    parts, edits, at = [], [], 0
    for line in lines:
        value = line.value
        # What was told in several lines stays so.
        new = value if isinstance(value, bytes) else msgspec.json.encode(value)
        new = new.replace(b"\n", b"\ndata: ")
        parts += [raw[at : line.start], new]
        edits.append(Edit(line.start, line.end, len(new)))
        at = line.end
    return b"".join([*parts, raw[at:]]), edits
