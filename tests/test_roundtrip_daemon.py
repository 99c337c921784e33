"""Three turns with tools through the daemon, which is another one in every turn."""

import json
from typing import Any

import pytest
from msgspec import structs

from fcc.settings.files import Providers, shipped_dir
from tests.conftest import Ask, app_of
from tests.golden_rules import rules_for
from tests.grammar import read
from tests.pdf_files import pdf_base64
from tests.scripted import ASKED, Scripted
from tests.strict import problems
from tests.test_roundtrip import called, details, signed, sse, text

SHIPPED = Providers(shipped_dir() / "providers")
PROFILES = {name: SHIPPED.get(name) for name in SHIPPED.names}
TOOL = {"name": "Bash", "input_schema": {"type": "object", "properties": {"command": {}}}}
ENCRYPTED = {"type": "reasoning.encrypted", "data": "gAAA", "index": 0}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]}

FAMILIES: dict[str, tuple[str, list[dict[str, Any]], dict[str, Any]]] = {
    "deepseek": ("", [{"reasoning_content": "Hm."}], {"reasoning_content": "Hm."}),
    "moonshot": ("", [{"reasoning_content": "Hm."}], {"reasoning_content": "Hm."}),
    "zai": ("", [{"reasoning_content": "Hm."}], {"reasoning_content": "Hm."}),
    "ollama": ("qwen3", [{"reasoning": "Hm."}], {"reasoning": "Hm."}),
    "vllm": ("qwen3", [{"reasoning": "Hm."}], {"reasoning": "Hm."}),
    "minimax": (
        "",
        [{"content": "<think>Hm.</think>"}],
        {"content": "<think>\nHm.\n</think>"},
    ),
    "openrouter": (
        "anthropic/claude-opus-4.8",
        [details(text("Hm.", "SIG"), reasoning="Hm.")],
        {"reasoning_details": [text("Hm.", "SIG")]},
    ),
    "openrouter google": (
        "google/gemini-3-pro",
        [details(ENCRYPTED)],
        {"reasoning_details": [ENCRYPTED]},
    ),
    "mistral": ("magistral-medium-latest", [{"content": [THOUGHT]}], {"content": [THOUGHT]}),
    "gemini": ("gemini-3-pro", [], {}),
    "xai": ("", [{"reasoning_content": "Hm."}], {}),
}
"""Provider -> its model, the reasoning of an answer, and what has to come back."""


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("family", FAMILIES)
async def test_every_daemon_returns_what_another_one_was_sent(
    connect: Ask, family: str, stream: bool
) -> None:
    name, deltas, wanted = FAMILIES[family]
    provider = family.partition(" ")[0]
    model = name or PROFILES[provider].default_model
    profile = structs.replace(PROFILES[provider], default_model=model, models={})
    messages: list[Any] = [{"role": "user", "content": "go"}]
    bodies = []
    for turn in range(3):
        extra = signed(f"S{turn}") if family == "gemini" else {}
        backend = Scripted([sse(*deltas, called(f"callabcd{turn}", **extra))])
        environ = {profile.api_key_env: "sk-key"} if profile.api_key_env else {}
        client = await connect(app_of(profile, environ=environ), backend)
        asked = {**ASKED, "stream": stream, "tools": [TOOL], "messages": messages}
        response = await client.post("/v1/messages", json=asked)
        blocks = _blocks(await response.read(), stream=stream)
        use = next(block for block in blocks if block["type"] == "tool_use")
        result = {"type": "tool_result", "tool_use_id": use["id"], "content": "done"}
        messages += [
            {"role": "assistant", "content": blocks},
            {"role": "user", "content": [result]},
        ]
        bodies += backend.bodies
    assert problems(bodies[2], rules_for(f"{provider} {model}")) == []
    answers = [m for m in bodies[2]["messages"] if m["role"] == "assistant"]
    assert len(answers) == 2
    for turn, answer in enumerate(answers):
        assert {key: answer.get(key) for key in wanted} == wanted
        if family == "gemini":
            assert answer["tool_calls"][0]["extra_content"] == signed(f"S{turn}")["extra_content"]
    assert bodies[2]["messages"][: len(bodies[1]["messages"])] == bodies[1]["messages"]


def _blocks(raw: bytes, *, stream: bool) -> list[dict[str, Any]]:
    if not stream:
        blocks: list[dict[str, Any]] = json.loads(raw)["content"]
        return blocks
    blocks = []
    for block in read(raw).blocks:
        said = block.pop("raw")
        if block["type"] == "tool_use":
            blocks.append({**block, "input": json.loads(said)})
        elif block["type"] == "redacted_thinking":
            blocks.append(block)
        else:
            blocks.append({**block, block["type"]: said})
    return blocks


async def test_a_pdf_reaches_the_model_as_text(connect: Ask) -> None:
    backend = Scripted([sse({"content": "Read."}, finish="stop")])
    client = await connect(app_of(), backend)
    source = {
        "type": "base64",
        "media_type": "application/pdf",
        "data": pdf_base64("The answer is 42"),
    }
    pdf = {"type": "document", "title": "book.pdf", "source": source}
    fields = {"messages": [{"role": "user", "content": [pdf, {"type": "text", "text": "Well?"}]}]}
    await client.post("/v1/messages", json={**ASKED, **fields})
    (body,) = backend.bodies
    assert body["messages"] == [
        {"role": "user", "content": "book.pdf\n[page 1 of 1]\nThe answer is 42\nWell?"}
    ]


async def test_a_pdf_counts_by_its_text(connect: Ask) -> None:
    client = await connect(app_of())
    counts = []
    for words in ("one", "many words " * 20):
        source = {"type": "base64", "media_type": "application/pdf", "data": pdf_base64(words)}
        pdf = {"type": "document", "source": source}
        fields = {**ASKED, "messages": [{"role": "user", "content": [pdf]}]}
        response = await client.post("/v1/messages/count_tokens", json=fields)
        counts.append((await response.json())["input_tokens"])
    assert counts[0] + 40 < counts[1] < counts[0] + 80
