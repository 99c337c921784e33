"""What came and went over a stream, in as few lines as tell it?"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from fcc.errors import UpstreamServerError
from fcc.observe.trace import Stream
from fcc.wire.json import loads
from fcc.wire.sse import ServerSentEvent, SSEDecoder

__all__ = ["Row", "condensed"]

_SHOWN = 60
"""Characters of each end of a long text."""


class Row(NamedTuple):
    """Neighbours of one kind, as one."""

    begin: float
    """Seconds since the request began."""
    end: float
    kind: str
    events: int
    """How many events."""
    text: str


class _Told(NamedTuple):
    kind: str
    text: str
    joins: bool = False
    """Whether it goes on with what the one before it told."""


def condensed(stream: Stream) -> list[Row]:
    """Chunks or events, told together as long as they go on with the same; else bytes as text."""
    rows: list[Row] = []
    parts: list[str] = []
    for seconds, told in _told(stream):
        last = rows[-1] if rows else None
        if last is not None and last.kind == told.kind and told.joins:
            parts.append(told.text)
            rows[-1] = last._replace(end=seconds, events=last.events + 1)
            continue
        _close(rows, parts)
        rows.append(Row(seconds, seconds, told.kind, 1, ""))
        parts = [told.text]
    _close(rows, parts)
    return rows


def _close(rows: list[Row], parts: list[str]) -> None:
    if rows:
        rows[-1] = rows[-1]._replace(text=_ends("".join(parts)))


def _told(stream: Stream) -> Iterator[tuple[float, _Told]]:
    raw = stream.data.raw
    if not raw.lstrip().startswith((b"data:", b"event:", b":", b"id:")):
        if raw:
            yield (stream.reads[-1][0] if stream.reads else 0.0), _Told("bytes", _text(raw))
        return
    decoder, seconds = SSEDecoder(), 0.0
    try:
        for seconds, part in stream.parts():
            for event in decoder.feed(part):
                yield from ((seconds, told) for told in _event(event))
        for event in decoder.finish():
            yield from ((seconds, told) for told in _event(event))
    except UpstreamServerError as error:
        yield seconds, _Told("endless", error.message)


def _event(event: ServerSentEvent) -> Iterator[_Told]:
    try:
        value = loads(event.data)
    except (ValueError, RecursionError):
        yield _Told("data", _text(event.data))
        return
    if not isinstance(value, dict):
        yield _Told("data", _text(event.data))
    elif "type" in value and "choices" not in value:
        yield from _message_event(value, event)
    elif "choices" in value or "usage" in value:
        yield from _chunk(value, event)
    else:
        yield _Told("error" if "error" in value else "data", _text(event.data))


def _chunk(value: dict[str, Any], event: ServerSentEvent) -> Iterator[_Told]:
    """A chat.completion.chunk."""
    told = 0
    for choice in value.get("choices") or ():
        if isinstance(choice, dict):
            for one in _delta(choice.get("delta") or choice.get("message")):
                told += 1
                yield one
            if choice.get("finish_reason"):
                told += 1
                yield _Told("finish_reason", str(choice["finish_reason"]))
    if value.get("error"):
        yield _Told("error", _text(event.data))
    elif value.get("usage"):
        yield _Told("usage", str(value["usage"]))
    elif not told:
        yield _Told("empty chunk", "", joins=True)


def _delta(delta: Any) -> Iterator[_Told]:
    for key, value in delta.items() if isinstance(delta, dict) else ():
        if key == "tool_calls":
            for call in value or ():
                yield from _call(call)
        elif isinstance(value, str) and key != "role":
            if value:
                yield _Told(key, value, joins=True)
        elif value and key != "role":
            yield _Told(key, str(value), joins=True)


def _call(call: Any) -> Iterator[_Told]:
    function = call.get("function") if isinstance(call, dict) else None
    if isinstance(function, dict):
        if function.get("name"):
            yield _Told(f"call {call.get('index', '-')}", str(function["name"]))
        if function.get("arguments"):
            kind = f"arguments {call.get('index', '-')}"
            yield _Told(kind, str(function["arguments"]), joins=True)


def _message_event(value: dict[str, Any], event: ServerSentEvent) -> Iterator[_Told]:
    """An event of the Messages API."""
    kind, index = str(value["type"]), value.get("index")
    if kind == "content_block_start":
        block = value.get("content_block") or {}
        yield _Told(f"block {index}", f"{block.get('type')} {block.get('name', '')}".strip())
    elif kind == "content_block_delta":
        delta = value.get("delta") or {}
        texts = [text for key, text in delta.items() if key != "type" and isinstance(text, str)]
        yield _Told(f"{delta.get('type')} {index}", "".join(texts), joins=True)
    elif kind == "message_delta":
        delta = value.get("delta") or {}
        yield _Told("stop_reason", f"{delta.get('stop_reason')} {value.get('usage') or ''}".strip())
    elif kind == "error":
        yield _Told("error", _text(event.data))
    else:
        yield _Told(kind, "" if index is None else str(index), joins=kind == "ping")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _ends(text: str) -> str:
    """Beginning and end of a long text, on one line."""
    shown = text.replace("\n", "⏎").replace("\r", "")
    if len(shown) <= 2 * _SHOWN + 20:
        return shown
    return f"{shown[:_SHOWN]} … {shown[-_SHOWN:]} ({len(text):,} characters)"
