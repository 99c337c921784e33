"""What nobody expects: random JSON, and recordings with something changed in them."""

import json
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, Final

__all__ = ["ERRORS", "RECORDINGS", "REQUESTS", "changed", "copied", "cut", "mangled", "value"]

_FIXTURES: Final = Path(__file__).parents[1] / "fixtures"

RECORDINGS: Final = [path.read_bytes() for path in sorted((_FIXTURES / "streams").glob("*.sse"))]
"""Streams as providers sent them."""

REQUESTS: Final = [
    json.loads(path.read_bytes()) for path in sorted((_FIXTURES / "golden").glob("*.request.json"))
]
"""Messages requests as Claude Code sends them."""

ERRORS: Final = json.loads((_FIXTURES / "errors.json").read_bytes())
"""Error answers as providers sent them."""

_TEXTS: Final = (
    "", " ", "\n", "a", "0", "null", "true", "5", "-1", "1e999", "text", "stop", "tool_calls",
    "length", "error", "Bash", "Read", "call_1", "toolu_1", "ünï 🙂", "\ud800", "\u2028", "\x00",
    "{", "}", '{"a":', '{"command": "ls"}', "[]", '"', "\\", "<", "<think>", "</think>", "<think",
    "<tool_call>", "</tool_call>", '<tool_call>{"name": "Bash", "arguments": {"command": "ls"}}',
    "<function=Bash><parameter=command>ls</parameter></function>", "<|channel|>", "```json\n",
    "<|tool_calls_section_begin|>", "[TOOL_CALLS]", "data: [DONE]", "maximum context length is 10",
    "[SUGGESTION MODE:", "<policy_spec> Command: ls", "text/event-stream", "ephemeral", "x" * 300,
)  # fmt: skip

_NUMBERS: Final = (0, 1, -1, 2, 5, 429, 500, 2**31, 2**63, 10**30, 0.5, -0.0, 1e308)

KEYS: Final = (
    "index", "id", "type", "function", "name", "arguments", "content", "reasoning_content",
    "reasoning", "reasoning_details", "tool_calls", "delta", "choices", "finish_reason", "usage",
    "prompt_tokens", "completion_tokens", "error", "message", "code", "text", "thinking",
    "signature", "data", "role", "tool_use_id", "input", "source", "cache_control", "is_error",
    "media_type", "title", "input_schema", "properties", "required", "anyOf", "$ref", "enum",
    "extra_content", "stop_reason", "refusal", "tools", "system", "max_tokens", "stream",
)  # fmt: skip


def value(dice: Random, depth: int = 3) -> Any:
    """Any JSON."""
    kind = dice.random()
    if depth and kind < 0.15:
        return [value(dice, depth - 1) for _ in range(dice.randrange(4))]
    if depth and kind < 0.35:
        return {_key(dice): value(dice, depth - 1) for _ in range(dice.randrange(4))}
    if kind < 0.65:
        return dice.choice(_TEXTS)
    if kind < 0.85:
        return dice.choice(_NUMBERS)
    return dice.choice((None, True, False))


def changed(dice: Random, whole: Any) -> Any:
    """`whole` with one place in it that is another value, gone, doubled, or taken from elsewhere."""
    places = _places(whole)
    if not places:
        return value(dice)
    parent, key = dice.choice(places)
    act = dice.randrange(8)
    if act == 0 and isinstance(parent, dict):
        del parent[key]
    elif act == 1 and isinstance(parent, list):
        parent.insert(key, parent[key])
    elif act == 2 and isinstance(parent, dict):
        parent[_key(dice)] = parent[key]
    elif act == 3:
        other, where = dice.choice(places)
        parent[key] = copied(other[where])
    elif isinstance(parent[key], str) and act in (4, 5):
        parent[key] = _spliced(dice, parent[key])
    else:
        parent[key] = value(dice)
    return whole


def mangled(dice: Random, raw: bytes) -> bytes:
    """`raw` with some bytes of it gone, doubled, changed, or put in from elsewhere."""
    for _ in range(dice.randrange(1, 4)):
        at, to = sorted((dice.randrange(len(raw) + 1), dice.randrange(len(raw) + 1)))
        if dice.random() < 0.7:
            to = min(to, at + dice.randrange(20))
        match dice.randrange(5):
            case 0:
                raw = raw[:at] + raw[to:]
            case 1:
                raw = raw[:to] + raw[at:to] + raw[to:]
            case 2:
                raw = raw[:at] + bytes([dice.randrange(256)]) + raw[at + 1 :]
            case 3:
                other = dice.choice(RECORDINGS)
                begin = dice.randrange(len(other) + 1)
                raw = raw[:at] + other[begin : begin + dice.randrange(200)] + raw[to:]
            case _:
                raw = raw[:at] + dice.choice(_MARKS) + raw[at:]
    return raw


_MARKS: Final = (
    b"\n", b"\r", b"\r\n", b"\n\n", b"\r\r", b":", b": x\n", b"data:", b"data: ", b"data\n", b"id: 1\n",
    b"event: error\n", b"retry: 5\n", b"\xef\xbb\xbf", b"\x00", b"\xff", b"data: [DONE]\n\n",
    b"data: null\n\n", b"data: {}\n\n", b'data: {"error":"x"}\n\n', b"\xe2\x80\xa8", b"{", b"<html>",
)  # fmt: skip


def cut(dice: Random, raw: bytes) -> list[bytes]:
    """`raw` in pieces: mostly few, as bytes cost time, and now and then byte by byte."""
    if dice.random() < 0.03:
        return [raw[at : at + 1] for at in range(len(raw))]
    count = dice.choice((0, 1, 2, 5, 12))
    places = [0, *sorted(dice.randrange(len(raw) + 1) for _ in range(count)), len(raw)]
    return [raw[at:to] for at, to in pairwise(places) if to > at]


def _key(dice: Random) -> str:
    return dice.choice(KEYS if dice.random() < 0.9 else _TEXTS)


def _spliced(dice: Random, text: str) -> str:
    at, to = sorted((dice.randrange(len(text) + 1), dice.randrange(len(text) + 1)))
    return text[:at] + dice.choice(("", *_TEXTS)) + text[to:]


def _places(whole: Any) -> list[tuple[Any, Any]]:
    """Every place of a value, as what holds it and the key there; not too many of them."""
    places: list[tuple[Any, Any]] = []
    waiting = [whole] if isinstance(whole, dict | list) else []
    while waiting and len(places) < 400:
        parent = waiting.pop()
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        for key in keys:
            places.append((parent, key))
            if isinstance(parent[key], dict | list):
                waiting.append(parent[key])
    return places


def copied(part: Any) -> Any:
    """A part that can be changed."""
    return json.loads(json.dumps(part)) if isinstance(part, dict | list) else part
