"""What `fcc bug` packs is a test of fcc as it stands: of every recorded stream, masked or not."""

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.observe.fixture import declared_names, expectation, refusal, streamed
from fcc.observe.masking import Masker
from fcc.observe.outcome import Outcome
from fcc.observe.told import answer_of
from fcc.observe.trace import Attempt, Data, Stream, Trace
from fcc.server.problems import error_event
from fcc.settings.profile import Model, Reply
from fcc.wire.events import frame
from tests.test_streams import NAMES, STREAMS, answer, cuts, translation_for, unlike


def recorded(name: str) -> tuple[Trace, Model, bytes]:
    """The stream as the recorder would have it, and what the client would have got."""
    expect = json.loads((STREAMS / f"{name}.expect.json").read_text())
    raw = (STREAMS / f"{name}.sse").read_bytes()
    translation = translation_for(expect)
    events = [event for part in cuts(raw, "random", name) for event in translation.feed(part)]
    events += translation.finish()
    sent = b"".join(map(frame, events))
    failure = translation.failure
    if failure is not None:
        sent += frame(error_event(failure, "req_1"))
    usage = translation.usage
    outcome = Outcome(
        request_id="req_1", at=1.0, status=200, estimated=usage is None,
        input=usage.input_tokens + usage.cache_read_input_tokens if usage else 0,
        output=translation.output_tokens,
        cached=usage.cache_read_input_tokens if usage else 0,
    )  # fmt: skip
    schemas = expect.get("tool_schemas") or {}
    tools = [_tool(tool, schemas.get(tool, {})) for tool in expect["tools"]]
    body = {"model": "m", "tools": tools, "messages": []}
    request = {
        "model": "claude",
        "stop_sequences": (expect.get("request") or {}).get("stop_sequences"),
    }
    attempt = Attempt(
        provider="p", model="m", status=200, received=Stream(Data.of(raw), [(0.1, len(raw))]),
        body=Data(json.dumps(body)), error_type=failure.error_type if failure else "",
    )  # fmt: skip
    trace = Trace(
        outcome=outcome, method="POST", path="/v1/messages", attempts=[attempt], bodies=True,
        body=Data(json.dumps(request)), sent=Stream(Data.of(sent), []),
    )  # fmt: skip
    profile = {
        k: v for k, v in (expect.get("profile") or {}).items() if k in Reply.__struct_fields__
    }
    return trace, Model(name="m", provider="p", reply=msgspec.convert(profile, Reply)), sent


def _tool(name: str, types: dict[str, Any]) -> dict[str, Any]:
    properties = {k: v if isinstance(v, dict) else {"type": v} for k, v in types.items()}
    schema = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def judged(expect: dict[str, Any], raw: bytes) -> str:
    """Why the fixture is no true one; "" if it is."""
    translation = translation_for(json.loads(json.dumps(expect)))
    got = answer(translation, cuts(raw, "random", "x"))
    return unlike(expect, got, translation.failure)


@pytest.mark.parametrize("name", NAMES)
def test_a_recorded_stream_is_a_fixture_that_holds(name: str) -> None:
    trace, model, sent = recorded(name)
    attempt = streamed(trace)
    assert attempt is not None
    assert attempt.received is not None
    assert judged(expectation(trace, attempt, sent, model), attempt.received.data.raw) == ""


STRUCTURE_IS_PROSE = {
    # Their words are what they test: which ones they are decides.
    name
    for name in NAMES
    if name.startswith(("dialect_pythonic", "negative_pythonic", "dialect_gemma3_tool_code"))
    # Each piece of its arguments begins anew: they are no text together.
    or name == "baidu_cumulative_arguments"
    # Numbers that are no text stay.
    or name == "minimax_arguments_as_object"
}


@pytest.mark.parametrize("name", [name for name in NAMES if name not in STRUCTURE_IS_PROSE])
def test_a_masked_stream_is_a_fixture_that_holds_too(name: str) -> None:
    trace, model, sent = recorded(name)
    attempt = streamed(trace)
    assert attempt is not None
    assert attempt.received is not None
    masker = Masker(declared_names(trace))
    raw = masker.stream(attempt.received.data.raw)
    expect = expectation(trace, attempt, masker.stream(sent), model)
    assert judged(expect, raw) == ""


