"""What did the client get: which blocks, which end, which error?"""

from typing import Any

import msgspec

from fcc.wire.json import loads
from fcc.wire.sse import SSEDecoder

__all__ = ["Answer", "Teller", "answer_of"]

_DELTAS = {"text_delta": "text", "thinking_delta": "thinking", "input_json_delta": "partial_json"}


class Answer(msgspec.Struct, omit_defaults=True):
    """An answer as a client has it at the end."""

    blocks: list[dict[str, Any]] = []
    """Those that were stopped: type, and text, thinking, or name and `raw` arguments."""
    open_block: dict[str, Any] | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: dict[str, Any] = {}
    error: dict[str, Any] | None = None
    """`type` and `message`."""
    began: bool = False


class Teller:
    """`feed(raw) -> events` of a streamed answer; `answer` is what they amount to so far."""

    def __init__(self) -> None:
        self._decoder = SSEDecoder()
        self._parts: list[str] = []
        self.answer = Answer(blocks=[], usage={})

    def feed(self, raw: bytes) -> list[dict[str, Any]]:
        """The events that `raw` completes."""
        events = []
        for event in self._decoder.feed(raw):
            try:
                value = loads(event.data)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                self._take(value)
                events.append(value)
        return events

    def _take(self, event: dict[str, Any]) -> None:
        answer = self.answer
        match event.get("type"):
            case "message_start":
                answer.began = True
                answer.usage = dict(event.get("message", {}).get("usage") or {})
            case "content_block_start":
                answer.open_block = dict(event.get("content_block") or {})
                self._parts = []
            case "content_block_delta":
                delta = event.get("delta") or {}
                self._parts.append(str(delta.get(_DELTAS.get(str(delta.get("type")), ""), "")))
            case "content_block_stop":
                answer.blocks.append(_block(answer.open_block or {}, "".join(self._parts)))
                answer.open_block = None
            case "message_delta":
                delta = event.get("delta") or {}
                answer.stop_reason = delta.get("stop_reason")
                answer.stop_sequence = delta.get("stop_sequence")
                answer.usage |= event.get("usage") or {}
            case "error":
                answer.error = dict(event.get("error") or {})
            case _:
                pass


def answer_of(raw: bytes) -> Answer:
    """Of a streamed answer, a whole one, or an error."""
    if not raw.lstrip().startswith(b"{"):
        teller = Teller()
        teller.feed(raw)
        return teller.answer
    try:
        value = loads(raw)
    except (ValueError, RecursionError):
        return Answer()
    if value.get("type") == "error":
        return Answer(error=dict(value.get("error") or {}))
    return Answer(
        blocks=[_whole(block) for block in value.get("content") or () if isinstance(block, dict)],
        stop_reason=value.get("stop_reason"),
        stop_sequence=value.get("stop_sequence"),
        usage=dict(value.get("usage") or {}),
        began=True,
    )


def _block(begun: dict[str, Any], told: str) -> dict[str, Any]:
    kind = str(begun.get("type"))
    if kind == "tool_use":
        return {"type": kind, "name": begun.get("name"), "raw": told}
    if kind in ("text", "thinking"):
        return {"type": kind, kind: told}
    return {"type": kind}


def _whole(block: dict[str, Any]) -> dict[str, Any]:
    kind = str(block.get("type"))
    if kind == "tool_use":
        raw = msgspec.json.encode(block.get("input")).decode()
        return {"type": kind, "name": block.get("name"), "raw": raw}
    return _block(block, str(block.get(kind) or ""))
