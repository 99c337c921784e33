"""Recorded answers with calls in their text: what fcc makes of them is written beside them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.dialects.table import DEFAULT
from fcc.translate.tools import DeclaredTool
from tests.dialect_texts import cut, cuts, said, scan, trimmed

STREAMS = Path(__file__).parent / "fixtures" / "streams"
NATIVE = {"negative_incremental_fragments_that_look_cumulative"}
NAMES = sorted(
    path.name.removesuffix(".sse")
    for pattern in ("dialect_*.sse", "negative_*.sse")
    for path in STREAMS.glob(pattern)
    if path.name.removesuffix(".sse") not in NATIVE
)


def answer(name: str, field: str = "content") -> tuple[str, str]:
    """An answer's text and its finish reason."""
    parts: list[str] = []
    reason = ""
    for line in (STREAMS / f"{name}.sse").read_text("utf-8").splitlines():
        if not line.startswith("data: {"):
            continue
        for choice in json.loads(line[6:]).get("choices", []):
            parts.append((choice.get("delta") or {}).get(field) or "")
            reason = choice.get("finish_reason") or reason
    return "".join(parts), reason


def expected(name: str) -> tuple[list[list[Any]], list[DeclaredTool]]:
    """The outcomes that are right, and the tools of the request."""
    case = json.loads((STREAMS / f"{name}.expect.json").read_text("utf-8"))
    outcomes = [case, *case.get("also_ok", ())]
    blocks = [
        [_block(block) for block in outcome["content"]]
        for outcome in outcomes
        if "content" in outcome
    ]
    schemas = case.get("tool_schemas", {})
    tools = [
        DeclaredTool(
            tool,
            {
                "type": "object",
                "properties": {k: {"type": t} for k, t in schemas.get(tool, {}).items()},
            },
        )
        for tool in case["tools"]
    ]
    return blocks, tools


def _block(block: dict[str, Any]) -> Any:
    match block["type"]:
        case "text":
            return block["text"].strip()
        case "thinking":
            return ("thinking", block["thinking"])
        case _:
            return (block["name"], block["input"])


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_answer_says_what_it_should_in_every_cut(name):
    text, reason = answer(name)
    outcomes, tools = expected(name)
    dialects = DEFAULT if tools else ()
    for parts in cuts(text):
        pieces = scan(parts, dialects=dialects, tools=tools, truncated=reason == "length")
        assert trimmed(said(pieces)) in outcomes


@given(data=st.data())
def test_where_a_recorded_answer_is_cut_does_not_matter(data):
    name = data.draw(st.sampled_from(NAMES))
    text, reason = answer(name)
    _outcomes, tools = expected(name)
    at = data.draw(st.lists(st.integers(0, len(text)), max_size=8))
    dialects = DEFAULT if tools else ()
    kind = {"dialects": dialects, "tools": tools, "truncated": reason == "length"}
    assert said(scan(cut(text, at), **kind)) == said(scan([text], **kind))


def test_a_call_inside_reasoning_is_found_and_the_rest_given_back():
    text, _reason = answer("kimi_tool_call_inside_reasoning", "reasoning_content")
    _outcomes, tools = expected("kimi_tool_call_inside_reasoning")
    for parts in cuts(text):
        pieces = scan(parts, dialects=("kimi_k2",), tools=tools, whole_message=False)
        assert trimmed(said(pieces)) == ["I need the listing.", ("Bash", {"command": "ls"})]


def test_the_generation_that_groq_refuses_is_read():
    name = "groq_event_error_tool_use_failed"
    outcomes, tools = expected(name)
    lines = (STREAMS / f"{name}.sse").read_text("utf-8").splitlines()
    errors = (json.loads(line[6:]) for line in lines if '"failed_generation"' in line)
    text = next(errors)["error"]["failed_generation"]
    assert said(scan([text], tools=tools)) in outcomes
