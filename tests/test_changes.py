"""What the readable trace tells: what became of a request, and what went over a stream."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.observe.changes import changes, differences
from fcc.observe.condensed import Row, condensed
from fcc.observe.telling import Edit, moved, retold
from fcc.observe.trace import Data, Stream
from tests.scripted import DONE, call, chunk, data, usage
from tests.test_streams import NAMES, STREAMS

REQUEST: dict[str, Any] = {
    "model": "claude",
    "max_tokens": 32000,
    "temperature": 1,
    "metadata": {"user_id": "u"},
    "system": [{"type": "text", "text": "system text"}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "s"},
            {"type": "tool_use", "id": "t", "name": "Read", "input": {"b": 1, "a": 2}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "result"}]},
    ],
    "tools": [
        {"name": "Read", "input_schema": {"type": "object", "$schema": "x", "properties": {}}},
        {"name": "Gone", "input_schema": {}},
    ],
}  # fmt: skip

BODY: dict[str, Any] = {
    "model": "m",
    "max_tokens": 8192,
    "temperature": 1,
    "stream_options": {"include_usage": True},
    "messages": [
        {"role": "system", "content": "system text"},
        {"role": "user", "content": "one\n\ntwo"},
        {"role": "assistant", "content": None, "tool_calls": [
            {"type": "function", "function": {"name": "Read", "arguments": '{"a":2,"b":1}'}}]},
        {"role": "tool", "content": "result"},
        {"role": "user", "content": "an added reminder"},
    ],
    "tools": [{"type": "function", "function": {
        "name": "Read", "parameters": {"type": "object", "properties": {}}}}],
}  # fmt: skip


def test_each_field_text_and_tool_is_told_once() -> None:
    told = [f"{kind} {field} {words}".strip() for kind, field, words in changes(REQUEST, BODY)]
    assert told == [
        '~ model "claude" -> "m"',
        "~ max_tokens 32000 -> 8192",
        "= temperature 1",
        '- metadata {"user_id": "u"}',
        '+ stream_options {"include_usage": true}',
        "~ turns 2 user, 1 assistant, 1 system -> 1 system, 2 user, 1 assistant, 1 tool",
        "~ blocks 2 text, 1 thinking, 1 tool_use, 1 tool_result -> 1 function",
        "~ tools 2 -> 1",
        "- tools Gone",
        "~ tools.Read -$schema",
        "= texts 3 with 33 characters",
        "~ texts 2 are part of 1",
        '- text "hm"',
        '+ text "an added reminder"',
    ]


def test_the_difference_of_two_bodies_is_told_by_path() -> None:
    before = {"a": 1, "b": {"c": [1, 2]}, "d": "x", "e": [1]}
    after = {"a": 1, "b": {"c": [1, 3]}, "f": None, "e": [1, 2]}
    assert list(differences(before, before)) == []
    assert list(differences(before, after)) == [
        ("~", "b.c[1]", "2 -> 3"),
        ("-", "d", '"x"'),
        ("~", "e", "[1] -> [1, 2]"),
        ("+", "f", "null"),
    ]


ANY = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "role",
                    "content",
                    "messages",
                    "tools",
                    "type",
                    "text",
                    "function",
                    "name",
                    "system",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)
OBJECT = st.dictionaries(st.sampled_from(["model", "messages", "tools", "system", "x"]), ANY)


@given(OBJECT, OBJECT)
def test_requests_and_bodies_of_any_shape_can_be_compared(request: Any, body: Any) -> None:
    for change in changes(request, body):
        assert change.kind in "=~-+"


def stream(*reads: bytes) -> Stream:
    return Stream(Data.of(b"".join(reads)), [(n / 10, len(raw)) for n, raw in enumerate(reads)])


def test_neighbours_of_one_kind_are_one_row() -> None:
    reads = [
        chunk(role="assistant", content=""), chunk(reasoning_content="hm"), chunk(content="a"),
        chunk(content="b"), call('{"x"', name="Read", id="c1"), call(":1}"),
        chunk("tool_calls"), usage(5, 2), DONE,
    ]  # fmt: skip
    assert condensed(stream(*reads)) == [
        Row(0.0, 0.0, "empty chunk", 1, ""),
        Row(0.1, 0.1, "reasoning_content", 1, "hm"),
        Row(0.2, 0.3, "content", 2, "ab"),
        Row(0.4, 0.4, "call 0", 1, "Read"),
        Row(0.4, 0.5, "arguments 0", 2, '{"x":1}'),
        Row(0.6, 0.6, "finish_reason", 1, "tool_calls"),
        Row(0.7, 0.7, "usage", 1, "{'prompt_tokens': 5, 'completion_tokens': 2}"),
        Row(0.8, 0.8, "data", 1, "[DONE]"),
    ]


def test_a_long_text_is_told_by_its_ends() -> None:
    (row,) = condensed(stream(*[chunk(content="word ") for _ in range(500)]))
    assert (row.kind, row.events) == ("content", 500)
    assert row.text.startswith("word word")
    assert row.text.endswith("(2,500 characters)")
    assert len(row.text) < 200


@pytest.mark.parametrize("raw", [b"", b"<html>", b'{"error": {"message": "x"}}', b": ping\n\n"])
def test_what_is_no_stream_is_told_as_bytes(raw: bytes) -> None:
    assert [row.kind for row in condensed(stream(raw))] == (
        ["bytes"] if raw[:1] in b"<{" and raw else []
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_stream_can_be_told_in_few_lines(name: str) -> None:
    raw = (STREAMS / f"{name}.sse").read_bytes()
    rows = condensed(stream(*[raw[at : at + 50] for at in range(0, len(raw), 50)]))
    assert len(rows) <= raw.count(b"\n") + 3
    assert all(len(row.text) < 300 and "\n" not in row.text for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_that_is_told_as_it_was_keeps_its_bytes(name: str) -> None:
    raw = (STREAMS / f"{name}.sse").read_bytes()
    assert retold(raw, lambda _path, _text: []) == (raw, [])
    assert retold(raw, lambda _path, _text: [], all_fields=True) == (raw, [])


def test_a_text_that_is_told_otherwise_lies_where_its_place_begins() -> None:
    raw = chunk(content="ab") + chunk(content="cd") + b": x\n\n" + chunk(content="ef")

    def rewrite(path: str, text: str) -> list[tuple[int, int, str]]:
        assert (path.rpartition("/")[2], text) == ("content", "abcdef")
        return [(1, 3, "***"), (5, 6, "!")]

    new, edits = retold(raw, rewrite)
    deltas = [
        json.loads(line[6:])["choices"][0]["delta"] for line in new.splitlines() if b"delta" in line
    ]
    assert [delta["content"] for delta in deltas] == ["a***", "d", "e!"]
    assert len(edits) == 3
    assert moved([len(raw)], edits) == [len(new)]


def test_an_event_of_several_lines_is_told_as_one_value() -> None:
    raw = b'data: {"choices":[{"delta":\ndata: {"content":"a"}}]}\n\n' + data({"x": 1})
    new, _ = retold(raw, lambda _path, text: [(0, len(text), "b")])
    assert new == b'data: {"choices":[{"delta":{"content":"b"}}]}\n\n' + data({"x": 1})


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9), st.integers(0, 9)), max_size=6))
def test_places_move_with_the_edits_before_them(parts: list[tuple[int, int, int]]) -> None:
    edits, at, new_at, ends, inside = [], 0, 0, [], []
    for gap, old, new in parts:
        at, new_at = at + gap, new_at + gap
        edits.append(Edit(at, at + old, new))
        inside += [(at + 1, new_at + new)]
        at, new_at = at + old, new_at + new
        ends.append((at, new_at))
    places = sorted([*ends, *inside, (at + 5, new_at + 5)])
    assert moved([before for before, _ in places], edits) == [after for _, after in places]
