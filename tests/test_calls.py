"""Native tool calls, in every disorder that providers are known for."""

import json
from itertools import count
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.pieces import Arguments, Piece, ToolCall, ToolCallEnd
from fcc.translate.reply.calls import ToolCallAssembler
from fcc.translate.tools import DeclaredTool
from fcc.wire.chat import Delta, ToolCallDelta
from fcc.wire.json import decode

TOOLS = [DeclaredTool(name) for name in ("Read", "Write", "Bash", "ReadFile")]
DELTAS = msgspec.json.Decoder(Delta)


def deltas(*entries: Any) -> list[ToolCallDelta]:
    raw = json.dumps({"tool_calls": list(entries)}).encode()
    return decode(raw, DELTAS, Delta).tool_calls or []


def entry(
    arguments: Any = None, name: str | None = None, id: str | None = None, index: Any = None
) -> dict[str, Any]:
    function = {"name": name, "arguments": arguments}
    return {
        key: value
        for key, value in {
            "index": index,
            "id": id,
            "function": {k: v for k, v in function.items() if v is not None},
        }.items()
        if value is not None
    }


def calls(pieces: list[Piece]) -> list[tuple[str, str | None, str, bool]]:
    """(name, id, arguments, whether it ended) in order of appearance."""
    found: dict[int, list[Any]] = {}
    for piece in pieces:
        match piece:
            case ToolCall():
                assert piece.call not in found
                found[piece.call] = [piece.name, piece.id, "", False]
            case Arguments():
                assert not found[piece.call][3], "arguments after the end"
                found[piece.call][2] += piece.text
            case ToolCallEnd():
                assert not found[piece.call][3], "a second end"
                found[piece.call][3] = True
            case _:
                raise AssertionError(piece)
    return [tuple(call) for call in found.values()]


def assembled(*chunks: list[Any], clean: bool = True, live: bool = True, **how: Any) -> Any:
    assembler = ToolCallAssembler(TOOLS, count(), live=live, **how)
    pieces = [piece for chunk in chunks for piece in assembler.feed(deltas(*chunk))]
    return calls(pieces + assembler.finish(clean=clean))


A, B = '{"a":1}', '{"b":2}'


