"""Knobs: how long, how random, in which shape and with how much thought."""

import json
from typing import Any

import pytest

from fcc.settings.profile import Ask, Model
from fcc.translate.request.body import translate
from fcc.translate.request.history import HISTORY
from fcc.translate.request.reasoning import KNOBS
from fcc.translate.signature import RETURNED
from fcc.wire.messages import decode_request
from tests.test_request_body import HI, sent, translated

ENABLED = {"type": "enabled", "budget_tokens": 4000}
ADAPTIVE = {"type": "adaptive", "display": "updates"}
DISABLED = {"type": "disabled"}


@pytest.mark.parametrize(
    ("wanted", "cap", "expected"),
    [(100, None, 100), (200_000, 81_920, 81_920), (5, 81_920, 5), (0, None, 1), (0, 10, 1)],
)
def test_the_limit_is_the_smaller_of_the_clients_and_the_models(
    wanted: int, cap: int | None, expected: int
) -> None:
    body = translated(HI, Ask(max_tokens="max_completion_tokens"), cap, max_tokens=wanted)
    assert f'"max_completion_tokens":{expected}'.encode() in body.data
    assert b'"max_tokens"' not in body.data


def test_without_a_limit_none_is_sent() -> None:
    assert "max_tokens" not in sent(HI, max_tokens=None)


def test_only_parameters_that_the_provider_takes_are_sent_and_zero_is_a_value() -> None:
    given = {"temperature": 0, "top_p": 0.1, "top_k": 5, "stop_sequences": ["END"]}
    body = sent(HI, **given)
    assert (body["temperature"], body["top_p"], body["stop"]) == (0, 0.1, ["END"])
    assert "top_k" not in body
    assert sent(HI, Ask(params=("top_k",)), **given)["top_k"] == 5
    assert not {"temperature", "top_p", "top_k", "stop"} & set(sent(HI, Ask(params=()), **given))


def test_stop_sequences_are_as_many_as_are_taken_and_the_rest_is_declined() -> None:
    body = translated(HI, Ask(stop_limit=2), stop_sequences=["a", "", "b", "a", "c"])
    assert b'"stop":["a","b"]' in body.data
    assert body.declined == ("stop sequence 'c'",)
    assert "stop" not in sent(HI, stop_sequences=[""])
    assert translated(HI, Ask(params=()), stop_sequences=["a"]).declined == ("stop sequence 'a'",)


SHAPE = {"type": "json_schema", "schema": {"type": "object", "properties": {"title": {}}}}


@pytest.mark.parametrize("fields", [{"output_config": {"format": SHAPE}}, {"output_format": SHAPE}])
def test_a_shape_is_asked_for_by_field_or_in_words(fields: dict[str, Any]) -> None:
    shape = {"name": "output", "schema": SHAPE["schema"]}
    expected = {"type": "json_schema", "json_schema": shape}
    assert sent(HI, **fields)["response_format"] == expected
    body = sent(HI, Ask(response_format=False), **fields)
    assert "response_format" not in body
    assert body["messages"][-1]["content"] == "hi"
    assert body["messages"][0] == {
        "role": "system",
        "content": "Answer with one JSON value and nothing else, valid by this JSON Schema:\n"
        '{"type":"object","properties":{"title":{}}}',
    }


def test_a_shape_in_words_stands_behind_the_clients_own_system_text() -> None:
    body = sent(HI, Ask(response_format=False), system="Be terse.", output_format=SHAPE)
    assert body["messages"][0]["content"].startswith("Be terse.\n\nAnswer with one JSON value")


def test_a_shape_of_another_kind_is_declined() -> None:
    body = translated(HI, output_config={"format": {"type": "grammar"}})
    assert body.shape is None
    assert body.declined == ("an output format of type 'grammar'",)
    assert translated(HI).shape is None


@pytest.mark.parametrize(
    ("wanted", "cap", "own", "expected"),
    [(100, None, 40, 40), (30, None, 40, 30), (100, 20, 40, 20), (None, None, 40, 40), (None, 9, 40, 9)],
)  # fmt: skip
def test_the_persons_own_limit_is_a_cap(
    wanted: int | None, cap: int | None, own: int, expected: int
) -> None:
    body = of_route(max_output_tokens=cap, max_tokens=own, asked={"max_tokens": wanted})
    assert body["max_tokens"] == expected


