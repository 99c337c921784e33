"""An answer that was cut in mid-text goes on, where a profile asks for that."""

import json
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fcc.diagnosis.verdict import Source
from fcc.errors import (
    BadRequestError,
    CutError,
    OverloadedError,
    RefusedKeyError,
    StalledError,
)
from fcc.server.exchange import CONTINUATIONS
from fcc.settings.limits import Retry, Timeouts
from fcc.settings.profile import Ask, Profile, Reply
from fcc.translate.context import Context
from fcc.translate.pieces import Failure, Finish, Piece, Text
from fcc.translate.reply.continuation import MAX_SAID, ContinuedReader
from fcc.translate.reply.overlap import SHORTEST
from fcc.translate.request.continuation import GO_ON, continued_body
from tests.conftest import Ask as Connect
from tests.conftest import app_of, profile_of
from tests.grammar import Seen, content, read
from tests.scripted import (
    ASKED,
    CLAUDE_CODE,
    DONE,
    Scripted,
    call,
    chunk,
    data,
    text,
    usage,
)

TOOL = {"name": "Read", "description": "", "input_schema": {"type": "object", "properties": {}}}
CUT = CutError("the connection broke")


def going_on(*, prefill: str = "keep", **fields: Any) -> Profile:
    reply = Reply(continue_after_cut=True, **fields.pop("reply", {}))
    return profile_of(ask=Ask(prefill=prefill), reply=reply, **fields)


async def answer(
    connect: Connect,
    backend: Scripted,
    profile: Profile | None = None,
    headers: Any = None,
    **fields: Any,
) -> Seen:
    client = await connect(app_of(profile or going_on()), backend)
    body = {**ASKED, "stream": True, **fields}
    async with client.post("/v1/messages", json=body, headers=headers) as response:
        assert response.status == 200
        return read(await response.read())


def words(seen: Seen) -> str:
    (block,) = seen.blocks
    assert block["type"] == "text"
    assert seen.open_block is None
    return block["raw"]


def shown(seen: Seen) -> list[tuple[str, str, bool]]:
    """Each block's type and content, and whether it is still open."""
    return [(block["type"], block["raw"], block is seen.open_block) for block in seen.blocks]


@pytest.mark.parametrize("cut", [[CUT], [StalledError("silent")], []])
@pytest.mark.parametrize(
    "rest", [["gave up."], ["I looked everywhere and ", "gave up."], ["everywhere and gave up."]]
)
async def test_the_client_sees_one_text_that_goes_on(
    connect: Connect, cut: Any, rest: list[str]
) -> None:
    backend = Scripted(
        [chunk(content="I looked "), chunk(content="everywhere and "), *cut], text(*rest)
    )
    seen = await answer(connect, backend)
    assert words(seen) == "I looked everywhere and gave up."
    assert seen.ended
    assert seen.error is None
    assert seen.stop_reason == "end_turn"
    assert len(backend.bodies) == 2
    assert backend.open == 0


async def test_a_key_that_is_refused_leaves_the_rest_to_another(connect: Connect) -> None:
    keys = {"TEST_KEY": "first-key,second-key"}
    backend = Scripted([chunk(content="half "), CUT], RefusedKeyError("no"), text("and half"))
    client = await connect(app_of(going_on(), environ=keys), backend)
    async with client.post("/v1/messages", json={**ASKED, "stream": True}) as response:
        seen = read(await response.read())
    assert words(seen) == "half and half"
    assert seen.error is None
    assert len(backend.bodies) == 3


async def test_without_the_switch_a_cut_is_a_cut(connect: Connect) -> None:
    backend = Scripted([chunk(content="half"), CUT], text(" and half"))
    seen = await answer(connect, backend, profile_of())
    assert seen.error is not None
    assert len(backend.bodies) == 1


async def test_the_second_body_is_the_first_with_what_was_said(connect: Connect) -> None:
    backend = Scripted([chunk(content="one two"), CUT], text(" three"))
    await answer(connect, backend, tools=[TOOL])
    first, second = backend.bodies
    assert second["messages"] == [*first["messages"], {"role": "assistant", "content": "one two"}]
    assert second["max_tokens"] == first["max_tokens"] - 2
    for field in first.keys() - {"messages", "max_tokens"}:
        assert second[field] == first[field]


