"""The whole body: always legal, always the same, and a longer conversation begins alike."""

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter

from fcc.errors import ConfigError, RequestError
from fcc.settings.profile import Ask, Model
from fcc.translate.request.body import Body, translate
from fcc.wire.messages import decode_request
from tests.strict import Rules, assert_legal, problems

ASK = Ask()
PNG = "iVBORw0KGgoAAAANSUhEUg=="


def translated(
    messages: list[dict[str, Any]], ask: Ask = ASK, cap: int | None = None, **fields: Any
) -> Body:
    request = {"model": "claude", "max_tokens": 100, "messages": messages, **fields}
    model = Model(name="org/model", provider="p", ask=ask, max_output_tokens=cap)
    return translate(decode_request(json.dumps(request).encode()), model)


def sent(messages: list[dict[str, Any]], ask: Ask = ASK, **fields: Any) -> dict[str, Any]:
    return json.loads(translated(messages, ask, **fields).data)


HI = [{"role": "user", "content": "hi"}]
TOOL = {"name": "Stat", "input_schema": {"type": "object", "properties": {"path": {}}}}


def test_the_smallest_request() -> None:
    assert sent(HI) == {
        "model": "org/model",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_tokens": 100,
    }


def test_stream_is_true_whatever_the_client_wants() -> None:
    assert sent(HI, stream=False)["stream"] is True
    assert "stream_options" not in sent(HI, Ask(stream_usage=False))


def test_fields_of_the_client_that_have_no_meaning_here_are_not_sent() -> None:
    body = sent(
        HI, metadata={"user_id": "u"}, extra_body={"a": 1}, original_model="x", service_tier="auto"
    )
    assert set(body) == {"model", "messages", "stream", "stream_options", "max_tokens"}


def test_further_fields_of_the_profile_come_last_and_never_touch_model_or_messages() -> None:
    ask = Ask(extra={"model": "other", "messages": [], "seed": 1, "stream_options": {"x": 1}})
    body = sent(HI, ask)
    assert body["model"] == "org/model"
    assert body["messages"] == HI
    assert body["seed"] == 1
    assert body["stream_options"] == {"include_usage": True, "x": 1}


def test_an_extra_field_that_is_none_is_left_out() -> None:
    request = decode_request(json.dumps({"model": "m", "messages": HI}).encode())
    model = Model(name="m", provider="p", ask=Ask(extra={"a": 1}))
    body = json.loads(translate(request, model, extra={"stream_options": None, "b": 2}).data)
    assert body == {"model": "m", "messages": HI, "stream": True, "a": 1, "b": 2}


def test_every_tool_use_id_of_the_history_is_used() -> None:
    call = {"type": "tool_use", "id": "a", "name": "x", "input": {}}
    messages = [*HI, {"role": "assistant", "content": [call, {**call, "id": "b"}]}]
    assert translated(messages).used_ids == {"a", "b"}


@pytest.mark.parametrize(
    "ask",
    [
        Ask(tool_ids="nine"),
        Ask(reasoning="psychic"),
        Ask(reasoning_history="diary"),
        Ask(tool_names="long"),
        Ask(schema=("gone",)),
    ],
)
def test_a_name_that_no_table_has_is_a_config_error_with_the_known_ones(ask: Ask) -> None:
    with pytest.raises(ConfigError, match="known are"):
        sent([*HI, {"role": "assistant", "content": "x"}], ask, tools=[TOOL])


def test_schemas_nested_too_deeply_are_a_request_error() -> None:
    schema = '{"items":' * 600 + "{}" + "}" * 600
    tools = f'[{{"name":"x","input_schema":{schema}}}]'
    body = f'{{"model":"m","messages":[{{"role":"user","content":"x"}}],"tools":{tools}}}'
    model = Model(name="m", provider="p", ask=Ask(schema=("no_booleans",)))
    with pytest.raises(RequestError, match="nested too deeply"):
        translate(decode_request(body.encode()), model)


