"""Events into one whole message."""

import json

import msgspec
import pytest

from fcc.translate.reply.message import Accumulator
from fcc.wire.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    Message,
    MessageDelta,
    MessageStart,
    MessageStop,
    MessageUsage,
    Ping,
    RedactedThinkingBlock,
    StopDelta,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    encode,
)


def whole(*events: object) -> dict:
    accumulator = Accumulator()
    accumulator.feed([MessageStart(Message("msg_1", "claude", MessageUsage(7, 1))), *events])
    return json.loads(encode(accumulator.message))


def tool(*parts: str) -> list[object]:
    start = BlockStart(0, ToolUseBlock("toolu_1", "Read", msgspec.Raw(b"{}")))
    return [start, *(BlockDelta(0, "input_json_delta", part) for part in parts), BlockStop(0)]


def test_a_message_is_whole_with_all_its_fields() -> None:
    got = whole(
        BlockStart(0, ThinkingBlock("", "")),
        BlockDelta(0, "thinking_delta", "h"),
        BlockDelta(0, "thinking_delta", "m"),
        BlockDelta(0, "signature_delta", "sig"),
        BlockStop(0),
        BlockStart(1, TextBlock("")),
        BlockDelta(1, "text_delta", "a\u2028"),
        Ping(),
        BlockDelta(1, "text_delta", "é"),
        BlockStop(1),
        MessageDelta(StopDelta("stop_sequence", "END"), MessageUsage(5, 2, 0, 3)),
        MessageStop(),
    )
    assert got == {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude",
        "content": [{"type": "thinking", "thinking": "hm", "signature": "sig"},
                    {"type": "text", "text": "a\u2028é"}],
        "stop_reason": "stop_sequence", "stop_sequence": "END",
        "usage": {"input_tokens": 5, "output_tokens": 2, "cache_creation_input_tokens": 0,
                  "cache_read_input_tokens": 3},
    }  # fmt: skip


def test_an_answer_of_nothing_has_no_content() -> None:
    got = whole(MessageDelta(StopDelta("end_turn"), MessageUsage()), MessageStop())
    assert (got["content"], got["stop_reason"], got["stop_sequence"]) == ([], "end_turn", None)


@pytest.mark.parametrize(
    ("parts", "want"),
    [
        (['{"a":', "1}"], {"a": 1}),
        ([], {}),
        ([" "], {}),
        (["{broken"], "{broken"),
        (['"Paris"'], "Paris"),
        (["[1]"], [1]),
        (["[" * 5000], "[" * 5000),
    ],
)
def test_a_calls_input_is_its_arguments(parts: list[str], want: object) -> None:
    assert whole(*tool(*parts))["content"][0]["input"] == want


def test_a_call_that_was_never_stopped_is_left_out() -> None:
    got = whole(*tool("{}"), *tool('{"a":')[:-1])
    assert [block["type"] for block in got["content"]] == ["tool_use"]


def test_redacted_thinking_is_kept() -> None:
    got = whole(BlockStart(0, RedactedThinkingBlock("xyz")), BlockStop(0))
    assert got["content"] == [{"type": "redacted_thinking", "data": "xyz"}]


def test_the_events_message_is_not_changed() -> None:
    start = MessageStart(Message("msg_1", "claude", MessageUsage(7, 1)))
    accumulator = Accumulator()
    accumulator.feed([start, *tool("{}")])
    assert start.message.content == []