@pytest.mark.parametrize(
    ("rule", "end"),
    [
        ("prefix", [{"role": "assistant", "content": "said", "prefix": True}]),
        ("partial", [{"role": "assistant", "content": "said", "partial": True}]),
        ("keep", [{"role": "assistant", "content": "said"}]),
        ("continue", [{"role": "assistant", "content": "said"}, {"role": "user", "content": GO_ON}]),
    ],
)  # fmt: skip
def test_each_provider_is_asked_in_its_own_way(rule: str, end: list[Any]) -> None:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], "n": [1]})
    asked = json.loads(continued_body(body.encode(), "said", 5, Ask(prefill=rule)))
    assert asked == {"model": "m", "messages": [{"role": "user", "content": "hi"}, *end], "n": [1]}


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
def test_what_was_spent_is_no_longer_allowed(field: str) -> None:
    body = json.dumps({"messages": [], field: 100}).encode()
    assert json.loads(continued_body(body, "x", 30, Ask()))[field] == 70
    assert json.loads(continued_body(body, "x", 300, Ask()))[field] == 1


async def test_the_clients_own_beginning_is_part_of_what_was_said(connect: Connect) -> None:
    messages = [*ASKED["messages"], {"role": "assistant", "content": "The answer"}]
    backend = Scripted([chunk(content=" is"), CUT], text("The answer is 4"))
    seen = await answer(connect, backend, messages=messages)
    assert words(seen) == " is 4"
    assert backend.bodies[1]["messages"][-1] == {"role": "assistant", "content": "The answer is"}
    assert len(backend.bodies[1]["messages"]) == 2


async def test_an_answer_that_is_held_to_a_schema_is_not_gone_on_with(connect: Connect) -> None:
    shape = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    backend = Scripted([chunk(content='{"color": '), CUT], text('{"color": "red"}'))
    seen = await answer(connect, backend, output_config=shape)
    assert len(backend.bodies) == 1
    assert seen.error is not None


async def test_an_answer_goes_on_twice_at_most(connect: Connect) -> None:
    parts = [[chunk(content=f"{n} "), CUT] for n in range(9)]
    backend = Scripted(*parts)
    seen = await answer(connect, backend)
    assert len(backend.bodies) == 1 + CONTINUATIONS
    assert seen.blocks[0]["raw"] == "0 1 2 "
    assert seen.error is not None
    assert seen.error["message"].startswith("the connection broke")


async def test_an_answer_that_goes_on_twice_is_whole(connect: Connect) -> None:
    backend = Scripted([chunk(content="a "), CUT], [chunk(content="b "), CUT], text("c"))
    seen = await answer(connect, backend)
    assert words(seen) == "a b c"
    assert backend.bodies[2]["messages"][-1]["content"] == "a b "


# What is not gone on with.


@pytest.mark.parametrize(
    "steps",
    [
        [call('{"a":', name="Read"), CUT],
        [chunk(content="I read."), call('{"a":', name="Read"), CUT],
        [call('{"a":1}', name="Read"), chunk(content="text"), CUT],
        [chunk(reasoning="I think"), CUT],
        [chunk(reasoning="I think"), chunk(content="so"), chunk(reasoning="but"), CUT],
        [chunk(content="half"), data({"error": {"message": "x", "code": 500}})],
    ],
)
async def test_a_call_reasoning_or_an_error_in_words_is_not_gone_on_with(
    connect: Connect, steps: Any
) -> None:
    backend = Scripted(steps, text("more"))
    seen = await answer(connect, backend, tools=[TOOL])
    assert len(backend.bodies) == 1
    assert seen.error is not None
    plain = await answer(connect, Scripted(steps), profile_of(), tools=[TOOL])
    assert shown(seen) == shown(plain)


async def test_an_answer_that_takes_too_long_in_all_is_not_gone_on_with(connect: Connect) -> None:
    backend = Scripted([chunk(content="half"), 10.0], text("more"))
    seen = await answer(connect, backend, going_on(timeouts=Timeouts(total=0.05)))
    assert len(backend.bodies) == 1
    assert seen.error is not None
    assert seen.error["type"] == "timeout_error"
    assert seen.open_block is None


async def test_an_answer_that_goes_out_whole_is_asked_for_anew(connect: Connect) -> None:
    backend = Scripted([chunk(content="half"), CUT], text("whole"))
    client = await connect(app_of(going_on()), backend)
    response = await client.post("/v1/messages", json=ASKED)
    assert (await response.json())["content"] == [{"type": "text", "text": "whole"}]
    assert backend.bodies[0] == backend.bodies[1]


# What may go wrong.


