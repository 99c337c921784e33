"""Reasoning survives the round trip: three turns with tools, per provider family.

Every answer goes to the client as a stream, is read from its bytes, sent back as a client does,
and judged in the body of the next request. Nothing else connects the turns: each is a restart.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fcc.diagnosis.verdict import Source
from fcc.settings.profile import Ask, Model, Reply
from fcc.translate.context import Context
from fcc.translate.reply.message import Accumulator
from fcc.translate.reply.reader import Reader
from fcc.translate.reply.translation import Translation
from fcc.translate.request.body import translate
from fcc.translate.signature import sealer
from fcc.wire.events import Message, MessageUsage, encode, frame
from fcc.wire.messages import decode_request
from tests.grammar import read
from tests.strict import Rules, assert_legal

STREAMS = Path(__file__).parent / "fixtures" / "streams"
TOOLS = [
    {
        "name": name,
        "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}},
    }
    for name in ("Bash", "Read")
]


def model(history: str, name: str = "m", provider: str = "p", **ask: Any) -> Model:
    return Model(
        name=name, provider=provider, ask=Ask(reasoning_history=history, **ask), reply=Reply()
    )


def sse(*deltas: dict[str, Any], finish: str = "tool_calls") -> bytes:
    chunks: list[dict[str, Any]] = [{"choices": [{"index": 0, "delta": d}]} for d in deltas]
    chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def called(id: str, command: str = "ls", **fields: Any) -> dict[str, Any]:
    function = {"name": "Bash", "arguments": json.dumps({"command": command})}
    return {"tool_calls": [{"index": 0, "id": id, "function": function, **fields}]}


@dataclass
class Talk:
    """A conversation with one client; the model may change between turns."""

    messages: list[dict[str, Any]] = field(
        default_factory=lambda: [{"role": "user", "content": "go"}]
    )
    turns: int = 0

    def answer(self, asked: Model, raw: bytes) -> list[dict[str, Any]]:
        """The blocks of the answer, as a client has them and sends them back."""
        body = self._body(asked)
        self.turns += 1
        message = Message(f"msg_{self.turns}", "claude", MessageUsage(1, 1))
        context = Context(tools=body.tools, names=body.names, used_ids=body.used_ids)
        reader = Reader(Source("P", asked.name), asked.reply, context)
        translation = Translation(reader, message, sign=sealer(asked), context=context)
        events = [*translation.feed(raw), *translation.finish()]
        blocks = [self._block(block) for block in read(b"".join(map(frame, events))).blocks]
        whole = Accumulator()
        whole.feed(events)
        assert json.loads(encode(whole.message))["content"] == blocks
        self.messages.append({"role": "assistant", "content": blocks})
        results = [
            {"type": "tool_result", "tool_use_id": block["id"], "content": "done"}
            for block in blocks
            if block["type"] == "tool_use"
        ]
        self.messages.append({"role": "user", "content": results or "go on"})
        return blocks

    @staticmethod
    def _block(block: dict[str, Any]) -> dict[str, Any]:
        raw = block.pop("raw")
        if block["type"] == "tool_use":
            return {**block, "input": json.loads(raw or "{}")}
        return block if block["type"] == "redacted_thinking" else {**block, block["type"]: raw}

    def sent(self, asked: Model, rules: Rules | None = None) -> list[dict[str, Any]]:
        """The assistant messages of the next request's body."""
        data = self._body(asked).data
        assert_legal(data, rules or Rules())
        return [m for m in json.loads(data)["messages"] if m["role"] == "assistant"]

    def _body(self, asked: Model) -> Any:
        request = {"model": "c", "max_tokens": 9, "messages": self.messages, "tools": TOOLS}
        return translate(decode_request(json.dumps(request).encode()), asked)


def kinds(blocks: list[dict[str, Any]]) -> list[str]:
    return [block["type"] for block in blocks]


def text(words: str, signature: str | None = None, **fields: Any) -> dict[str, Any]:
    entry = {"type": "reasoning.text", "text": words, "format": "f", "index": 0, **fields}
    return entry if signature is None else {**entry, "signature": signature}


def details(*entries: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"reasoning_details": list(entries), **fields}


@pytest.mark.parametrize("field_", ["reasoning_content", "reasoning"])
def test_reasoning_text_goes_back_in_its_field_on_every_turn(field_: str) -> None:
    talk, asked = Talk(), model(field_)
    for turn in range(3):
        talk.answer(asked, sse({field_: f"Think {turn}."}, {"content": "Well."}, called("call_x")))
    assert [m[field_] for m in talk.sent(asked)] == ["Think 0.", "Think 1.", "Think 2."]