# fmt: off
ASSEMBLED: dict[str, tuple[list[Any], list[Any]]] = {
    "the book's way": (
        [[entry("", "Read", "c1", 0)], [entry('{"a"', index=0)], [entry(":1}", index=0)]],
        [("Read", "c1", A)],
    ),
    "a whole call in one chunk (Groq, Mistral, Ollama, Gemini, xAI)": (
        [[entry(A, "Read", "c1", 0)]],
        [("Read", "c1", A)],
    ),
    "interleaved": (
        [
            [entry("", "Read", "c1", 0)], [entry("", "Bash", "c2", 1)], [entry('{"a"', index=0)],
            [entry('{"b"', index=1)], [entry(":1}", index=0)], [entry(":2}", index=1)],
        ],
        [("Read", "c1", A), ("Bash", "c2", B)],
    ),
    "index always 0, whole calls (NIM)": (
        [[entry(A, "Read", "c1", 0)], [entry(B, "Read", "c2", 0)]],
        [("Read", "c1", A), ("Read", "c2", B)],
    ),
    "index always 0, other names, no ids": (
        [[entry(A, "Read", index=0)], [entry(B, "Bash", index=0)]],
        [("Read", None, A), ("Bash", None, B)],
    ),
    "two entries of index 0 in one array (Ollama)": (
        [[entry(A, "Read", "c1", 0), entry(B, "Bash", "c2", 0)]],
        [("Read", "c1", A), ("Bash", "c2", B)],
    ),
    "no index (Gemini)": (
        [[entry(A, "Read", "c1")], [entry(B, "Read", "c2")]],
        [("Read", "c1", A), ("Read", "c2", B)],
    ),
    "no index, in fragments": (
        [[entry("", "Read", "c1")], [entry('{"a"')], [entry(":1}")], [entry(B, "Bash")]],
        [("Read", "c1", A), ("Bash", None, B)],
    ),
    "index -1 (SGLang)": (
        [[entry("", "Read", "c1", -1)], [entry(A, index=-1)]],
        [("Read", "c1", A)],
    ),
    "an index that is no number": (
        [[entry("", "Read", "c1", "0")], [entry(A, index=True)]],
        [("Read", "c1", A)],
    ),
    "the first index is 1": (
        [[entry("", "Read", "c1", 1)], [entry(A, index=1)]],
        [("Read", "c1", A)],
    ),
    "id empty on continuation (DashScope)": (
        [[entry("", "Read", "c1", 0)], [entry(A, "", "", 0)]],
        [("Read", "c1", A)],
    ),
    'id "null" (Mistral)': (
        [[entry(A, "Read", "null", 0)]],
        [("Read", None, A)],
    ),
    "id late": (
        [[entry("", "Read", index=0)], [entry(A, id="c1", index=0)]],
        [("Read", None, A)],
    ),
    "a fresh id on every fragment (LM Studio)": (
        [[entry("", "Read", "c1", 0)], [entry('{"a"', None, "c2", 0)], [entry(":1}", "", "c3", 0)]],
        [("Read", "c1", A)],
    ),
    "a fresh id on every fragment, no index": (
        [[entry("", "Read", "c1")], [entry('{"a"', None, "c2")], [entry(":1}", None, "c3")]],
        [("Read", "c1", A)],
    ),
    "name and id on every fragment (minimax-m2.7 on NIM)": (
        [[entry("", "Read", "c1", 0)], [entry('{"a"', "Read", "c1", 0)], [entry(":1}", "Read", "c1", 0)]],
        [("Read", "c1", A)],
    ),
    "name on every fragment, fresh ids": (
        [[entry('{"a"', "Read", "c1", 0)], [entry(":1}", "Read", "c2", 0)]],
        [("Read", "c1", A)],
    ),
    "name empty first (vmlx)": (
        [[entry("", "", "c1", 0)], [entry("", "Read", None, 0)], [entry(A, index=0)]],
        [("Read", "c1", A)],
    ),
    "name after the arguments": (
        [[entry('{"a"', None, "c1", 0)], [entry(":1}", "Read", None, 0)]],
        [("Read", "c1", A)],
    ),
    "name split (Gemini gateways)": (
        [[entry("", "Wr", "c1", 0)], [entry("", "ite", None, 0)], [entry(A, index=0)]],
        [("Write", "c1", A)],
    ),
    "a hollow entry (LM Studio)": (
        [[{"index": 0}], [entry(A, "Read", "c1", 0)], [{"index": 0}], [{}]],
        [("Read", "c1", A)],
    ),
    "a hollow entry with an empty function": (
        [[{"index": 0, "function": {}}], [entry(A, "Read", "c1", 0)]],
        [("Read", "c1", A)],
    ),
    "a null function": (
        [[{"index": 0, "id": "c1", "function": None}], [entry(A, "Read", index=0)]],
        [("Read", "c1", A)],
    ),
    "a control token in the name (LM Studio)": (
        [[entry(A, "[TOOL_CALLS]Read", "c1", 0)], [entry(B, "functions.Bash", "c2", 1)],
         [entry(A, "<|tool|>Write", "c3", 2)]],
        [("Read", "c1", A), ("Bash", "c2", B), ("Write", "c3", A)],
    ),
    "arguments as an object (MiniMax)": ([[entry({"a": 1}, "Read", "c1", 0)]], [("Read", "c1", A)]),
    "arguments null": (
        [[{"index": 0, "id": "c1", "function": {"name": "Read", "arguments": None}}]],
        [("Read", "c1", "{}")],
    ),
    "no arguments": ([[entry(None, "Read", "c1", 0)]], [("Read", "c1", "{}")]),
    "empty arguments": ([[entry("", "Read", "c1", 0)]], [("Read", "c1", "{}")]),
    "cumulative arguments (Baidu)": (
        [[entry('{"a"', "Read", "c1", 0)], [entry('{"a":1', index=0)], [entry(A, index=0)]],
        [("Read", "c1", A)],
    ),
    "arguments twice (MiMo)": (
        [[entry(A, "Read", "c1", 0)], [entry(A, index=0)]],
        [("Read", "c1", A)],
    ),
    "several objects under one index (GPT-5.4 through proxies)": (
        [[entry('{"a":1}{"b":2}', "Read", "c1", 0)]],
        [("Read", "c1", A), ("Read", None, B)],
    ),
    "a placeholder first": (
        [[entry("{}", "Read", "c1", 0)], [entry(A, index=0)]],
        [("Read", "c1", A)],
    ),
    "an undeclared tool keeps its name": (
        [[entry("", "Frobnicate", "c1", 0)], [entry(A, index=0)]],
        [("Frobnicate", "c1", A)],
    ),
    "an undeclared tool without arguments": ([[entry("", "Frob", "c1", 0)]], [("Frob", "c1", "{}")]),
    "an unknown id that continues by index": (
        [[entry("", "Read", "c1", 0)], [entry("", "Bash", "c2", 1)], [entry(A, None, "x", 0)],
         [entry(B, None, "y", 1)]],
        [("Read", "c1", A), ("Bash", "c2", B)],
    ),
    "continuation by id alone": (
        [[entry("", "Read", "c1", 0)], [entry("", "Bash", "c2", 1)], [entry(A, None, "c1")],
         [entry(B, None, "c2")]],
        [("Read", "c1", A), ("Bash", "c2", B)],
    ),
    "nothing that has a name": ([[entry(A, index=0)], [entry(B, index=1)]], []),
    "two objects and no name": ([[entry(A + B, index=0)]], []),
    "no entries": ([[], []], []),
}
# fmt: on


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(("chunks", "want"), ASSEMBLED.values(), ids=ASSEMBLED)
def test_calls_are_assembled_whatever_the_provider_does(
    live: bool, chunks: list[Any], want: list[Any]
) -> None:
    got = assembled(*chunks, live=live)
    assert [(name, json.loads(text), ended) for name, _, text, ended in got] == [
        (name, json.loads(text), True) for name, _, text in want
    ]
    ids = [(want_id, id) for (_, want_id, _), (_, id, _, _) in zip(want, got, strict=True)]
    assert all(id == want_id for want_id, id in ids if want_id is not None)


