"""The demo provider: the bytes of a backend, by rote."""

import asyncio
import json
from typing import Any

from fcc.diagnosis.verdict import Source
from fcc.upstream.demo import PACE, DemoBackend
from tests.clock import virtually

SOURCE = Source("demo", "demo")


def tool(name: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": {}}}


def asked(*messages: Any, tools: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """The chunks of the answer."""
    body = {
        "model": "demo",
        "messages": list(messages),
        **({"tools": [*map(tool, tools)]} if tools else {}),
    }

    async def main() -> bytes:
        reads: list[bytes] = []
        slept: list[float] = []

        async def sleep(seconds: float) -> None:
            slept.append(seconds)

        async with DemoBackend(sleep).post(json.dumps(body).encode(), SOURCE) as stream:
            while raw := await stream.read():
                reads.append(raw)
            assert await stream.read() == b""
        assert set(slept) == {PACE}
        return b"".join(reads)

    raw = virtually(main())
    assert raw.endswith(b"data: [DONE]\n\n")
    parts = raw.decode().removesuffix("data: [DONE]\n\n").split("\n\n")[:-1]
    return [json.loads(part.removeprefix("data: ")) for part in parts]


def said(chunks: list[dict[str, Any]], field: str = "content") -> str:
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    return "".join(delta.get(field) or "" for delta in deltas)


def called(chunks: list[dict[str, Any]]) -> tuple[str, dict[str, Any]] | None:
    functions = [
        call["function"]
        for chunk in chunks
        for choice in chunk["choices"]
        for call in choice["delta"].get("tool_calls", ())
    ]
    if not functions:
        return None
    return functions[0]["name"], json.loads("".join(f["arguments"] for f in functions))


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_it_reasons_answers_counts_and_ends() -> None:
    chunks = asked(user("hello there"))
    assert "no model" in said(chunks, "reasoning_content")
    assert "'hello there'" in said(chunks)
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["prompt_tokens"] > 0
    assert chunks[-1]["usage"]["completion_tokens"] > 0


def test_it_calls_a_declared_harmless_tool_when_asked_to() -> None:
    chunks = asked(user("please use a TOOL"), tools=("Write", "Bash", "Read"))
    name, arguments = called(chunks)
    assert name == "Bash"
    assert arguments["command"].startswith("echo ")
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_it_calls_no_tool_that_was_not_declared() -> None:
    assert called(asked(user("use a tool"))) is None
    assert called(asked(user("use a tool"), tools=("Write", "Edit"))) is None
    assert called(asked(user("use a tool"), tools=("Read",)))[0] == "Read"


def test_it_calls_a_tool_once_and_tells_the_result() -> None:
    chunks = asked(
        user("use a tool"),
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "c", "content": "fcc works"},
        tools=("Bash",),
    )
    assert called(chunks) is None
    assert "fcc works" in said(chunks)


def test_it_hears_the_users_words_among_reminders_and_parts() -> None:
    reminder = "<system-reminder>a tool is there</system-reminder>"
    chunks = asked(user([{"type": "text", "text": reminder}, {"type": "image_url"},
                         {"type": "text", "text": "good day"}]), tools=("Bash",))  # fmt: skip
    assert "'good day'" in said(chunks)
    assert called(chunks) is None
    assert "'good day'" in said(asked(user("good day"), user(reminder)))
    assert "''" in said(asked({"role": "system", "content": "tool"}))


def test_it_takes_its_time() -> None:
    async def main() -> float:
        began = asyncio.get_running_loop().time()
        async with DemoBackend().post(
            json.dumps({"messages": [user("x")]}).encode(), SOURCE
        ) as stream:
            await stream.read()
        return asyncio.get_running_loop().time() - began

    assert round(virtually(main()), 6) == PACE
