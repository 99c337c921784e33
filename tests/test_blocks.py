"""Blocks in line: one open at a time, nothing lost, whatever the order of the pieces."""

import json
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.diagnosis.verdict import Source
from fcc.errors import LocalProtocolError
from fcc.settings.profile import Reply
from fcc.translate.context import Context
from fcc.translate.pieces import Arguments, Finish, Piece, Reasoning, Text, ToolCall, ToolCallEnd
from fcc.translate.reply import blocks
from fcc.translate.reply.blocks import Phase
from fcc.translate.reply.ids import ToolIds
from fcc.translate.reply.line import Line
from fcc.translate.reply.reader import Reader
from fcc.translate.reply.translation import Translation
from fcc.translate.signature import Kept
from fcc.translate.tools import DeclaredTool
from fcc.wire.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Event,
    Message,
    MessageStart,
    MessageUsage,
    frame,
)
from tests.grammar import Seen, content, read
from tests.scripted import DONE, call, chunk, data, text, usage


def sign(kept: Kept) -> str:
    return f"signed {len(kept.entries)} {''.join(kept.texts)}"


def kinds(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


# The machine's table.


def new_blocks() -> list[blocks.Block]:
    return [blocks.Text(), blocks.Thinking(sign), blocks.ToolUse("toolu_1", "Read")]


@pytest.mark.parametrize("place", range(3))
def test_a_pending_block_that_says_something_opens(place: int) -> None:
    block = new_blocks()[place]
    block.add("x")
    events = block.say(4)
    assert kinds(events) == ["BlockStart", "BlockDelta"]
    assert block.phase is Phase.OPEN
    assert block.index == 4


@pytest.mark.parametrize("place", range(3))
def test_an_open_block_that_says_more_stays_open(place: int) -> None:
    block = new_blocks()[place]
    block.add("x")
    block.say(0)
    block.add("y")
    block.add("")
    block.add("z")
    (delta,) = block.say(7)
    assert isinstance(delta, BlockDelta)
    assert (delta.value, delta.index, block.phase) == ("yz", 0, Phase.OPEN)


@pytest.mark.parametrize("place", range(3))
def test_a_pending_block_that_stops_is_never_heard_of(place: int) -> None:
    block = new_blocks()[place]
    assert block.stop() == []
    assert block.phase is Phase.CLOSED


@pytest.mark.parametrize(
    ("place", "want"),
    [(0, ["BlockStop"]), (1, ["BlockDelta", "BlockStop"]), (2, ["BlockStop"])],
)
def test_an_open_block_that_stops_closes_and_only_thinking_signs(
    place: int, want: list[str]
) -> None:
    block = new_blocks()[place]
    block.add("x")
    block.say(0)
    assert kinds(block.stop()) == want
    assert block.phase is Phase.CLOSED


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("move", ["say", "stop"])
def test_a_closed_block_can_do_nothing(place: int, move: str) -> None:
    block = new_blocks()[place]
    block.stop()
    block.add("x")
    with pytest.raises(LocalProtocolError, match="CLOSED"):
        block.say(0) if move == "say" else block.stop()


def test_blocks_start_empty_with_all_their_fields() -> None:
    starts = [json.loads(msgspec.json.encode(block.start())) for block in new_blocks()]
    assert starts == [
        {"type": "text", "text": ""},
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}},
    ]


def test_only_a_call_waits_to_be_heard_of_without_anything_to_say() -> None:
    assert [block.waiting for block in new_blocks()] == [False, False, True]
    assert [block.complete for block in new_blocks()] == [True, True, False]


# The line.


def line_of(*pieces: Piece) -> list[Event]:
    line = Line(ToolIds("msg_1"), sign)
    events = [event for piece in pieces for event in line.feed(piece)]
    return events + line.finish(whole=True)


def seen(events: list[Event]) -> Seen:
    start = MessageStart(Message("msg_1", "claude", MessageUsage(1, 1)))
    return read(b"".join(map(frame, [start, *events])))


def test_the_head_alone_is_open_and_the_others_wait_in_order() -> None:
    line = Line(ToolIds("msg_1"), sign)
    assert kinds(line.feed(ToolCall(0, "Read"))) == ["BlockStart"]
    assert line.feed(ToolCall(1, "Bash")) == []
    assert line.feed(Arguments(1, "{}")) == line.feed(ToolCallEnd(1)) == []
    assert kinds(line.feed(Arguments(0, "{"))) == ["BlockDelta"]
    assert line.feed(Text("between")) == []
    assert kinds(line.feed(Arguments(0, "}"))) == ["BlockDelta"]
    assert kinds(line.feed(ToolCallEnd(0))) == [
        "BlockStop", "BlockStart", "BlockDelta", "BlockStop", "BlockStart", "BlockDelta",
    ]  # fmt: skip
    assert kinds(line.finish(whole=True)) == ["BlockStop"]


