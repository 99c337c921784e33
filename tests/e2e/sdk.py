"""What the tests with the official SDK share: requests, and what the script answers."""

from typing import Any

import anthropic
from anthropic.types import Message

from tests.e2e.script import TRICKY
from tests.e2e.upstream import Upstream

SDK = int(anthropic.__version__.partition(".")[0])
"""1: API version 2023-06-01; 2: API version 2026-10-21."""
MODEL = "claude-sonnet-5-5"
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "The weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "note": {"type": "string"}},
        "required": ["city"],
    },
}


def ask(prompt: str, **more: Any) -> dict[str, Any]:
    """The arguments of `messages.create` for one prompt."""
    messages = [{"role": "user", "content": prompt}]
    return {"model": MODEL, "max_tokens": 1000, "messages": messages} | more


def answer(run: str) -> str:
    """What the script `text` says."""
    return f"Said for {run}. {TRICKY} The end."


def texts(message: Message) -> list[str]:
    return [block.text for block in message.content if block.type == "text"]


def inputs(message: Message) -> list[object]:
    """The inputs of the tool_use blocks."""
    return [block.input for block in message.content if block.type == "tool_use"]


def body_of(upstream: Upstream, run: str) -> dict[str, Any]:
    """The newest body that the provider got in this run."""
    return upstream.asked(run)[-1].body
