"""Does the official Python SDK get answers as from Anthropic, and can it use tools?"""

from typing import Any

import anthropic
import pytest
from anthropic import Anthropic, beta_tool

from tests.e2e.script import REASONING, TRICKY, cue
from tests.e2e.sdk import MODEL, SDK, WEATHER, answer, ask, body_of, inputs, texts
from tests.e2e.upstream import Upstream
from tests.e2e.wire import DAMAGE

pytestmark = pytest.mark.e2e


def test_create_and_stream_agree(client: Anthropic, run: str) -> None:
    request = ask(cue("text", run=run, reasoning="reasoning_content"))
    created = client.messages.create(**request)
    with client.messages.stream(**request) as stream:
        streamed = stream.get_final_message()
    ours = {"id", "content"}
    assert created.model_dump(exclude=ours) == streamed.model_dump(exclude=ours)
    assert [block.type for block in created.content] == ["thinking", "text"]
    assert texts(created) == texts(streamed) == [answer(run)]
    assert created.model == MODEL
    assert created.stop_reason == "end_turn"


def test_every_message_has_an_id_of_its_own(client: Anthropic, run: str) -> None:
    ids = {client.messages.create(**ask(cue("text", run=run))).id for _ in range(3)}
    assert len(ids) == 3
    assert all(name.startswith("msg_") for name in ids)


def test_text_stream_gives_the_text_piece_by_piece(client: Anthropic, run: str) -> None:
    with client.messages.stream(**ask(cue("text", run=run, pause=0.02))) as stream:
        pieces = list(stream.text_stream)
    assert "".join(pieces) == answer(run)
    assert len(pieces) > 3


def test_usage_is_the_providers_with_the_cached_half_apart(client: Anthropic, run: str) -> None:
    usage = client.messages.create(**ask(cue("text", run=run) + " word" * 200)).usage
    assert usage.output_tokens == 20
    assert usage.cache_read_input_tokens is not None
    assert usage.cache_read_input_tokens > 100
    assert usage.input_tokens - usage.cache_read_input_tokens in (0, 1)


@pytest.mark.parametrize("form", ["reasoning_content", "reasoning", "think"])
def test_reasoning_becomes_a_signed_thinking_block(client: Anthropic, run: str, form: str) -> None:
    thinking = {"type": "enabled", "budget_tokens": 1024}
    request = ask(cue("text", run=run, reasoning=form), thinking=thinking, max_tokens=4000)
    with client.messages.stream(**request) as stream:
        message = stream.get_final_message()
    block = message.content[0]
    assert block.type == "thinking"
    assert block.thinking.strip() == REASONING
    assert block.signature
    history = [
        *request["messages"],
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": "Again."},
    ]
    assert texts(client.messages.create(**request | {"messages": history})) == [answer(run)]