def test_a_call_is_stopped_as_soon_as_its_arguments_are_whole() -> None:
    line = Line(ToolIds("msg_1"), sign)
    line.feed(ToolCall(0, "Read"))
    line.feed(Arguments(0, "{}"))
    assert line.feed(ToolCallEnd(0)) == [BlockStop(0)]


def test_a_call_with_all_its_arguments_is_one_start_and_one_delta() -> None:
    line = Line(ToolIds("msg_1"), sign)
    line.feed(Text("x"))
    events = line.feed(ToolCall(0, "Read", "c1"))
    assert kinds(events) == ["BlockStop", "BlockStart"]
    assert kinds(line.feed(Arguments(0, "{}"))) == ["BlockDelta"]


def test_a_cut_call_is_left_open_and_is_the_last() -> None:
    got = seen(line_of(ToolCall(0, "Read"), Arguments(0, '{"a'), Text("after")))
    assert got.open_block is not None
    assert [block["type"] for block in got.blocks] == ["tool_use"]


def test_a_line_has_called_once_a_call_is_whole() -> None:
    line = Line(ToolIds("msg_1"), sign)
    line.feed(ToolCall(0, "Read"))
    line.feed(Arguments(0, "{"))
    assert not line.called
    line.feed(ToolCallEnd(0))
    assert line.called


@pytest.mark.parametrize("blank", ["", " ", "\n\n", " \t\r\n"])
def test_white_space_alone_makes_no_block(blank: str) -> None:
    assert line_of(Text(blank), Reasoning(blank)) == []
    got = content(seen(line_of(Text(blank), ToolCall(0, "Read"), ToolCallEnd(0), Text(blank))))
    assert [block["type"] for block in got] == ["tool_use"]


def test_white_space_before_text_is_kept_with_it() -> None:
    assert seen(line_of(Text("\n"), Text(" "), Text("x"))).blocks[0]["raw"] == "\n x"


def test_white_space_within_text_is_kept() -> None:
    assert seen(line_of(Text("a"), Text("\n\n"), Text("b"))).blocks[0]["raw"] == "a\n\nb"


def test_reasoning_entries_reach_the_signature_of_their_block() -> None:
    one, two = msgspec.Raw(b"1"), msgspec.Raw(b"2")
    got = seen(line_of(Reasoning("a", (one,)), Reasoning("", (two,)), Text("x")))
    assert got.blocks[0]["signature"] == "signed 2 a"


def test_an_empty_piece_does_not_switch_blocks() -> None:
    got = seen(line_of(Text("a"), Reasoning(""), Text("b"), Finish()))
    assert [block["raw"] for block in got.blocks] == ["ab"]


def test_what_is_no_content_gives_nothing() -> None:
    assert Line(ToolIds("msg_1"), sign).feed(Finish("end_turn")) == []


def test_ids_are_kept_where_they_are_fit_and_unused_and_are_unique_anyway() -> None:
    ids = ToolIds("msg_abc", {"used"})
    given_ = ["call_1", "call_1", "used", None, None, "a.b", "x" * 65, "", "call_2"]
    claimed = [ids.claim(id) for id in given_]
    assert claimed[0] == "call_1"
    assert claimed[-1] == "call_2"
    assert len(set(claimed)) == len(claimed)
    assert all(id.replace("_", "").replace("-", "").isalnum() for id in claimed)
    assert "used" not in claimed


_WORDS = st.text(st.sampled_from("ab \n"), max_size=3)


@st.composite
def answers(draw: st.DrawFn) -> tuple[list[Piece], list[tuple[str, dict]], bool]:
    """Pieces in any order: calls whose fragments interleave with each other, text, reasoning."""
    wanted = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["Read", "Bash"]), st.dictionaries(_WORDS, _WORDS, max_size=2)
            ),
            max_size=4,
        )
    )
    whole = draw(st.booleans())
    queues: list[list[Piece]] = []
    for number, (name, value) in enumerate(wanted):
        raw = json.dumps(value)
        cuts = sorted(draw(st.lists(st.integers(0, len(raw)), max_size=3)))
        parts = [Arguments(number, raw[a:b]) for a, b in pairwise([0, *cuts, len(raw)])]
        queues.append([ToolCall(number, name), *parts, ToolCallEnd(number)])
    if not whole and queues:
        queues[-1].pop()
    words = st.builds(Text, _WORDS) | st.builds(Reasoning, _WORDS)
    queues += [[piece] for piece in draw(st.lists(words, max_size=6))]
    order = draw(st.permutations([i for i, queue in enumerate(queues) for _ in queue]))
    return [queues[i].pop(0) for i in order], wanted, whole


