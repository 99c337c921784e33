"""An oracle of the Messages API's stream grammar; it shares no code with what it judges.

`read(raw)` parses a whole body and gives what a client would have of it, or raises Illegal.
"""

import json
import re
from dataclasses import dataclass, field


class Illegal(AssertionError):
    """The stream breaks a rule."""


@dataclass
class Seen:
    """What a client has at the end of a stream."""

    blocks: list[dict] = field(default_factory=list)
    open_block: dict | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: dict = field(default_factory=dict)
    error: dict | None = None
    message: dict | None = None
    ended: bool = False
    pings: int = 0


def events_of(raw: bytes) -> list[tuple[str, dict]]:
    text = raw.decode("utf-8")
    if text and not text.endswith("\n\n"):
        raise Illegal(f"the last event is not ended: {text[-80:]!r}")
    events = []
    for part in text.split("\n\n")[:-1]:
        lines = part.split("\n")
        if (
            len(lines) != 2
            or not lines[0].startswith("event: ")
            or not lines[1].startswith("data: ")
        ):
            raise Illegal(f"not one event line and one data line: {part!r}")
        data = json.loads(lines[1][6:])
        if data["type"] != lines[0][7:]:
            raise Illegal(f"event {lines[0][7:]} carries {data['type']}")
        events.append((data["type"], data))
    return events


_DELTAS = {
    "text_delta": ("text", "text"),
    "thinking_delta": ("thinking", "thinking"),
    "signature_delta": ("thinking", "signature"),
    "input_json_delta": ("tool_use", "partial_json"),
}


def read(raw: bytes) -> Seen:
    seen = Seen()
    for name, data in events_of(raw):
        if name == "ping":
            seen.pings += 1
            continue
        if seen.ended or seen.error is not None:
            raise Illegal(f"{name} after the end")
        if (seen.message is None) != (name == "message_start") and name != "error":
            raise Illegal(f"{name} out of place")
        _event(name, data, seen)
    return seen


def _event(name: str, data: dict, seen: Seen) -> None:
    if name == "message_start":
        seen.message = data["message"]
        if seen.message["content"] != [] or seen.message["role"] != "assistant":
            raise Illegal("message_start is not empty")
        seen.usage = dict(seen.message["usage"])
    elif name == "error":
        seen.error = data["error"]
    elif name == "content_block_start":
        if seen.open_block is not None or data["index"] != len(seen.blocks):
            raise Illegal(f"block {data['index']} opened out of line")
        if seen.stop_reason is not None:
            raise Illegal("a block after message_delta")
        block = dict(data["content_block"])
        if block["type"] == "tool_use" and block["input"] != {}:
            raise Illegal("input in content_block_start")
        block["raw"] = ""
        seen.open_block = block
        seen.blocks.append(block)
    elif name == "content_block_delta":
        block = seen.open_block
        if block is None or data["index"] != len(seen.blocks) - 1:
            raise Illegal(f"delta for block {data['index']}, which is not open")
        kind, key = _DELTAS[data["delta"]["type"]]
        if kind != block["type"]:
            raise Illegal(f"{data['delta']['type']} on a {block['type']} block")
        if key == "signature":
            block["signature"] += data["delta"][key]
        else:
            block["raw"] += data["delta"][key]
    elif name == "content_block_stop":
        if seen.open_block is None or data["index"] != len(seen.blocks) - 1:
            raise Illegal("stop of a block that is not open")
        seen.open_block = None
    elif name == "message_delta":
        if seen.stop_reason is not None:
            raise Illegal("a second message_delta")
        seen.stop_reason = data["delta"]["stop_reason"]
        seen.stop_sequence = data["delta"]["stop_sequence"]
        seen.usage |= data["usage"]
        if not isinstance(seen.stop_reason, str):
            raise Illegal("message_delta without a stop_reason")
    elif name == "message_stop":
        if seen.stop_reason is None:
            raise Illegal("message_stop before message_delta")
        seen.ended = True
    else:
        raise Illegal(f"unknown event {name}")


def content(seen: Seen) -> list[dict]:
    """The blocks that were stopped, in the shape of the fixtures' expectations."""
    ids = [block["id"] for block in seen.blocks if block["type"] == "tool_use"]
    if len(set(ids)) != len(ids) or not all(re.fullmatch(r"[a-zA-Z0-9_-]+", id_) for id_ in ids):
        raise Illegal(f"ids {ids}")
    blocks = []
    for block in seen.blocks:
        if block is seen.open_block:
            continue
        if block["type"] == "text":
            blocks.append({"type": "text", "text": block["raw"].strip()})
            if not block["raw"].strip():
                raise Illegal("a text block of white space")
        elif block["type"] == "thinking":
            blocks.append({"type": "thinking", "thinking": block["raw"].strip()})
            if not block["signature"]:
                raise Illegal("an unsigned thinking block")
        elif block["type"] == "redacted_thinking":
            blocks.append({"type": "redacted_thinking"})
            if not block["data"] or block["raw"]:
                raise Illegal(f"redacted_thinking {block}")
        else:
            blocks.append({"type": "tool_use", "name": block["name"], "raw": block["raw"]})
    return blocks
