"""Which whole answers does the chaos spoil, as bytes on the wire and as a client has them?"""

import json
from pathlib import Path
from typing import Any

import msgspec

from tests.scripted import DONE, chunk, usage

__all__ = [
    "ANSWERS",
    "CALL",
    "HEAD",
    "HEAD_CHUNKED",
    "HEAD_CLOSE",
    "TEXT",
    "TOOL",
    "Recorded",
    "framed",
]

_STREAMS = Path(__file__).parents[1] / "fixtures" / "streams"

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
"""Without its end."""
HEAD_CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
HEAD_CLOSE = HEAD + b"Connection: close\r\n\r\n"

TOOL = {"name": "Read", "input_schema": {"type": "object", "properties": {"file_path": {}}}}


_COUNTS = ("prompt_tokens", "completion_tokens")


class Recorded(msgspec.Struct, frozen=True):
    """One answer."""

    events: tuple[bytes, ...]
    blocks: tuple[tuple[str, str], ...]
    """The type of each content block, and its text or its input as JSON."""

    @property
    def body(self) -> bytes:
        """The whole event stream."""
        return b"".join(self.events)

    @property
    def unfinished(self) -> bytes:
        """All events before the one that says why it ends."""
        return b"".join(self.events[: self._last])

    @property
    def half(self) -> bytes:
        """Some events, with content in them, and with nothing that tells of an end."""
        return b"".join(self.events[: self._last // 2 + 1])

    @property
    def finished(self) -> int:
        """How many bytes of the body it takes to know that nothing is missing."""
        return len(b"".join(self.events[: self._last + 1]).rstrip(b"\n"))

    @property
    def _last(self) -> int:
        """The place of the event that carries the finish_reason."""
        return next(
            place
            for place, event in enumerate(self.events)
            if b'"finish_reason":' in event and not _goes_on(event)
        )

    def close_delimited(self) -> bytes:
        """All bytes of a response that ends with its connection."""
        return HEAD_CLOSE + self.body

    def chunked(self) -> bytes:
        """All bytes of a response in chunks."""
        return HEAD_CHUNKED + b"".join(map(framed, self.events)) + b"0\r\n\r\n"


def framed(raw: bytes) -> bytes:
    """As one chunk of HTTP/1.1."""
    return b"%x\r\n%b\r\n" % (len(raw), raw)


def _goes_on(event: bytes) -> bool:
    choices = json.loads(event.removeprefix(b"data: "))["choices"]
    return not choices or choices[0]["finish_reason"] is None


def _events(name: str) -> tuple[bytes, ...]:
    """The events of a recording, without what tells nothing: there are cuts at every byte."""
    raw = (_STREAMS / f"{name}.sse").read_bytes()
    return tuple(_slim(event) + b"\n\n" for event in raw.split(b"\n\n") if event)


def _slim(event: bytes) -> bytes:
    if event == DONE.strip():
        return event
    told = json.loads(event.removeprefix(b"data: "))
    choices = [
        {"index": 0, "delta": _told(choice["delta"]), "finish_reason": choice["finish_reason"]}
        for choice in told["choices"]
    ]
    usage = {name: told["usage"][name] for name in _COUNTS} if told["usage"] else None
    return b"data: " + msgspec.json.encode(_told({"choices": choices, "usage": usage}))


def _told(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


TEXT = Recorded(
    events=(
        chunk(role="assistant"),
        chunk(content="One"),
        chunk(content=" and two, then"),
        chunk(content=" three."),
        chunk("stop"),
        usage(9, 7),
        DONE,
    ),
    blocks=(("text", "One and two, then three."),),
)

CALL = Recorded(
    events=_events("deepseek_reasoning_then_tool"),
    blocks=(
        ("thinking", "Need the file."),
        ("text", "Opening it."),
        ("tool_use", '{"file_path": "/m.py"}'),
    ),
)

ANSWERS = {"text": TEXT, "call": CALL}