@given(answers())
def test_what_goes_on_with_the_only_block_is_what_feeding_it_gives(
    answer: tuple[list[Piece], list[tuple[str, dict]], bool],
) -> None:
    fed, gone_on = (
        Line(ToolIds("msg_x", frozenset()), sign),
        Line(ToolIds("msg_x", frozenset()), sign),
    )
    for piece in answer[0]:
        want = fed.feed(piece)
        said = isinstance(piece, Text | Reasoning | Arguments)
        event = gone_on.go_on(piece) if said else None
        assert ([event] if event is not None else gone_on.feed(piece)) == want
    assert gone_on.finish(whole=True) == fed.finish(whole=True)


@given(answers())
def test_any_order_of_pieces_keeps_the_grammar_and_loses_nothing(
    answer: tuple[list[Piece], list[tuple[str, dict]], bool],
) -> None:
    pieces, wanted, whole = answer
    got = seen(line_of(*pieces))
    if not whole:
        return
    assert got.open_block is None
    said = {
        kind: "".join(b["raw"] for b in got.blocks if b["type"] == kind)
        for kind in ("text", "thinking")
    }
    for kind, type_ in (("text", Text), ("thinking", Reasoning)):
        fed = "".join(piece.text for piece in pieces if isinstance(piece, type_))
        assert "".join(said[kind].split()) == "".join(fed.split())
    called = [(b["name"], json.loads(b["raw"])) for b in got.blocks if b["type"] == "tool_use"]
    first = [p.call for p in pieces if isinstance(p, ToolCall)]
    assert called == [wanted[number] for number in first]
    content(got)


@given(answers())
def test_text_and_reasoning_between_calls_keep_their_order(
    answer: tuple[list[Piece], list[tuple[str, dict]], bool],
) -> None:
    pieces, _, whole = answer
    if not whole:
        return
    fed = [
        (type(p).__name__, p.text.strip())
        for p in pieces
        if isinstance(p, Text | Reasoning) and p.text.strip()
    ]
    names = {"text": "Text", "thinking": "Reasoning"}
    got = [
        (names[b["type"]], b["raw"]) for b in seen(line_of(*pieces)).blocks if b["type"] in names
    ]
    flat_fed = "".join(kind[0] + c for kind, said in fed for c in "".join(said.split()))
    flat_got = "".join(kind[0] + c for kind, said in got for c in "".join(said.split()))
    assert flat_fed == flat_got


# The whole chain, from chunks to events.

TOOLS = (DeclaredTool("Read"), DeclaredTool("Bash"))
CONTEXT = Context(tools=TOOLS)


def answer_of(*raws: bytes, context: Context = CONTEXT, **reply: Any) -> Seen:
    translation = Translation(
        Reader(Source("P", "m"), Reply(**reply), context),
        Message("msg_1", "claude", MessageUsage(7, 1)),
        sign=sign,
        context=context,
    )
    events = [event for raw in raws for event in translation.feed(raw)] + translation.finish()
    return read(b"".join(map(frame, events)))


def shown(*raws: bytes, **how: Any) -> list[tuple[str, str]]:
    return [(b["type"], b["raw"]) for b in answer_of(*raws, **how).blocks]


@pytest.mark.parametrize(
    ("raws", "want"),
    [
        ([chunk(role="assistant", content=""), chunk(role="assistant"), chunk(reasoning="hm"),
          *text("a")], [("thinking", "hm"), ("text", "a")]),
        ([chunk(content="a", reasoning_content="hm"), *text("b")], [("thinking", "hm"), ("text", "ab")]),
        ([chunk("stop", content="all at once"), DONE], [("text", "all at once")]),
        ([chunk(content="x"), chunk(reasoning_content=""), chunk(content=""), *text("y")],
         [("text", "xy")]),
        ([chunk(content="x", tool_calls=[]), *text("y")], [("text", "xy")]),
        ([call("{}", name="Read"), *text("\n")], [("tool_use", "{}")]),
        ([chunk(content="a"), call("{}", name="Read"), *text("b")],
         [("text", "a"), ("tool_use", "{}"), ("text", "b")]),
        ([chunk(content="a"), chunk(reasoning_content="hm"), *text("b")],
         [("text", "a"), ("thinking", "hm"), ("text", "b")]),
        ([call("{", name="Read"), chunk(content="x"), call("}"), *text("y")],
         [("tool_use", "{}"), ("text", "xy")]),
        ([data({"choices": []}), data({"choices": None}), data({"choices": [{"delta": None}]}), *text("a")],
         [("text", "a")]),
        ([data({"choices": [{"index": 1, "delta": {"content": "no"}}]}), *text("a")], [("text", "a")]),
        ([chunk(content=[{"type": "text", "text": "hi"}]), *text()], [("text", "hi")]),
        ([chunk(refusal="I cannot"), *text()], [("text", "I cannot")]),
    ],
)  # fmt: skip
def test_chunks_become_blocks(raws: list[bytes], want: list[tuple[str, str]]) -> None:
    assert shown(*raws) == want