TEXT = st.sampled_from(["", " ", "\n", "text", "<system-reminder>x</system-reminder>", "ünï 🙂"])
IDS = st.sampled_from(["a", "b", "call_abc.def:123|x/y", "toolu_" + "z" * 90, "", "123456789"])
NAMES = st.sampled_from(["Stat", "mcp__server__" + "long" * 30, "we.ird näme", "Run"])
INPUTS = st.sampled_from([{}, {"path": "/x"}, "text", '{"a": 1}', None, [1], 5, {"type": "x"}])
CACHE = {"cache_control": {"type": "ephemeral"}}


def block(kind: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"type": st.just(kind), **fields}, optional={})


SOURCE = st.sampled_from(
    [
        {"type": "base64", "media_type": "image/png", "data": PNG},
        {"type": "base64", "data": PNG},
        {"type": "url", "url": "https://example.org/x.png"},
        {"type": "file", "file_id": "f"},
        {},
    ]
)
INNER = st.one_of(
    block("text", text=TEXT),
    block("image", source=SOURCE),
    block("document", source=SOURCE),
    block("tool_reference", tool_name=NAMES),
    block("odd", value=TEXT),
    st.sampled_from(["bare", 5, None]),
)
RESULT = st.fixed_dictionaries(
    {"type": st.just("tool_result"), "tool_use_id": IDS},
    optional={
        "content": st.one_of(TEXT, st.none(), st.lists(INNER, max_size=3), st.just({"k": 1})),
        "is_error": st.booleans(),
        **{key: st.just(value) for key, value in CACHE.items()},
    },
)
BLOCKS = st.one_of(
    block("text", text=TEXT),
    block("image", source=SOURCE),
    block("document", source=SOURCE),
    block("thinking", thinking=TEXT, signature=TEXT),
    block("redacted_thinking", data=TEXT),
    block("tool_use", id=IDS, name=NAMES, input=INPUTS),
    RESULT,
    block("server_tool_use", id=IDS, name=NAMES, input=INPUTS),
    block("web_search_tool_result", tool_use_id=IDS, content=st.just([{"url": "u"}])),
    block("odd", value=TEXT),
)
MESSAGE = st.fixed_dictionaries(
    {
        "role": st.sampled_from(["user", "assistant", "assistant", "user", "system"]),
        "content": st.one_of(TEXT, st.none(), st.lists(BLOCKS, max_size=4)),
    }
)
CONVERSATION = st.lists(MESSAGE, min_size=1, max_size=8)
TOOLS = st.lists(
    st.fixed_dictionaries(
        {"name": NAMES},
        optional={
            "input_schema": st.sampled_from([{}, {"type": "object"}, {"properties": {"type": {}}}]),
            "description": st.one_of(TEXT, st.none()),
            "type": st.sampled_from(["custom", "web_search_20250305", None]),
        },
    ),
    max_size=4,
)
CHOICES = st.sampled_from(
    [None, {"type": "auto"}, {"type": "any"}, {"type": "none"}, {"type": "tool", "name": "Stat"}]
)
STRICT = Ask(effort={"xhigh": "high"})
MISTRAL = Ask(
    tool_ids="mistral9",
    tool_choice=("auto", "none"),
    after_tools="result",
    schema=("nim",),
    parallel_tool_calls=False,
    response_format=False,
    images=False,
)
ANYWHERE = Ask(system="anywhere", merge_turns=False, no_content="omit", prefill="continue")
HISTORY = Ask(reasoning_history="reasoning_content", reasoning="reasoning_effort")
TAGS = Ask(reasoning_history="think_tags", tool_ids="openai40", tool_choice=("required",))
PROVIDERS = {
    "strict": (STRICT, Rules(alternate=True)),
    "mistral": (
        MISTRAL,
        Rules(alternate=True, id=re.compile("[a-zA-Z0-9]{9}"), user_after_tool=False),
    ),
    "anywhere": (ANYWHERE, Rules(system_anywhere=True)),
    "history": (HISTORY, Rules(alternate=True)),
    "tags": (TAGS, Rules(alternate=True)),
}


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@pytest.mark.parametrize("provider", PROVIDERS)
@given(messages=CONVERSATION, tools=TOOLS, choice=CHOICES, data=st.data())
def test_any_conversation_is_legal(
    provider: str, messages: list[Any], tools: list[Any], choice: Any, data: st.DataObject
) -> None:
    ask, rules = PROVIDERS[provider]
    fields = {
        "tools": tools,
        "tool_choice": choice,
        "system": data.draw(st.one_of(TEXT, st.lists(block("text", text=TEXT), max_size=2))),
        "stop_sequences": data.draw(st.lists(st.sampled_from(["a", "", "b", "c", "d", "e"]))),
        "thinking": data.draw(
            st.sampled_from([None, {"type": "disabled"}, {"type": "enabled", "budget_tokens": 9}])
        ),
    }
    assert_legal(translated(messages, ask, **fields).data, rules)