def test_a_call_without_reasoning_carries_the_empty_field() -> None:
    """DeepSeek and Moonshot refuse tool calls without it."""
    talk, asked = Talk(), model("reasoning_content")
    talk.answer(asked, sse({"reasoning_content": "Hm."}, called("call_a")))
    talk.answer(asked, sse(called("call_b")))
    talk.answer(asked, sse({"content": "Done."}, finish="stop"))
    sent = talk.sent(asked)
    assert [m.get("reasoning_content") for m in sent] == ["Hm.", "", None]


def test_think_tags_go_back_as_think_tags() -> None:
    talk, asked = Talk(), model("think_tags")
    for turn in range(3):
        talk.answer(asked, sse({"content": f"<think>T{turn}</think>Well."}, called("call_x")))
    wanted = [f"<think>\nT{turn}\n</think>\n\nWell." for turn in range(3)]
    assert [m["content"] for m in talk.sent(asked)] == wanted


OPENROUTER = Rules(message=frozenset({"reasoning_details"}))


def test_anthropic_entries_go_back_whole_with_their_late_signatures() -> None:
    talk, asked = Talk(), model("reasoning_details", "anthropic/claude")
    for turn in range(3):
        raw = sse(
            details(text("Check "), reasoning="Check "),
            details(text(f"{turn}."), reasoning=f"{turn}."),
            details({"type": "reasoning.text", "signature": f"SIG{turn}", "index": 0}),
            called("call_x"),
        )
        assert kinds(talk.answer(asked, raw)) == ["thinking", "tool_use"]
    assert [m["reasoning_details"] for m in talk.sent(asked, OPENROUTER)] == [
        [text(f"Check {turn}.", f"SIG{turn}")] for turn in range(3)
    ]


def test_openai_entries_go_back_as_summary_and_encrypted_data() -> None:
    talk, asked = Talk(), model("reasoning_details", "openai/gpt")
    summary = {"type": "reasoning.summary", "format": "o", "index": 0, "id": "rs_1"}
    sealed = {"type": "reasoning.encrypted", "data": "g" * 900, "id": "rs_1", "index": 0}
    for _ in range(3):
        raw = sse(
            details({**summary, "summary": "**Look"}, reasoning="**Look"),
            details({**summary, "summary": "ing**"}, reasoning="ing**"),
            details(sealed),
            {"content": "I look."},
            called("call_x"),
        )
        assert kinds(talk.answer(asked, raw)) == ["thinking", "text", "tool_use"]
    wanted = [{**summary, "summary": "**Looking**"}, sealed]
    assert [m["reasoning_details"] for m in talk.sent(asked, OPENROUTER)] == [wanted] * 3
    assert all("reasoning" not in m for m in talk.sent(asked, OPENROUTER))


def test_encrypted_entries_alone_travel_in_a_redacted_block_before_the_call() -> None:
    talk, asked = Talk(), model("reasoning_details", "openai/gpt")
    sealed = {"type": "reasoning.encrypted", "data": "gAAA", "id": "rs_1", "index": 0}
    for _ in range(3):
        blocks = talk.answer(asked, sse(details(sealed), {"content": "I look."}, called("call_x")))
        assert kinds(blocks) == ["redacted_thinking", "text", "tool_use"]
    assert [m["reasoning_details"] for m in talk.sent(asked, OPENROUTER)] == [[sealed]] * 3


def test_an_entry_that_comes_with_the_call_stays_with_the_message() -> None:
    talk, asked = Talk(), model("reasoning_details", "google/gemini")
    sealed = {"type": "reasoning.encrypted", "data": "CtsC", "id": "t", "index": 0}
    plan = text("**Plan**")
    raw = sse(
        details(plan, reasoning="**Plan**"),
        {"content": "So."},
        {**called("call_x"), **details(sealed)},
    )
    assert kinds(talk.answer(asked, raw)) == ["thinking", "text", "redacted_thinking", "tool_use"]
    assert talk.sent(asked, OPENROUTER)[0]["reasoning_details"] == [plan, sealed]


def test_no_block_follows_the_last_text() -> None:
    """Claude Code's result is the last block's text: it would be empty."""
    talk, asked = Talk(), model("reasoning_details")
    sealed = {"type": "reasoning.encrypted", "data": "CtsC", "index": 0}
    raw = sse({"content": "Done"}, details(sealed), {"content": "."}, finish="stop")
    assert talk.answer(asked, raw) == [{"type": "text", "text": "Done."}]