def test_a_first_chunk_with_everything_gives_each_once() -> None:
    entry = {"index": 0, "id": "c1", "function": {"name": "Read", "arguments": "{}"}}
    raw = chunk("tool_calls", reasoning="hm", content="text", tool_calls=[entry])
    got = answer_of(raw, DONE)
    assert [(b["type"], b["raw"]) for b in got.blocks] == [
        ("thinking", "hm"), ("text", "text"), ("tool_use", "{}"),
    ]  # fmt: skip
    assert got.stop_reason == "tool_use"


@pytest.mark.parametrize(
    ("reason", "calls", "want"),
    [
        ("stop", False, "end_turn"), ("stop", True, "tool_use"), ("tool_calls", True, "tool_use"),
        ("length", False, "max_tokens"), ("content_filter", False, "refusal"), ("weird", False, "end_turn"),
        ("tool_calls", False, "tool_use"),
    ],
)  # fmt: skip
def test_the_end_says_why(reason: str, calls: bool, want: str) -> None:
    raws = [chunk(content="x"), *([call("{}", name="Read")] if calls else []), chunk(reason), DONE]
    assert answer_of(*raws).stop_reason == want


def test_usage_after_the_end_is_told_once_and_in_our_terms() -> None:
    got = answer_of(*text("a")[:-1], usage(1000, 5, cached=900), DONE)
    assert got.usage["input_tokens"] == 100
    assert got.usage["cache_read_input_tokens"] == 900
    assert got.usage["output_tokens"] == 5


def test_a_count_beyond_all_bounds_stays_a_number_that_can_be_summed() -> None:
    huge = data({"choices": [], "usage": {"prompt_tokens": 1e308, "completion_tokens": 10**400}})
    got = answer_of(*text("a")[:-1], huge, DONE)
    assert got.usage["input_tokens"] == got.usage["output_tokens"] == 2**53


def test_without_usage_estimates_are_told_and_never_null() -> None:
    got = answer_of(*text("some words in an answer"))
    assert got.usage["input_tokens"] == 7
    assert got.usage["output_tokens"] >= 4


def test_nothing_is_given_before_the_first_meaningful_chunk() -> None:
    translation = Translation(
        Reader(Source("P", "m"), Reply()),
        Message("msg_1", "claude", MessageUsage(7, 1)),
        sign=sign,
    )
    for raw in (
        b": keep-alive\n\n",
        chunk(role="assistant"),
        chunk(content=""),
        chunk(content="\n"),
    ):
        assert translation.feed(raw) == []
    assert kinds(translation.feed(chunk(content="x")))[0] == "MessageStart"
    assert translation.start() == []


def test_the_clients_own_beginning_is_not_repeated() -> None:
    context = Context(prefill="The answer")
    assert shown(*text("The ", "answer", " is"), context=context) == [("text", " is")]
    assert shown(*text("It", " is"), context=context) == [("text", "It is")]
    assert shown(*text("The "), context=context) == [("text", "The ")]


def test_a_call_gets_the_clients_name_back() -> None:
    context = Context(tools=TOOLS, names={"mcp_short": "Read"})
    assert (
        answer_of(call("{}", name="mcp_short"), *text(), context=context).blocks[0]["name"]
        == "Read"
    )


def test_an_event_of_a_delta_is_what_the_encoder_would_write() -> None:
    for type_, field in (("text_delta", "text"), ("thinking_delta", "thinking"),
                         ("signature_delta", "signature"), ("input_json_delta", "partial_json")):  # fmt: skip
        value = 'a"\\\n\u2028%b%d{}é🙂'
        name, payload = frame(BlockDelta(3, type_, value)).decode().split("\n", 1)
        assert name == "event: content_block_delta"
        assert json.loads(payload.removeprefix("data: ")) == {
            "type": "content_block_delta", "index": 3, "delta": {"type": type_, field: value},
        }  # fmt: skip


def test_a_start_of_a_block_is_one_event_with_compact_json() -> None:
    raw = frame(BlockStart(0, blocks.ToolUse("id", "Read").start()))
    assert raw == (
        b'event: content_block_start\ndata: {"type":"content_block_start","index":0,'
        b'"content_block":{"type":"tool_use","id":"id","name":"Read","input":{}}}\n\n'
    )
