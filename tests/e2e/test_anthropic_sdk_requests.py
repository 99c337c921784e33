"""Does what the official SDK asks reach the provider, and are tokens and models told?"""

import base64
from typing import Any

import anthropic
import httpx
import pytest
from anthropic import Anthropic

from tests.e2e.daemon import TOKEN
from tests.e2e.script import cue
from tests.e2e.sdk import MODEL, WEATHER, answer, ask, body_of, texts
from tests.e2e.upstream import KEY, Upstream

PIXEL = base64.b64encode(
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\x00\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00"
    b"\x00\x02\x02D\x01\x00;"
).decode()

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        (
            {"type": "base64", "media_type": "image/gif", "data": PIXEL},
            f"data:image/gif;base64,{PIXEL}",
        ),
        ({"type": "url", "url": "https://example.org/x.png"}, "https://example.org/x.png"),
    ],
    ids=["base64", "url"],
)
def test_an_image_goes_up_in_its_place(
    client: Anthropic, upstream: Upstream, run: str, source: dict[str, Any], wanted: str
) -> None:
    content = [
        {"type": "text", "text": "Before."},
        {"type": "image", "source": source},
        {"type": "text", "text": f"After. {cue('text', run=run)}"},
    ]
    client.messages.create(**ask("", messages=[{"role": "user", "content": content}]))
    parts = body_of(upstream, run)["messages"][-1]["content"]
    assert [part["type"] for part in parts] == ["text", "image_url", "text"]
    assert parts[1]["image_url"]["url"] == wanted


@pytest.mark.parametrize(
    "system",
    ["Be brief.\n\nBe kind.", [{"type": "text", "text": t} for t in ("Be brief.", "Be kind.")]],
    ids=["string", "blocks"],
)
def test_a_system_prompt_is_one_leading_message(
    client: Anthropic, upstream: Upstream, run: str, system: Any
) -> None:
    client.messages.create(**ask(cue("text", run=run), system=system))
    first, second = body_of(upstream, run)["messages"]
    assert first["role"] == "system"
    assert first["content"].split() == ["Be", "brief.", "Be", "kind."]
    assert second["role"] == "user"