def test_a_refusal_is_an_entry_of_the_table_of_refusals() -> None:
    attempt = Attempt(
        provider="p", model="m", status=429, error_type="rate_limit_error",
        response_headers=[("retry-after", "7"), ("date", "x"), ("x-ratelimit-limit", "1")],
        received=Stream(Data('{"error":{"message":"slow down"}}'), []),
    )  # fmt: skip
    outcome = Outcome(request_id="req_1", at=1.0)
    trace = Trace(outcome=outcome, method="POST", path="/", attempts=[attempt], bodies=True)
    assert streamed(trace) is None
    entry = refusal(trace, attempt)
    assert entry["body"] == {"error": {"message": "slow down"}}
    assert entry["headers"] == {"retry-after": "7", "x-ratelimit-limit": "1"}
    assert (entry["status"], entry["expect"]["type"]) == (429, "rate_limit_error")


@given(st.text())
def test_a_masked_text_has_the_same_length_and_no_word_of_its_own(text: str) -> None:
    masked = Masker().text(text)
    assert len(masked) == len(text)
    assert len(masked.encode("utf-8", "surrogatepass")) == len(
        text.encode("utf-8", "surrogatepass")
    )
    assert Masker().text(masked) == masked


MASKED = {
    "Read the file, please!": "Xxxx xxx xxxx, xxxxxx!",
    "Größe: 42 Äpfel": "Xxééx: 11 Éxxxx".replace("É", "é"),
    "<think>why</think>": "<think>xxx</think>",
    '{"file_path": "/src/main.py", "limit": 12, "deep": true}': None,
    "a\\nb\\u00e9c": "x\\nx\\u00e9x",
    "漢字": "文文",
}


@pytest.mark.parametrize("text", MASKED)
def test_what_frames_prose_stays(text: str) -> None:
    shown = MASKED[text] or '{"file_path": "/xxx/xxxx.xx", "limit": 11, "deep": true}'
    assert Masker(["file_path"]).text(text) == shown


def test_of_a_request_names_and_schemas_stay_and_words_go() -> None:
    request = {
        "model": "claude-opus-5-5",
        "system": [{"type": "text", "text": "Be kind", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": "my secret plan"},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {"path": "plan.txt"}},
                {"type": "thinking", "thinking": "hm", "signature": "fcc1.abc"}]},
        ],
        "tools": [{"name": "Read", "description": "Reads plans",
                   "input_schema": {"type": "object", "properties": {"path": {"type": "string",
                                    "description": "which plan", "enum": ["plan"]}}}}],
    }  # fmt: skip
    masked = json.loads(Masker(["Read", "path"]).json(json.dumps(request).encode()))
    text = json.dumps(masked)
    for word in ("kind", "secret", "plan.", "plans", "which", "abc", "hm"):
        assert word not in text
    assert masked["model"] == "claude-opus-5-5"
    assert masked["messages"][1]["content"][0]["name"] == "Read"
    assert masked["messages"][1]["content"][0]["input"] == {"path": "xxxx.xxx"}
    assert masked["tools"][0]["input_schema"]["properties"]["path"]["enum"] == ["plan"]


def test_an_answer_is_read_alike_streamed_and_whole() -> None:
    whole = {
        "type": "message", "stop_reason": "tool_use", "usage": {"output_tokens": 3},
        "content": [{"type": "text", "text": "a"},
                    {"type": "tool_use", "id": "t", "name": "Read", "input": {"x": 1}}],
    }  # fmt: skip
    events = [
        {"type": "message_start", "message": {"usage": {}}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "a"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "content_block_start", "index": 1,
         "content_block": {"type": "tool_use", "id": "t", "name": "Read", "input": {}}},
        {"type": "content_block_delta", "index": 1,
         "delta": {"type": "input_json_delta", "partial_json": '{"x":1}'}},
        {"type": "content_block_stop", "index": 1},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"},
         "usage": {"output_tokens": 3}},
    ]  # fmt: skip
    streamed = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    assert answer_of(streamed) == answer_of(json.dumps(whole).encode())


@pytest.mark.parametrize("raw", [b"", b"{", b"{}", b"<html>", b"data: x\n\n", b"\xff\xfe"])
def test_what_is_no_answer_is_an_empty_one(raw: bytes) -> None:
    got = answer_of(raw)
    assert (got.blocks, got.stop_reason, got.error) == ([], None, None)