def test_a_call_is_told_as_soon_as_its_name_is_certain() -> None:
    assembler = ToolCallAssembler(TOOLS, count())
    assert assembler.feed(deltas(entry("", "Read", "c1", 0))) == [ToolCall(0, "Read", "c1")]
    assert assembler.feed(deltas(entry('{"a"', index=0))) == [Arguments(0, '{"a"')]
    assert assembler.feed(deltas(entry(":1}", index=0))) == [Arguments(0, ":1}"), ToolCallEnd(0)]
    assert assembler.finish(clean=True) == []


def test_a_name_that_may_grow_is_held_until_arguments_come() -> None:
    assembler = ToolCallAssembler(TOOLS, count())
    assert assembler.feed(deltas(entry("", "Wri", "c1", 0))) == []
    assert assembler.feed(deltas(entry("", "te", index=0))) == [ToolCall(0, "Write", "c1")]


@pytest.mark.parametrize("live", [True, False])
def test_a_cut_call_has_no_end(live: bool) -> None:
    got = assembled([entry('{"a"', "Read", "c1", 0)], clean=False, live=live)
    assert got == [("Read", "c1", '{"a"', False)]


def test_calls_that_were_whole_before_the_cut_have_an_end() -> None:
    got = assembled(
        [entry(A, "Read", "c1", 0)], [entry("{", "Bash", "c2", 1)], [entry("", "Write", "c3", 2)],
        clean=False,
    )  # fmt: skip
    assert got == [("Read", "c1", A, True), ("Bash", "c2", "{", False), ("Write", "c3", "", False)]


def test_a_calls_extra_content_goes_with_it() -> None:
    extra = {"google": {"thought_signature": "s"}}
    assembler = ToolCallAssembler(TOOLS, count())
    (call, *_) = assembler.feed(deltas({**entry(A, "Read", "c1", 0), "extra_content": extra}))
    assert isinstance(call, ToolCall)
    assert json.loads(bytes(call.extra)) == extra


def test_broken_arguments_are_mended_for_the_tool_they_are_for() -> None:
    seen: list[Any] = []

    def mend(text: str, tool: DeclaredTool | None) -> tuple[str, str]:
        seen.append((text, tool and tool.name))
        return A, "mended"

    got = assembled(
        [entry("{'a': 1}", "Read", "c1", 0)], [entry("{'b'", "Frob", "c2", 1)], mend=mend
    )
    assert [call[2] for call in got] == [A, A]
    assert seen == [("{'a': 1}", "Read"), ("{'b'", None)]