GEMINI = Rules(call=frozenset({"extra_content"}))


def signed(signature: str) -> dict[str, Any]:
    return {"extra_content": {"google": {"thought_signature": signature}}}


def extras(sent: list[dict[str, Any]]) -> list[list[Any]]:
    return [[call.get("extra_content") for call in m["tool_calls"]] for m in sent]


def test_thought_signatures_return_on_the_calls_they_came_with() -> None:
    talk, asked = Talk(), model("thought_signature", "gemini-3", provider="gemini")
    for turn in range(3):
        raw = sse(called(f"a{turn}", **signed(f"S{turn}")), called(f"b{turn}"), finish="stop")
        blocks = talk.answer(asked, raw.replace(b'"index": 0, "id"', b'"id"'))
        assert kinds(blocks) == ["redacted_thinking", "tool_use", "tool_use"]
    wanted = [[signed(f"S{turn}")["extra_content"], None] for turn in range(3)]
    assert extras(talk.sent(asked, GEMINI)) == wanted


def test_a_thought_signature_goes_with_the_thinking_block_where_there_is_one() -> None:
    talk, asked = Talk(), model("thought_signature", provider="gemini")
    raw = sse({"content": "<thought>Hm.</thought>"}, called("a", **signed("S")))
    assert kinds(talk.answer(asked, raw)) == ["thinking", "tool_use"]
    assert extras(talk.sent(asked, GEMINI)) == [[signed("S")["extra_content"]]]


def test_a_thought_signature_may_come_after_its_call() -> None:
    talk, asked = Talk(), model("thought_signature", provider="gemini")
    late = {"tool_calls": [{"index": 0, **signed("LATE")}]}
    blocks = talk.answer(asked, sse(called("a"), late, finish="stop"))
    assert kinds(blocks) == ["tool_use", "redacted_thinking"]
    assert extras(talk.sent(asked, GEMINI)) == [[signed("LATE")["extra_content"]]]


def test_a_call_of_another_model_has_the_word_that_gemini_3_takes_for_a_signature() -> None:
    talk, first = Talk(), model("thought_signature", "gemini-2.5", provider="gemini")
    second = model("thought_signature_or_skip", "gemini-3", provider="gemini")
    talk.answer(first, sse(called("a", **signed("OLD")), called("b")))
    talk.answer(second, sse(called("c", **signed("NEW")), finish="stop"))
    skip = signed("skip_thought_signature_validator")["extra_content"]
    assert extras(talk.sent(second, GEMINI)) == [[skip, None], [signed("NEW")["extra_content"]]]
    assert extras(talk.sent(first, GEMINI)) == [[signed("OLD")["extra_content"], None], [None]]


def test_mistral_has_its_thinking_back_as_parts_of_the_content() -> None:
    talk, asked = Talk(), model("mistral", provider="mistral", tool_ids="mistral9")

    def thinking(words: str, **fields: Any) -> dict[str, Any]:
        return {"type": "thinking", "thinking": [{"type": "text", "text": words}], **fields}

    for turn in range(3):
        raw = sse(
            {"content": [thinking("Okay, ")]},
            {"content": [thinking(f"turn {turn}.", closed=True)]},
            {"content": "I look." if turn else ""},
            called(f"abcdefgh{turn}"),
        )
        talk.answer(asked, raw)
    sent = talk.sent(asked, Rules(assistant_parts=("thinking", "text")))
    assert [m["content"] for m in sent] == [
        [thinking("Okay, turn 0.", closed=True)],
        [thinking("Okay, turn 1.", closed=True), {"type": "text", "text": "I look."}],
        [thinking("Okay, turn 2.", closed=True), {"type": "text", "text": "I look."}],
    ]
    assert [m["tool_calls"][0]["id"] for m in sent] == ["abcdefgh0", "abcdefgh1", "abcdefgh2"]


def test_kimi_has_its_own_ids_back() -> None:
    talk, asked = Talk(), model("reasoning_content", tool_ids="original")
    own = ["functions.Bash:0", "functions.Bash:0", "functions.Bash:1"]
    shown = [
        talk.answer(asked, sse({"reasoning_content": "Hm."}, called(id)))[1]["id"] for id in own
    ]
    assert len(set(shown)) == 3
    assert [m["tool_calls"][0]["id"] for m in talk.sent(asked)] == own
    other = model("none")
    assert [m["tool_calls"][0]["id"] for m in talk.sent(other)] == shown