def test_a_length_finish_is_a_max_tokens_stop(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    message = client.messages.create(**ask(cue("text", run=run, finish="length"), max_tokens=77))
    assert message.stop_reason == "max_tokens"
    body = body_of(upstream, run)
    assert (body.get("max_tokens") or body.get("max_completion_tokens")) == 77


def test_a_stop_sequence_goes_up_and_the_one_that_stopped_comes_back(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    request = ask(cue("text", run=run, stopped_by="HALT"), stop_sequences=["HALT", "WAIT"])
    message = client.messages.create(**request)
    assert message.stop_reason == "stop_sequence"
    assert message.stop_sequence == "HALT"
    assert body_of(upstream, run)["stop"] == ["HALT", "WAIT"]


@pytest.mark.parametrize("calls", ["", "interleaved", "hermes"])
def test_a_loop_of_parallel_tools_comes_to_its_end(
    client: Anthropic, upstream: Upstream, run: str, calls: str
) -> None:
    form = {"calls": calls} if calls else {}
    prompt = cue("weather", run=run, cities="Paris,Oslo,Rome", **form)
    request = ask(prompt, tools=[WEATHER])
    with client.messages.stream(**request) as stream:
        message = stream.get_final_message()
    assert message.stop_reason == "tool_use"
    uses = [block for block in message.content if block.type == "tool_use"]
    cities = ("Paris", "Oslo", "Rome")
    assert inputs(message) == [{"city": city, "note": TRICKY} for city in cities]
    assert len({use.id for use in uses}) == 3
    results = [
        {"type": "tool_result", "tool_use_id": use.id, "content": f"rain {i}"}
        for i, use in enumerate(uses)
    ]
    # The client answers in the order of completion, which is any.
    turn = [*reversed(results), {"type": "text", "text": "Well?"}]
    history = [
        *request["messages"],
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": turn},
    ]
    told = texts(client.messages.create(**request | {"messages": history}))
    assert {word for i in range(3) if (word := f"rain {i}") in told[0]} == {
        "rain 0",
        "rain 1",
        "rain 2",
    }
    roles = [message["role"] for message in body_of(upstream, run)["messages"]]
    assert roles == ["user", "assistant", "tool", "tool", "tool", "user"]


def test_a_created_tool_use_is_the_streamed_one(client: Anthropic, run: str) -> None:
    request = ask(cue("weather", run=run), tools=[WEATHER])
    created = client.messages.create(**request)
    with client.messages.stream(**request) as stream:
        streamed = stream.get_final_message()
    assert inputs(created) == inputs(streamed) == [{"city": "Paris", "note": TRICKY}]
    assert created.stop_reason == streamed.stop_reason == "tool_use"


@pytest.mark.parametrize("damage", [*DAMAGE, "cumulative"])
@pytest.mark.parametrize("stream", [False, True], ids=["created", "streamed"])
def test_damaged_arguments_arrive_mended(
    client: Anthropic, run: str, damage: str, stream: bool
) -> None:
    request = ask(cue("weather", run=run, cities="Paris,Oslo", damage=damage), tools=[WEATHER])
    if stream:
        with client.messages.stream(**request) as events:
            message = events.get_final_message()
    else:
        message = client.messages.create(**request)
    assert inputs(message) == [{"city": city, "note": TRICKY} for city in ("Paris", "Oslo")]


@pytest.mark.parametrize(
    ("choice", "upstream_choice"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        (
            {"type": "tool", "name": "get_weather"},
            {"type": "function", "function": {"name": "get_weather"}},
        ),
    ],
    ids=["auto", "any", "none", "tool"],
)
def test_tool_choice_goes_up_in_the_providers_words(
    client: Anthropic, upstream: Upstream, run: str, choice: Any, upstream_choice: object
) -> None:
    client.messages.create(**ask(cue("text", run=run), tools=[WEATHER], tool_choice=choice))
    body = body_of(upstream, run)
    # Where nothing is said, a provider decides by itself: absent is "auto".
    assert body.get("tool_choice", "auto") == upstream_choice
    assert body["tools"][0]["function"]["name"] == "get_weather"


def test_parallel_tool_use_can_be_forbidden(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    client.messages.create(**ask(cue("text", run=run), tools=[WEATHER], tool_choice=choice))
    assert body_of(upstream, run)["parallel_tool_calls"] is False


def test_the_tool_runner_keeps_its_history_though_threads_are_declined(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    @beta_tool
    def get_weather(city: str, note: str) -> str:
        """The weather of a city."""
        return f"sun in {city}{'' if note == TRICKY else ' and a broken note'}"

    runner = client.beta.messages.tool_runner(
        **ask(cue("weather", run=run, cities="Paris,Oslo")), tools=[get_weather]
    )
    last = runner.until_done()
    assert last.content[-1].type == "text"
    assert last.content[-1].text == "The tools said: sun in Paris; sun in Oslo"
    assert [asked.step for asked in upstream.asked(run)] == [0, 1]


def test_a_thread_is_declined_in_the_words_the_sdk_acts_on(client: Anthropic, run: str) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.beta.messages.create(
            **ask(cue("text", run=run)),
            extra_body={"thread": {"type": "create"}},
            betas=["message-threads-2026-08-12"],
        )
    body: Any = caught.value.body
    assert body["error"]["details"]["error_code"] == "thread_unsupported_request"
    if SDK > 1:
        assert caught.value.error_code == "thread_unsupported_request"


@pytest.mark.skipif(SDK == 1, reason="this SDK knows no threads")
def test_a_thread_goes_on_without_one(client: Anthropic, upstream: Upstream, run: str) -> None:
    thread = client.beta.messages.thread(
        model=MODEL, max_tokens=1000, unsupported_request_behavior="continue_unthreaded"
    )
    for turn in ("first", "second"):
        said = thread.send({"role": "user", "content": f"{turn} {cue('text', run=run)}"})
        assert said.content[0].type == "text"
        assert said.content[0].text == answer(run)
    told = body_of(upstream, run)["messages"]
    assert [message["role"] for message in told] == ["user", "assistant", "user"]
    assert told[0]["content"].startswith("first")
    assert told[1]["content"] == answer(run)