@pytest.mark.parametrize(
    ("knob", "asked", "effort", "expected"),
    [
        ("reasoning_effort", {"thinking": ADAPTIVE, "output_config": {"effort": "high"}}, "low",
         {"reasoning_effort": "low"}),
        ("reasoning_effort", {}, "low", {"reasoning_effort": "low"}),
        ("reasoning_effort", {"thinking": ADAPTIVE}, "none", {"reasoning_effort": "none"}),
        ("reasoning_effort", {"thinking": DISABLED}, "high", {"reasoning_effort": "none"}),
        ("openrouter", {"thinking": ENABLED}, "max", {"reasoning": {"effort": "max"}}),
        ("gemini", {"thinking": ENABLED}, "low", {"reasoning_effort": "low"}),
        ("thinking_type", {}, "none", {"thinking": {"type": "disabled"}}),
        ("none", {"thinking": ADAPTIVE}, "low", {}),
    ],
)  # fmt: skip
def test_the_persons_own_effort_takes_the_place_of_the_clients(
    knob: str, asked: dict[str, Any], effort: str, expected: dict[str, Any]
) -> None:
    body = of_route(ask=Ask(reasoning=knob), effort=effort, asked={**asked, "max_tokens": 9000})
    assert {key: value for key, value in body.items() if key in KNOB_FIELDS} == expected


def test_a_system_message_does_not_change_the_persons_own_effort() -> None:
    later = {"role": "system", "content": [], "output_config": {"effort": "max"}}
    messages = [*HI, {"role": "assistant", "content": "a"}, later, *HI]
    asked = {"thinking": ADAPTIVE, "messages": messages}
    body = of_route(ask=Ask(reasoning="reasoning_effort"), effort="low", asked=asked)
    assert body["reasoning_effort"] == "low"


KNOB_FIELDS = ("reasoning_effort", "reasoning", "thinking", "extra_body")


def of_route(*, asked: dict[str, Any], **model: Any) -> dict[str, Any]:
    """The body for a model of which config.toml says more."""
    whole = {"model": "claude", "messages": HI, **asked}
    request = decode_request(json.dumps(whole).encode())
    return json.loads(translate(request, Model(name="m", provider="p", **model)).data)


def knob(name: str, thinking: Any, effort: str | None = None, **ask: Any) -> dict[str, Any]:
    """What a knob adds to the body."""
    config = {"effort": effort} if effort else None
    body = sent(
        HI, Ask(reasoning=name, **ask), thinking=thinking, output_config=config, max_tokens=9000
    )
    for key in ("model", "messages", "stream", "stream_options", "max_tokens"):
        body.pop(key)
    return body


@pytest.mark.parametrize("name", KNOBS)
def test_a_client_that_says_nothing_of_thinking_leaves_it_to_the_provider(name: str) -> None:
    assert knob(name, None) == {}
    assert knob(name, None, "high") == {}
    assert knob(name, {"type": "from_the_future"}) == {}


def kwargs(on: bool) -> dict[str, Any]:
    return {"chat_template_kwargs": {"enable_thinking": on, "thinking": on}}