ADAPTER: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)


def check(typed: Any, plain: Any) -> None:
    """The SDK's types hold lazy iterators: nothing is checked before it is looked at."""
    if isinstance(plain, dict):
        for key, value in plain.items():
            check(typed[key], value)
    elif isinstance(plain, list):
        for one, value in zip(typed, plain, strict=True):
            check(one, value)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(messages=CONVERSATION, tools=TOOLS, choice=CHOICES)
def test_any_conversation_fits_the_types_of_the_openai_package(
    messages: list[Any], tools: list[Any], choice: Any
) -> None:
    body = translated(messages, tools=tools, tool_choice=choice).data
    check(ADAPTER.validate_json(body), json.loads(body))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(messages=CONVERSATION, tools=TOOLS)
def test_the_same_request_is_the_same_bytes_and_stays_as_it_was(
    messages: list[Any], tools: list[Any]
) -> None:
    body = {"model": "m", "max_tokens": 5, "messages": messages, "tools": tools}
    request = decode_request(json.dumps(body).encode())
    before = msgspec.json.encode(request)
    for ask in (STRICT, MISTRAL, ANYWHERE, Ask(cache_control=True)):
        model = Model(name="m", provider="p", ask=ask)
        first, second = translate(request, model), translate(request, model)
        assert first.data == second.data
        assert msgspec.json.encode(request) == before


def rounds(count: int) -> Iterator[dict[str, Any]]:
    """A conversation as Claude Code has it: call, result, and its reminder after it."""
    yield {"role": "user", "content": "do it"}
    yield {"role": "system", "content": [{"type": "text", "text": "environment"}]}
    for number in range(count):
        call = {"type": "tool_use", "id": f"t{number}", "name": "Stat", "input": {"path": "/x"}}
        thought = {"type": "thinking", "thinking": "hmm", "signature": ""}
        yield {"role": "assistant", "content": [thought, {"type": "text", "text": "so"}, call]}
        result = {"type": "tool_result", "tool_use_id": f"t{number}", "content": "ok"}
        yield {"role": "user", "content": [result, {"type": "text", "text": "reminder"}]}


@pytest.mark.parametrize("ask", [STRICT, MISTRAL, ANYWHERE, HISTORY, TAGS])
def test_a_longer_session_begins_with_the_same_bytes(ask: Ask) -> None:
    shorter = translated(list(rounds(5)), ask, tools=[TOOL], system="s").data
    longer = translated(list(rounds(6)), ask, tools=[TOOL], system="s").data
    end = shorter.index(b'],"tools"')
    assert shorter[:end] == longer[:end]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(messages=CONVERSATION, more=CONVERSATION)
def test_a_longer_conversation_begins_with_the_same_messages(
    messages: list[Any], more: list[Any]
) -> None:
    said = {"role": "user", "content": "question"}
    answer = {"role": "assistant", "content": "answer"}
    shorter = sent([*messages, said])["messages"]
    longer = sent([*messages, said, answer, *more])["messages"]
    assert longer[: len(shorter)] == shorter


def test_the_validator_refuses_what_it_should() -> None:
    call = {"id": "a", "type": "function", "function": {"name": "x", "arguments": "{}"}}
    broken = [
        [{"role": "assistant", "content": None}],
        [{"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "a", "content": ""}],
        [{"role": "user", "content": ""}],
        [
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "user", "content": "x"},
        ],
        [{"role": "assistant", "content": "x", "tool_calls": []}],
        [{"role": "user", "content": "x"}, {"role": "system", "content": "x"}],
        [{"role": "system", "content": "x"}],
    ]
    for messages in broken:
        assert problems({"model": "m", "messages": messages}), messages