def test_repairs_of_arguments_are_counted_by_name() -> None:
    assembler = ToolCallAssembler(TOOLS, count(), mend=lambda _text, _tool: (A, "mended"))
    assembler.feed(deltas(entry("{'a': 1}", "Read", "c1", 0), entry(A + A, "Read", "c2", 1)))
    assembler.feed(deltas(entry(B, "Bash", "c3", 2), entry("{'b'", "Bash", "c4", 3)))
    assembler.finish(clean=True)
    assert assembler.repairs == {"mended": 2, "repeated": 1}


def test_without_mending_arguments_are_told_as_they_were_written() -> None:
    fragments = ["{'a': 1}"], [A, A], [B], ['{"a', '{"a": 1}']
    steps = [
        [entry(text, "Read" if first else None, f"c{index}", index)]
        for index, texts in enumerate(fragments)
        for first, text in zip((True, False), texts, strict=False)
    ]
    assert assembled(*steps, mend=None) == [
        ("Read", f"c{index}", "".join(texts), True) for index, texts in enumerate(fragments)
    ]


def test_broken_arguments_go_out_as_they_are_and_never_as_an_empty_object() -> None:
    assert assembled([entry('{"a": nope', "Read", "c1", 0)]) == [("Read", "c1", '{"a": nope', True)]


def test_calls_come_in_the_order_in_which_they_appeared() -> None:
    got = assembled([entry("", "Read", "c1", 5)], [entry(B, "Bash", "c2", 1)], [entry(A, index=5)])
    assert [name for name, *_ in got] == ["Read", "Bash"]


def test_a_call_without_a_name_does_not_keep_the_others_waiting() -> None:
    assembler = ToolCallAssembler(TOOLS, count())
    assembler.feed(deltas(entry("", None, "c1", 0)))
    assert calls(assembler.feed(deltas(entry(B, "Bash", "c2", 1)))) == [("Bash", "c2", B, True)]
    pieces = assembler.feed(deltas(entry(A, "Read", None, 0)))
    assert calls(pieces) == [("Read", "c1", A, True)]


_CALLS = st.lists(
    st.tuples(
        st.sampled_from(["Read", "Bash"]),
        st.dictionaries(st.text(max_size=3), st.integers(), max_size=3),
    ),
    min_size=1,
    max_size=4,
)


@given(_CALLS, st.booleans(), st.data())
def test_calls_that_interleave_in_any_way_keep_their_own_arguments(
    wanted: list[tuple[str, dict[str, int]]], live: bool, data: st.DataObject
) -> None:
    queues: list[list[Any]] = []
    for index, (name, value) in enumerate(wanted):
        text = json.dumps(value)
        cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
        parts = [text[a:b] for a, b in zip([0, *cuts], [*cuts, len(text)], strict=True)]
        queues.append(
            [entry("", name, f"c{index}", index), *(entry(p, index=index) for p in parts)]
        )
    opened = [queue.pop(0) for queue in queues]
    order = [i for i, queue in enumerate(queues) for _ in queue]
    chunks = [[queues[i].pop(0)] for i in data.draw(st.permutations(order))]
    got = assembled(opened, *chunks, live=live)
    assert [(n, json.loads(text), ended) for n, _, text, ended in got] == [
        (n, v, True) for n, v in wanted
    ]


_ANY = st.builds(
    entry,
    st.sampled_from([None, "", "{", '{"a"', ":1}", A, A + B, "}", " ", "junk", {"x": 1}, [1], 5]),
    st.sampled_from([None, "", "Read", "Re", "ad", "Bash", "Nope", "[X]Read"]),
    st.sampled_from([None, "", "null", "c1", "c2", "c3"]),
    st.sampled_from([None, 0, 0, 1, -1, "0", 2.0]),
)  # fmt: skip


@given(st.lists(st.lists(_ANY, max_size=3), max_size=8), st.booleans(), st.booleans())
def test_any_disorder_gives_named_calls_that_end_once(
    chunks: list[list[Any]], clean: bool, live: bool
) -> None:
    got = assembled(*chunks, clean=clean, live=live)
    assert all(name for name, *_ in got)
    if clean:
        assert all(ended for *_, ended in got)