def test_a_json_schema_for_the_answer_goes_up(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    output = {"format": {"type": "json_schema", "schema": schema}}
    client.messages.create(**ask(cue("text", run=run), output_config=output))
    sent = body_of(upstream, run)["response_format"]
    assert sent["type"] == "json_schema"
    assert sent["json_schema"]["schema"]["properties"] == schema["properties"]


def test_count_tokens_grows_with_every_part(client: Anthropic) -> None:
    user = {"role": "user", "content": "How is the weather in the old town of Riga today?"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Riga"}}
    thought = {"type": "thinking", "thinking": "A tool knows that, surely.", "signature": "x"}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "Rain and wind."}
    image = {
        "type": "image",
        "source": {"type": "base64", "media_type": "image/gif", "data": PIXEL},
    }
    told = [user, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    thoughtful = [told[0], {"role": "assistant", "content": [thought, use]}, told[2]]
    seen = [*thoughtful[:2], {"role": "user", "content": [result, image]}]
    growing: list[dict[str, Any]] = [
        {"messages": [user]},
        {"messages": [user], "system": "You are a very helpful weather station."},
    ]
    growing.append(growing[-1] | {"tools": [WEATHER]})
    growing += [growing[-1] | {"messages": turns} for turns in (told, thoughtful, seen)]
    counts = [client.messages.count_tokens(model=MODEL, **it).input_tokens for it in growing]
    assert counts == sorted(set(counts))
    assert counts[0] > 5


def test_raw_responses_carry_a_request_id(client: Anthropic, run: str) -> None:
    request = ask(cue("text", run=run))
    raw = client.messages.with_raw_response.create(**request)
    assert raw.headers["request-id"] == raw.parse()._request_id
    assert texts(raw.parse()) == [answer(run)]
    with client.messages.with_streaming_response.create(**request, stream=True) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        assert [event.type for event in response.parse()][-1] == "message_stop"


def test_the_beta_namespace_is_the_same_endpoint(client: Anthropic, run: str) -> None:
    betas = ["interleaved-thinking-2025-05-14", "a-beta-nobody-knows-2030-01-01"]
    message = client.beta.messages.create(**ask(cue("text", run=run)), betas=betas)
    assert message.content[0].type == "text"
    assert message.content[0].text == answer(run)
    counted = client.beta.messages.count_tokens(model=MODEL, messages=ask("Hello.")["messages"])
    assert counted.input_tokens > 0


def test_unknown_fields_are_taken_and_dropped(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    request = ask(cue("text", run=run), metadata={"user_id": "u"}, service_tier="auto")
    message = client.messages.create(**request, extra_body={"a_field_of_tomorrow": {"x": 1}})
    assert texts(message) == [answer(run)]
    assert "a_field_of_tomorrow" not in body_of(upstream, run)


def test_every_listed_model_can_be_retrieved_and_asked(client: Anthropic, run: str) -> None:
    models = list(client.models.list())
    assert models
    assert all(model.lifecycle == "active" for model in models)
    assert [client.models.retrieve(model.id).id for model in models] == [m.id for m in models]
    request = ask(cue("text", run=run)) | {"model": models[0].id}
    assert texts(client.messages.create(**request)) == [answer(run)]


def test_models_come_page_by_page(client: Anthropic) -> None:
    whole = [model.id for model in client.models.list(limit=1000)]
    assert [model.id for model in client.models.list(limit=1)] == whole
    page = client.models.list(limit=1)
    assert page.first_id == page.last_id == whole[0]
    assert page.has_more == (len(whole) > 1)
    before = client.models.list(limit=1000, before_id=whole[-1])
    assert [model.id for model in before.data] == whole[:-1]


def test_an_unknown_model_is_not_found(client: Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.models.retrieve("no-such-model-anywhere")
    assert caught.value.type == "not_found_error"


@pytest.mark.parametrize(
    "header",
    [{"authorization": f"Bearer {TOKEN}"}, {"x-api-key": TOKEN}],
    ids=["bearer", "x_api_key"],
)
@pytest.mark.parametrize("version", ["2023-06-01", "2026-10-21"])
def test_the_token_may_come_in_either_header(
    url: str, upstream: Upstream, run: str, header: dict[str, str], version: str
) -> None:
    body = ask(cue("text", run=run))
    headers = {**header, "anthropic-version": version}
    response = httpx.post(f"{url}/v1/messages", json=body, headers=headers, trust_env=False)
    assert response.status_code == httpx.codes.OK
    assert response.json()["content"][0]["text"] == answer(run)
    assert upstream.asked(run)[-1].headers["Authorization"] == f"Bearer {KEY}"


def test_a_wrong_token_is_refused_before_the_provider_is_asked(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    stranger = client.with_options(api_key="something-else")
    for call in (
        lambda: stranger.messages.create(**ask(cue("text", run=run))),
        stranger.models.list,
        lambda: stranger.messages.count_tokens(model=MODEL, messages=ask("Hi.")["messages"]),
    ):
        with pytest.raises(anthropic.AuthenticationError) as caught:
            call()
        assert caught.value.type == "authentication_error"
    assert upstream.asked(run) == []


@pytest.mark.parametrize(
    "change",
    [{"messages": []}, {"max_tokens": -1}, {"messages": [{"role": "nobody", "content": "x"}]}],
    ids=["no_messages", "negative_max_tokens", "unknown_role"],
)
def test_a_request_that_makes_no_sense_is_a_bad_request(
    client: Anthropic, change: dict[str, Any]
) -> None:
    with pytest.raises(anthropic.BadRequestError) as caught:
        client.messages.create(**ask("Hello.") | change)
    assert caught.value.type == "invalid_request_error"
