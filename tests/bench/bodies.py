"""What does Claude Code send? Messages requests of a given size, the same at every call.

A small one is a lone question. A larger one is a session under way: tools with their schemas,
a system prompt, and turns of tool_use and tool_result that grow until the size is reached.
"""

import json
import random
import re
from functools import cache
from typing import Any

__all__ = ["ORDER", "request"]

ORDER = re.compile(rb"\(send (\d+) chunks, one every (\d+) ms\)")
"""How a request tells the upstream what to answer; 0 ms: as fast as it can."""

_TOOLS = 77_000
"""Bytes of tools in a session of Claude Code with a few MCP servers."""
_SYSTEM = 14_000
_LONE = 10_000
"""Bytes up to which a request has neither tools nor history."""

_TEXT = (
    "the file returns a value when path is not found and then calls read with an offset so that "
    "only new lines are parsed while each test keeps its own state in memory until it ends"
)
_WORDS = _TEXT.split()
_OWN = ("Bash", "Read", "Edit", "Write", "Glob", "Grep", "Task", "WebFetch", "TodoWrite")


@cache
def request(size: int, chunks: int, pace_ms: int) -> bytes:
    """A streaming request of about `size` bytes that orders its answer."""
    order = f"Please go on. (send {chunks} chunks, one every {pace_ms} ms)"
    body = _lone(size, order) if size <= _LONE else _session(size, order)
    return _json(body)


def _lone(size: int, order: str) -> dict[str, Any]:
    body = {
        "model": "claude-haiku-4-5",
        "max_tokens": 512,
        "system": [{"type": "text", "text": "You are a careful assistant."}],
        "messages": [{"role": "user", "content": order}],
        "metadata": {"user_id": "user_0_account__session_0"},
        "stream": True,
    }
    missing = max(0, size - len(_json(body)))
    body["messages"] = [{"role": "user", "content": f"{order} {_prose(missing)[:missing]}"}]
    return body


def _session(size: int, order: str) -> dict[str, Any]:
    reminder = {"type": "text", "text": f"<system-reminder>\n{_prose(600)}\n</system-reminder>"}
    marked = {"cache_control": {"type": "ephemeral"}}
    body: dict[str, Any] = {
        "model": "claude-sonnet-4-5",
        "messages": [{"role": "user", "content": [reminder, {"type": "text", "text": order}]}],
        "system": [{"type": "text", "text": _prose(min(_SYSTEM, size // 6)), **marked}],
        "tools": _tools(min(_TOOLS, size // 2)),
        "metadata": {"user_id": "user_0_account__session_0"},
        "max_tokens": 32_000,
        "thinking": {"type": "enabled", "budget_tokens": 31_999},
        "stream": True,
    }
    length = len(_json(body))
    turn = 0
    while length < size:
        turns = _turns(turn, room=size - length)
        body["messages"] += turns
        length += len(_json(turns))
        turn += 1
    body["messages"][-1]["content"][-1].update(marked)
    return body


def _turns(number: int, room: int) -> list[dict[str, Any]]:
    """A call with its result: as long as such results are, and no longer than `room`."""
    length = max(1, min(room - 700, 1500 + number * 977 % 6000))
    uses = (
        ("Read", {"file_path": f"/home/me/project/src/module_{number}.py", "limit": 200}),
        ("Bash", {"command": f"grep -rn 'def f{number}' src | head -20", "description": "Look"}),
        ("Edit", {"file_path": f"src/m{number}.py", "old_string": _code(9), "new_string": "x"}),
    )
    name, given = uses[number % 3]
    call = f"toolu_{number:024d}"
    said = {"type": "text", "text": f"I will look at module {number}. {_prose(120)}"}
    use = {"type": "tool_use", "id": call, "name": name, "input": given}
    result = {"type": "tool_result", "tool_use_id": call, "content": _code(length // 60)}
    return [{"role": "assistant", "content": [said, use]}, {"role": "user", "content": [result]}]


def _tools(size: int) -> list[dict[str, Any]]:
    tools: list[dict[str, Any]] = []
    length = 2
    while length < size:
        name = _OWN[len(tools)] if len(tools) < len(_OWN) else f"mcp__server__tool_{len(tools)}"
        described = 3000 if len(tools) < len(_OWN) else 500
        tools.append(
            {
                "name": name,
                "description": _prose(min(described, size - length)),
                "input_schema": _schema(len(tools)),
            }
        )
        length += len(_json(tools[-1])) + 1
    return tools


def _schema(number: int) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "file_path": {"type": "string", "description": _prose(90)},
        "limit": {"type": "integer", "minimum": 1, "exclusiveMinimum": 0},
        "mode": {"type": "string", "enum": ["one", "all", "none"], "default": "all"},
        "edits": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "old": {"type": "string", "description": _prose(60)},
                    "new": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                },
                "required": ["old", "new"],
                "additionalProperties": False,
            },
        },
    }
    if number % 2:
        properties["uri"] = {"type": "string", "format": "uri", "description": _prose(70)}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": ["file_path"],
        "additionalProperties": False,
    }


def _prose(length: int) -> str:
    chosen = random.Random(length)  # the same every time
    words: list[str] = []
    left = length
    while left > 0:
        word = chosen.choice(_WORDS)
        words.append(word)
        left -= len(word) + 1
    return " ".join(words)


def _code(lines: int) -> str:
    """Source text as tools return it: numbered, quoted, indented, not all of it ASCII."""
    return "\n".join(
        f'{number:6d}→    if path["{_WORDS[number % len(_WORDS)]}"] != "a\\tb":  # line {number}'
        for number in range(1, lines + 2)
    )


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