@pytest.mark.parametrize(
    ("name", "thinking", "effort", "expected"),
    [
        ("none", ENABLED, "high", {}),
        ("reasoning_effort", {**ENABLED, "budget_tokens": 2048}, None, {"reasoning_effort": "low"}),
        (
            "reasoning_effort",
            {**ENABLED, "budget_tokens": 8192},
            None,
            {"reasoning_effort": "medium"},
        ),
        (
            "reasoning_effort",
            {**ENABLED, "budget_tokens": 8193},
            None,
            {"reasoning_effort": "high"},
        ),
        (
            "reasoning_effort",
            {**ENABLED, "budget_tokens": 99_999},
            None,
            {"reasoning_effort": "high"},
        ),
        ("reasoning_effort", ENABLED, "low", {"reasoning_effort": "low"}),
        ("reasoning_effort", ADAPTIVE, None, {"reasoning_effort": "medium"}),
        ("reasoning_effort", ADAPTIVE, "max", {"reasoning_effort": "high"}),
        ("reasoning_effort", {"type": "between_tools"}, "xhigh", {"reasoning_effort": "high"}),
        ("reasoning_effort", DISABLED, "high", {"reasoning_effort": "none"}),
        ("ollama", DISABLED, None, {"reasoning_effort": "none"}),
        ("ollama", ADAPTIVE, "xhigh", {"reasoning_effort": "max"}),
        ("openrouter", DISABLED, "high", {"reasoning": {"effort": "none"}}),
        ("openrouter", ENABLED, None, {"reasoning": {"max_tokens": 4000}}),
        ("openrouter", {**ENABLED, "budget_tokens": 9000}, None, {"reasoning": {"effort": "high"}}),
        ("openrouter", ENABLED, "low", {"reasoning": {"effort": "low"}}),
        ("openrouter", ADAPTIVE, "max", {"reasoning": {"effort": "max"}}),
        ("openrouter", ADAPTIVE, None, {"reasoning": {"enabled": True}}),
        ("reasoning_enabled", ADAPTIVE, "low", {"reasoning": {"enabled": True}}),
        ("reasoning_enabled", DISABLED, None, {"reasoning": {"enabled": False}}),
        ("thinking_type", ENABLED, "low", {"thinking": {"type": "enabled"}}),
        ("thinking_type", DISABLED, None, {"thinking": {"type": "disabled"}}),
        (
            "thinking_type_effort",
            ADAPTIVE,
            "low",
            {"thinking": {"type": "enabled"}, "reasoning_effort": "low"},
        ),
        ("thinking_type_effort", DISABLED, "low", {"thinking": {"type": "disabled"}}),
        ("chat_template_kwargs", ADAPTIVE, None, kwargs(on=True)),
        ("chat_template_kwargs", DISABLED, "high", kwargs(on=False)),
        (
            "chat_template_kwargs_effort",
            ADAPTIVE,
            "low",
            {**kwargs(on=True), "reasoning_effort": "low"},
        ),
        ("gemini", DISABLED, None, {"reasoning_effort": "none"}),
        ("gemini", ADAPTIVE, "low", {"reasoning_effort": "low"}),
        (
            "gemini",
            ENABLED,
            None,
            {
                "extra_body": {
                    "google": {
                        "thinking_config": {"thinking_budget": 4000, "include_thoughts": True}
                    }
                }
            },
        ),
        ("prompt_mode", ADAPTIVE, None, {"prompt_mode": "reasoning"}),
        ("prompt_mode", DISABLED, None, {}),
    ],
)
def test_a_knob(name: str, thinking: Any, effort: str | None, expected: dict[str, Any]) -> None:
    assert knob(name, thinking, effort) == expected


def test_every_knob_has_a_row_above() -> None:
    rows = test_a_knob.pytestmark[0].args[1]
    assert {row[0] for row in rows} == set(KNOBS)
    assert set(HISTORY) == {"none", "think_tags", "reasoning_content", "reasoning"} | RETURNED


@pytest.mark.parametrize(
    ("effort", "words", "expected"),
    [
        ("max", {"max": "xhigh"}, {"reasoning_effort": "xhigh"}),
        ("low", {"low": "minimal"}, {"reasoning_effort": "minimal"}),
        ("low", {"low": ""}, {}),
    ],
)
def test_the_profile_has_its_own_words_for_effort(
    effort: str, words: dict[str, str], expected: dict[str, Any]
) -> None:
    assert sent_effort(effort, words) == expected


def sent_effort(effort: str, words: dict[str, str]) -> dict[str, Any]:
    ask = Ask(reasoning="reasoning_effort", effort=words)
    body = sent(HI, ask, thinking=ADAPTIVE, output_config={"effort": effort})
    return {key: value for key, value in body.items() if key == "reasoning_effort"}


def test_the_profile_has_its_own_word_for_off() -> None:
    ask = Ask(reasoning="reasoning_effort", effort={"none": "low"})
    assert sent(HI, ask, thinking=DISABLED)["reasoning_effort"] == "low"


def test_a_table_of_the_profile_joins_that_of_a_knob() -> None:
    ask = Ask(reasoning="chat_template_kwargs", extra={"chat_template_kwargs": {"clear": False}})
    body = sent(HI, ask, thinking=DISABLED)
    assert body["chat_template_kwargs"] == {
        "enable_thinking": False,
        "thinking": False,
        "clear": False,
    }


def test_an_effort_that_no_knob_takes_is_declined() -> None:
    request = decode_request(json.dumps({"model": "c", "messages": HI}).encode())
    declined = translate(request, Model(name="m", provider="p", effort="low")).declined
    assert declined == ("the effort of config.toml: no knob of this model is known",)
