"""JSON from the outside: what is broken costs its own field, not the answer."""

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.wire.chat import Chunk
from fcc.wire.json import decode, loads, salvage

CHUNKS = msgspec.json.Decoder(Chunk)


def chunk(value: object) -> Chunk:
    return decode(json.dumps(value).encode(), CHUNKS, Chunk)


@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [], {}, {"a": [1, {"b": None}]}])
def test_well_formed_json_is_itself(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value


def test_a_byte_order_mark_is_dropped() -> None:
    assert loads(b"\xef\xbb\xbf[1]") == [1]


@pytest.mark.parametrize(
    ("raw", "want"),
    [
        (rb'"\ud83d"', "\ufffd"),
        (rb'"a\ud83db"', "a\ufffdb"),
        (rb'"\udc00\ud83d"', "\ufffd\ufffd"),
        (rb'"\ud83d\ude00"', "😀"),
        (rb'{"\ud83d":["\udc00"]}', {"\ufffd": ["\ufffd"]}),
    ],
)
def test_a_lone_surrogate_becomes_a_replacement_character(raw: bytes, want: object) -> None:
    assert loads(raw) == want


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    assert loads(b'"a\xffb"') == "a\ufffdb"


@pytest.mark.parametrize("raw", [b"", b"{", b"nonsense", b'{"a":}', b"{}x", b"'a'"])
def test_what_is_no_json_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        loads(raw)


def test_nan_is_taken_as_some_servers_write_it() -> None:
    assert math.isnan(loads(b'{"logprob": NaN}')["logprob"])


def test_what_is_nested_without_end_is_a_recursion_error_or_a_value_error() -> None:
    with pytest.raises((RecursionError, ValueError)):
        loads(b"[" * 200_000)


@given(st.recursive(st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(),
                    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))  # fmt: skip
def test_all_json_comes_through(value: object) -> None:
    assert loads(json.dumps(value).encode()) == value
    assert loads(json.dumps(value, ensure_ascii=False).encode()) == value


def test_a_field_of_the_wrong_type_is_left_out_and_the_rest_is_kept() -> None:
    got = chunk({"object": 5, "choices": [{"delta": {"content": "hi", "reasoning": 7}}]})
    assert got.object is None
    assert got.choices[0].delta.content == "hi"
    assert got.choices[0].delta.reasoning is None


def test_an_entry_that_is_no_object_is_left_out_of_its_list() -> None:
    got = chunk({"choices": [None, "x", {"finish_reason": "stop"}]})
    assert [choice.finish_reason for choice in got.choices] == ["stop"]


def test_wrong_types_deep_inside_cost_only_themselves() -> None:
    entry = {"index": "0", "id": 7, "function": {"name": "Read", "arguments": "{}"}}
    got = chunk({"choices": [{"delta": {"tool_calls": [entry, {"function": "no"}]}}]})
    first = got.choices[0].delta.tool_calls[0]
    assert (first.id, first.function.name, first.function.arguments) == (None, "Read", "{}")


def test_a_salvaged_chunk_keeps_the_entries_that_stay_as_they_came() -> None:
    details = [{"type": "reasoning.text", "text": "hm"}]
    got = chunk({"object": 5, "choices": [{"delta": {"reasoning_details": details}}]})
    kept = got.choices[0].delta.reasoning_details
    assert [json.loads(bytes(entry)) for entry in kept] == details


def test_a_salvaged_chunk_keeps_a_calls_extra_content() -> None:
    extra = {"google": {"thought_signature": "abc"}}
    entry = {"index": 0, "id": 7, "function": {"name": "A"}, "extra_content": extra}
    got = chunk({"choices": [{"delta": {"tool_calls": [entry]}}]})
    assert json.loads(bytes(got.choices[0].delta.tool_calls[0].extra_content)) == extra


def test_a_lone_surrogate_in_a_chunk_costs_one_character() -> None:
    got = decode(rb'{"choices":[{"delta":{"content":"a\ud83d"}}]}', CHUNKS, Chunk)
    assert got.choices[0].delta.content == "a\ufffd"


@pytest.mark.parametrize("raw", [b"[]", b"5", b'"x"', b"nope", b""])
def test_what_is_no_object_is_a_value_error(raw: bytes) -> None:
    with pytest.raises(ValueError):
        decode(raw, CHUNKS, Chunk)


def test_salvage_of_what_fits_changes_nothing() -> None:
    assert salvage({"object": "x"}, Chunk) == Chunk(object="x")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["choices", "delta", "content", "tool_calls", "function", "name",
                         "arguments", "index", "id", "usage", "prompt_tokens_details", "message",
                         "reasoning", "reasoning_details", "extra_content", "x_groq", "error"]),
        inner, max_size=5),
    max_leaves=25,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["choices", "usage", "x_groq", "object", "type"]), _JSON))
def test_no_object_of_any_shape_is_refused_as_a_chunk(value: dict) -> None:
    assert isinstance(chunk(value), Chunk)


@pytest.mark.parametrize("field", ["delta", "usage", "message"])
def test_a_list_in_the_place_of_an_object_is_left_out(field: str) -> None:
    """PHP writes an empty object as []; what is in a list is no delta either."""
    for empty in ([], [[]], [{"content": "x"}]):
        salvaged = chunk({"choices": [{"index": 0, field: empty, "finish_reason": "stop"}]})
        assert salvaged == chunk({"choices": [{"index": 0, "finish_reason": "stop"}]})


def test_a_list_in_the_place_of_an_entry_is_left_out_of_its_list() -> None:
    entry = {"index": 0, "id": "a"}
    salvaged = chunk({"choices": [[], {"index": 0, "delta": {"tool_calls": [[], entry, [[]]]}}]})
    assert salvaged == chunk({"choices": [{"index": 0, "delta": {"tool_calls": [entry]}}]})