def test_a_change_of_model_drops_what_only_the_other_can_read() -> None:
    talk = Talk()
    claude = model("reasoning_details", "anthropic/claude", provider="openrouter")
    talk.answer(claude, sse(details(text("Mine.", "SIG"), reasoning="Mine."), called("call_x")))
    gemini = model("reasoning_details", "google/gemini", provider="openrouter")
    assert talk.sent(gemini, OPENROUTER)[0] == {
        "role": "assistant",
        "content": None,
        "reasoning": "Mine.",
        "tool_calls": talk.sent(claude, OPENROUTER)[0]["tool_calls"],
    }
    deepseek = model("reasoning_content", "deepseek", provider="deepseek")
    assert talk.sent(deepseek)[0]["reasoning_content"] == "Mine."
    assert "reasoning_details" not in talk.sent(deepseek)[0]
    assert talk.sent(model("none"))[0].keys() == {"role", "content", "tool_calls"}
    talk.answer(
        gemini, sse(details(text("Mine too.", "G"), reasoning="Mine too."), called("call_y"))
    )
    back = talk.sent(claude, OPENROUTER)
    assert back[0]["reasoning_details"] == [text("Mine.", "SIG")]
    assert "reasoning_details" not in back[1]


@pytest.mark.parametrize(
    "signature", ["", "EqoBCkgIARABGAIiQL", "fcc1.", "fcc1.AAAA", "fcc2.x", "é"]
)
def test_a_foreign_signature_is_dropped_and_its_text_kept(signature: str) -> None:
    talk, asked = Talk(), model("reasoning_details")
    talk.messages += [
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Theirs.", "signature": signature},
                {"type": "redacted_thinking", "data": signature or "x"},
                {"type": "text", "text": "Hello."},
            ],
        },
        {"role": "user", "content": "go on"},
    ]
    sent = {"role": "assistant", "content": "Hello.", "reasoning": "Theirs."}
    assert talk.sent(asked, OPENROUTER) == [sent]


@pytest.mark.parametrize(
    ("name", "asked", "rules", "wanted"),
    [
        (
            "openrouter_reasoning_details_late_signature",
            model("reasoning_details"),
            OPENROUTER,
            {
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "text": "Check the tests.",
                        "signature": "ErUBCkYIBRgCIkDsig",
                        "format": "anthropic-claude-v1",
                        "index": 0,
                    }
                ]
            },
        ),
        (
            "openrouter_gemini_encrypted_reasoning_stop",
            model("reasoning_details"),
            OPENROUTER,
            {
                "reasoning_details": [
                    {
                        "type": "reasoning.text",
                        "text": "**Plan**",
                        "format": "google-gemini-v1",
                        "index": 0,
                    },
                    {
                        "type": "reasoning.encrypted",
                        "data": "CtsCARFNMg",
                        "format": "google-gemini-v1",
                        "id": "tool_0_Read_x",
                        "index": 0,
                    },
                ]
            },
        ),
        (
            "deepseek_reasoning_then_tool",
            model("reasoning_content"),
            Rules(),
            {"reasoning_content": "Need the file."},
        ),
    ],
)
def test_a_recorded_answer_goes_back_as_its_provider_wants(
    name: str, asked: Model, rules: Rules, wanted: dict[str, Any]
) -> None:
    talk = Talk()
    talk.answer(asked, (STREAMS / f"{name}.sse").read_bytes())
    sent = talk.sent(asked, rules)[0]
    assert {key: sent[key] for key in wanted} == wanted


def test_the_recorded_gemini_calls_go_back_in_one_message_with_their_signature() -> None:
    talk, asked = Talk(), model("thought_signature_or_skip", "gemini-3", provider="gemini")
    raw = (STREAMS / "gemini_no_index_thought_signature_stop.sse").read_bytes()
    talk.answer(asked, raw)
    assert extras(talk.sent(asked, GEMINI)) == [[signed("EjQKMgEMOdbHJChL")["extra_content"], None]]


def test_recorded_mistral_ids_are_restored() -> None:
    talk, asked = Talk(), model("none", tool_ids="mistral9")
    talk.answer(asked, (STREAMS / "mistral_whole_calls_no_index_no_type.sse").read_bytes())
    ids = [call["id"] for call in talk.sent(asked)[0]["tool_calls"]]
    assert ids == ["gSIMJiOkT", "k2PqX9aBc"]


def test_the_same_history_gives_the_same_bytes_every_time() -> None:
    talk, asked = Talk(), model("reasoning_details")
    talk.answer(asked, sse(details(text("A", "S"), reasoning="A"), called("call_x")))
    assert talk._body(asked).data == talk._body(asked).data
