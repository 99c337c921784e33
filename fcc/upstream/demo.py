"""The embedded demo provider: a chat-completions backend inside the process.

It streams reasoning, text and, when asked, a harmless tool call, as bytes that take the same
path as a real provider's. What it does depends on the last user text alone: "tool" in it makes
it call a read-only tool that the client declared, once; anything else is answered in words.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Final

import msgspec

from fcc.diagnosis.verdict import Source
from fcc.upstream.backend import Told, UpstreamStream, unheard
from fcc.wire.events import encode

__all__ = ["DemoBackend"]

PACE: Final = 0.015
"""Seconds between two chunks: fast enough not to bore, slow enough to be seen streaming."""

_REMINDER: Final = re.compile(r"<system-reminder>.*?</system-reminder>", re.DOTALL)

_HARMLESS: Final[dict[str, dict[str, Any]]] = {
    "Bash": {"command": "echo 'fcc works'", "description": "Print a line"},
    "Glob": {"pattern": "*"},
    "Read": {"file_path": "README.md"},
}


class DemoBackend:
    """`post(body)` streams an answer to the last thing the user said."""

    def __init__(self, sleep: Callable[[float], Awaitable[object]] = asyncio.sleep) -> None:
        self._sleep = sleep

    @asynccontextmanager
    async def post(
        self, body: bytes, source: Source, told: Told = unheard
    ) -> AsyncIterator[UpstreamStream]:
        """Never refuses."""
        told(())
        request = msgspec.json.decode(body)
        yield _Chunks(_chunks(request, source.model), self._sleep)


class _Chunks:
    """Chunks, one a read."""

    def __init__(
        self, chunks: Iterator[bytes], sleep: Callable[[float], Awaitable[object]]
    ) -> None:
        self._chunks = chunks
        self._sleep = sleep

    async def read(self) -> bytes:
        await self._sleep(PACE)
        return next(self._chunks, b"")


def _chunks(request: dict[str, Any], model: str) -> Iterator[bytes]:
    asked = _last_text(request["messages"])
    call = _harmless_call(request, asked)
    reasoning = "The demo provider has no model behind it; I answer by rote. "
    said = "I will call a tool, as you asked." if call else _answer(request, asked)
    for word in _words(reasoning):
        yield _chunk(model, {"reasoning_content": word})
    for word in _words(said):
        yield _chunk(model, {"content": word})
    if call:
        name, arguments = call
        yield _chunk(model, {"tool_calls": [_call(name, "")]})
        for part in _words(encode(arguments).decode()):
            yield _chunk(model, {"tool_calls": [_call(None, part)]})
    yield _chunk(model, {}, "tool_calls" if call else "stop")
    counts = {
        "prompt_tokens": len(encode(request["messages"])) // 4,
        "completion_tokens": len(reasoning + said) // 4,
    }
    yield _data({"object": "chat.completion.chunk", "model": model, "choices": [], "usage": counts})
    yield b"data: [DONE]\n\n"


def _answer(request: dict[str, Any], asked: str) -> str:
    if request["messages"][-1]["role"] == "tool":
        result = str(request["messages"][-1].get("content", ""))[:200]
        return f"The tool answered: {result}\n\nThis whole turn went through fcc."
    quote = " ".join(asked.split())[:80]
    return (
        f"This is fcc's demo provider: no model, no key, no network. You said: {quote!r}. "
        'Say "use a tool" to see a tool call. For a real model, set a provider\'s key and run '
        "`fcc serve --provider NAME`; `fcc doctor` checks the set-up."
    )


def _harmless_call(request: dict[str, Any], asked: str) -> tuple[str, dict[str, Any]] | None:
    if "tool" not in asked.lower() or request["messages"][-1]["role"] == "tool":
        return None
    declared = {tool["function"]["name"] for tool in request.get("tools", ())}
    return next(((name, _HARMLESS[name]) for name in _HARMLESS if name in declared), None)


def _last_text(messages: list[dict[str, Any]]) -> str:
    """The user's newest words, without the reminders that Claude Code puts around them."""
    for message in reversed(messages):
        if message["role"] == "user":
            content = message["content"]
            parts = [content] if isinstance(content, str) else [p.get("text", "") for p in content]
            text = "\n".join(parts)
            words = _REMINDER.sub("", text).strip()
            if words:
                return words
    return ""


def _words(text: str) -> Iterator[str]:
    for start in range(0, len(text), 12):
        yield text[start : start + 12]


def _call(name: str | None, arguments: str) -> dict[str, Any]:
    if name is None:
        return {"index": 0, "function": {"arguments": arguments}}
    function = {"name": name, "arguments": arguments}
    return {"index": 0, "id": None, "type": "function", "function": function}


def _chunk(model: str, delta: dict[str, Any], finish_reason: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return _data({"object": "chat.completion.chunk", "model": model, "choices": [choice]})


def _data(chunk: dict[str, Any]) -> bytes:
    return b"data: %b\n\n" % encode(chunk)