@pytest.mark.parametrize("headers", [None, CLAUDE_CODE])
@pytest.mark.parametrize(
    "second",
    [
        BadRequestError("no prefill"),
        OverloadedError("busy"),
        [CUT],
        [],
        [DONE],
        [data({"error": {"message": "x", "code": 500}})],
        [chunk(reasoning="hm"), CUT],
        text("I looked everywhere and then again, and nothing at all was there but a new hat"),
    ],
)  # fmt: skip
async def test_where_nothing_goes_on_the_end_is_that_of_the_cut(
    connect: Connect, second: Any, headers: Any
) -> None:
    # Its end may begin a call, and is held.
    said = "I looked everywhere and then again, and nothing at all was there but an old <tool"
    first = [chunk(content=said), CUT]

    async def end(profile: Profile, *answers: Any) -> bytes:
        client = await connect(app_of(profile), Scripted(*answers))
        body = {**ASKED, "stream": True, "tools": [TOOL]}
        raw = b""
        async with client.post("/v1/messages", json=body, headers=headers) as response:
            try:
                while more := await response.content.readany():
                    raw += more
            except aiohttp.ClientPayloadError:
                raw += b"[broken]"
        return raw

    def told(raw: bytes) -> list[Any]:
        texts = raw.decode().split("\n\n")
        return [part.partition('"request_id"')[0].partition(" (request")[0] for part in texts[1:]]

    retry = Retry(attempts=1)
    plain = await end(profile_of(retry=retry), first)
    assert said.removesuffix(" <tool") in plain.decode()
    assert told(await end(going_on(retry=retry), first, second)) == told(plain)


ANOTHER_ANSWER = "I looked everywhere and then again, and nothing at all was there but a new hat."


@pytest.mark.parametrize(
    "rest",
    [
        text(ANOTHER_ANSWER),
        [b"".join(text(ANOTHER_ANSWER))],
        [b"".join(text(ANOTHER_ANSWER[:70]))],
        text(*ANOTHER_ANSWER),
    ],
)
async def test_another_answer_is_no_rest_and_is_not_asked_for_again(
    connect: Connect, rest: Any
) -> None:
    said = ANOTHER_ANSWER.replace("a new hat.", "an old shoe, and then")
    backend = Scripted([chunk(content=said), CUT], rest)
    seen = await answer(connect, backend)
    assert seen.blocks[0]["raw"] == said
    assert seen.error is not None
    assert not seen.ended
    assert len(backend.bodies) == 2


async def test_a_provider_that_is_busy_is_asked_once_more(connect: Connect) -> None:
    backend = Scripted([chunk(content="a "), CUT], OverloadedError("busy"), text("b"))
    assert words(await answer(connect, backend)) == "a b"
    assert len(backend.bodies) == 3


async def test_words_of_an_error_in_the_rest_are_told(connect: Connect) -> None:
    rest = [chunk(content="b"), data({"error": {"message": "gone", "code": 503}})]
    seen = await answer(connect, Scripted([chunk(content="a "), CUT], rest))
    assert seen.blocks[0]["raw"] == "a b"
    assert seen.error is not None
    assert seen.error["type"] == "overloaded_error"


async def test_a_rest_of_nothing_is_an_end(connect: Connect) -> None:
    backend = Scripted([chunk(content="All of it."), CUT], [chunk("stop"), DONE])
    seen = await answer(connect, backend)
    assert words(seen) == "All of it."
    assert seen.ended


# What comes besides text.


async def test_a_call_may_follow_in_the_rest(connect: Connect) -> None:
    rest = [chunk(content=" it."), call("{}", name="Read", id="c1"), chunk("tool_calls"), DONE]
    seen = await answer(connect, Scripted([chunk(content="I read"), CUT], rest), tools=[TOOL])
    first, second = content(seen)
    assert first["text"] == "I read it."
    assert (second["type"], second["raw"]) == ("tool_use", "{}")
    assert seen.stop_reason == "tool_use"


async def test_reasoning_about_the_interruption_is_left_out(connect: Connect) -> None:
    rest = [chunk(reasoning="I was cut off."), *text("b")]
    seen = await answer(
        connect, Scripted([chunk(content="a "), CUT], rest), going_on(prefill="continue")
    )
    assert words(seen) == "a b"


async def test_a_template_that_opens_reasoning_opens_none_in_a_rest(connect: Connect) -> None:
    profile = going_on(reply={"implicit_think_open": True})
    first = [chunk(content="hm</think>a "), CUT]
    seen = await answer(connect, Scripted(first, text("b")), profile)
    assert [block["type"] for block in content(seen)] == ["thinking", "text"]
    assert content(seen)[1]["text"] == "a b"


async def test_json_in_a_rest_is_no_call_of_its_own(connect: Connect) -> None:
    rest = text('{"name": "Read", "arguments": {}}')
    seen = await answer(connect, Scripted([chunk(content="Write "), CUT], rest), tools=[TOOL])
    assert words(seen) == 'Write {"name": "Read", "arguments": {}}'


async def test_a_call_in_words_that_was_cut_is_made_whole_by_the_rest(connect: Connect) -> None:
    first = [chunk(content="I read. "), chunk(content='<tool_call>{"name": "Re'), CUT]
    rest = text('<tool_call>{"name": "Read", "arguments": {}}</tool_call>')
    seen = await answer(connect, Scripted(first, rest), tools=[TOOL])
    assert [block["type"] for block in content(seen)] == ["text", "tool_use"]
    assert seen.stop_reason == "tool_use"


# Usage.


async def test_the_output_of_all_streams_is_counted_and_the_prompt_once(connect: Connect) -> None:
    first = [chunk(content="word " * 78), CUT]
    rest = [chunk(content="end"), chunk("stop"), usage(1100, 20, cached=900), DONE]
    seen = await answer(connect, Scripted(first, rest))
    assert seen.usage["output_tokens"] == 120
    assert seen.usage["input_tokens"] == 100
    assert seen.usage["cache_read_input_tokens"] == 900


async def test_what_was_reported_before_the_cut_counts_as_reported(connect: Connect) -> None:
    counts = {"prompt_tokens": 1000, "completion_tokens": 7}
    begun = data({"choices": [{"index": 0, "delta": {"content": "a "}}], "usage": counts})
    rest = [chunk(content="b"), chunk("stop"), usage(1007, 5), DONE]
    seen = await answer(connect, Scripted([begun, CUT], rest))
    assert (seen.usage["input_tokens"], seen.usage["output_tokens"]) == (1000, 12)


async def test_without_a_report_all_of_the_text_is_estimated(connect: Connect) -> None:
    seen = await answer(connect, Scripted([chunk(content="word " * 39), CUT], text("word " * 39)))
    assert seen.usage["output_tokens"] == 100


async def test_the_log_counts_the_requests(connect: Connect, logged: list[str]) -> None:
    await answer(connect, Scripted([chunk(content="a "), CUT], text("b")))
    assert [line for line in logged if "was cut and is asked to go on" in line]
    assert [line for line in logged if "retries 1" in line]


# The reader by itself.


def reader(**how: Any) -> ContinuedReader:
    return ContinuedReader(Source("P", "m"), Reply(), Context(**how))


def said(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces if isinstance(piece, Text))


def test_an_answer_that_is_too_long_is_not_kept() -> None:
    long = reader()
    for _ in range(3):
        long.feed(chunk(content="x" * (MAX_SAID // 2)))
    assert long.said == ""
    assert isinstance(long.finish(CUT)[-1], Failure)
    assert long.cut is None


def test_a_rest_that_is_given_up_ends_with_what_was_held() -> None:
    cut = reader()
    cut.feed(chunk(content="a"))
    assert cut.finish(CUT) == []
    assert cut.cut is CUT
    assert cut.done
    assert cut.finish(CUT) == cut.feed(chunk(content="b")) == []
    cut.give_up()
    assert cut.finish(CUT) == [Failure(CUT)]
    assert cut.done


_ANSWERS = st.lists(
    st.sampled_from(["alpha ", "beta, ", "gamma\n\n", "délta ", "`code` ", "<b> ", "🙂 ", "1. "]),
    min_size=1, max_size=40,
).map("".join)  # fmt: skip


_PLACES = st.integers(0, 300)


def fed(reader: ContinuedReader, text: str, cuts: list[int]) -> str:
    """What the reader gives of `text`, which comes in chunks that are cut there."""
    edges = [0, *sorted(place % (len(text) + 1) for place in cuts), len(text)]
    return "".join(said(reader.feed(chunk(content=text[a:b]))) for a, b in pairwise(edges))


def clear(told: str, answer: str, back: int) -> bool:
    """Whether it can be seen that `back` characters of what was told come again."""
    rest = answer[len(told) - back :]
    others = [n for n in range(1, len(told) + 1) if n != back and told.endswith(rest[:n])]
    if [n for n in others if n >= SHORTEST or n == len(told)]:
        return False
    again = rest[:back]
    repeats_itself = any(again[n:] == again[:-n] for n in range(1, back // 2 + 1))
    long = back >= SHORTEST or back == len(told)
    return not back or (long and not repeats_itself and any(map(str.isalnum, again)))


@given(_ANSWERS, st.lists(st.tuples(_PLACES, _PLACES), max_size=3), st.lists(_PLACES, max_size=6))
def test_wherever_it_is_cut_and_whatever_is_repeated_the_text_is_that_of_an_uncut_answer(
    answer: str, breaks: list[tuple[int, int]], cuts: list[int]
) -> None:
    going, told, begin = reader(), "", 0
    for place, back in breaks:
        told += fed(going, answer[begin : max(begin, place % (len(answer) + 1))], cuts)
        going.finish(CUT)
        assume(going.cut is CUT)
        assert told == going.said == answer[: len(told)]
        back %= len(told) + 1  # noqa: PLW2901
        assume(clear(told, answer, back))
        begin = len(told) - back
        going.go_on()
    told += fed(going, answer[begin:], cuts)
    end = [*going.feed(chunk("stop")), *going.feed(DONE)]
    assert told + said(end) == answer
    assert isinstance(end[-1], Finish)
