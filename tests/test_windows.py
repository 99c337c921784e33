"""What is known of context windows, and what clients are told by it."""

from typing import Any

import pytest
from aiohttp import web

from fcc.errors import PromptTooLongError
from fcc.settings.profile import Facts
from tests.conftest import Ask, app_of, profile_of
from tests.scripted import ASKED, Scripted, text

LONG = "word " * 40_000
"""About 51,000 tokens."""


def offering(*entries: dict[str, Any]) -> Any:
    """A server that lists models, and refuses every request as too long."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/models"):
            return web.json_response({"data": list(entries)})
        await request.read()
        return web.json_response({"error": {"message": "prompt too long"}}, status=400)

    return answer


async def refusal(client: Any, content: str = LONG) -> str:
    asked = {**ASKED, "messages": [{"role": "user", "content": content}]}
    response = await client.post("/v1/messages", json=asked)
    assert response.status == 400
    return (await response.json())["error"]["message"]


async def windows(client: Any) -> dict[str, int | None]:
    listed = await (await client.get("/v1/models?limit=1000")).json()
    return {model["id"]: model.get("max_input_tokens") for model in listed["data"]}


async def test_an_overflow_without_numbers_is_told_with_the_listed_window(
    connect: Ask, upstream: Any
) -> None:
    url = await upstream(offering({"id": "m", "max_model_len": 8192}))
    message = await refusal(await connect(app_of(profile_of(base_url=url))))
    assert message.startswith("prompt is too long: 5")
    assert " tokens > 8192 maximum (Test (m) answered 400: prompt too long" in message


async def test_an_overflow_without_numbers_is_told_with_the_profiles_window(connect: Ask) -> None:
    profile = profile_of(embedded=True, base_url="", facts={"m": Facts(context_window=4096)})
    error = PromptTooLongError("prompt is too long (Test (m) answered 400: x)")
    client = await connect(app_of(profile), Scripted(error))
    assert " tokens > 4096 maximum (Test (m) answered 400: x)" in await refusal(client)


async def test_an_estimate_below_the_limit_does_not_say_that_the_prompt_fits(connect: Ask) -> None:
    profile = profile_of(embedded=True, base_url="", facts={"m": Facts(context_window=4096)})
    error = PromptTooLongError("prompt is too long (Test (m) answered 400: x)")
    client = await connect(app_of(profile), Scripted(error))
    message = await refusal(client, "short")
    assert message.startswith("prompt is too long for a limit of 4096 tokens (Test (m) answered")


async def test_where_nothing_is_known_the_words_stay(connect: Ask) -> None:
    error = PromptTooLongError("prompt is too long (Test (m) answered 400: x)")
    client = await connect(app_of(profile_of(embedded=True, base_url="")), Scripted(error))
    assert (await refusal(client)).startswith("prompt is too long (Test (m) answered 400: x)")


def too_long(words: str, limit: int) -> PromptTooLongError:
    error = PromptTooLongError(words)
    error.limit = limit
    return error


async def test_a_limit_that_is_told_without_a_count_gets_one(connect: Ask) -> None:
    error = too_long("prompt is too long for a limit of 4096 tokens (x (y): z)", 4096)
    client = await connect(app_of(profile_of(embedded=True, base_url="")), Scripted(error))
    assert " tokens > 4096 maximum (x (y): z)" in await refusal(client)


async def test_a_refusal_teaches_the_window(connect: Ask) -> None:
    facts = {"m": Facts(context_window=100_000)}
    profile = profile_of(embedded=True, base_url="", facts=facts)
    error = too_long("prompt is too long: 51000 tokens > 32768 maximum (x)", 32768)
    client = await connect(app_of(profile), Scripted(error))
    assert (await windows(client))["claude-opus"] == 100_000
    assert "51000 tokens > 32768 maximum" in await refusal(client)
    assert (await windows(client))["claude-opus"] == 32768


async def test_a_limit_of_a_few_tokens_is_no_window(connect: Ask) -> None:
    error = too_long("prompt is too long: 51000 tokens > 10 maximum (x)", 10)
    client = await connect(app_of(profile_of(embedded=True, base_url="")), Scripted(error))
    await refusal(client)
    assert (await windows(client))["claude-opus"] is None


async def test_an_open_stream_is_told_the_same_way(connect: Ask) -> None:
    profile = profile_of(embedded=True, base_url="", facts={"m": Facts(context_window=4096)})
    error = PromptTooLongError("prompt is too long (x)")
    client = await connect(app_of(profile), Scripted(error))
    asked = {**ASKED, "stream": True, "messages": [{"role": "user", "content": LONG}]}
    body = await (await client.post("/v1/messages", json=asked)).json()
    assert " tokens > 4096 maximum (x)" in body["error"]["message"]


@pytest.mark.parametrize(
    ("entry", "want"),
    [
        ({"id": "m", "context_length": 9000}, 9000),
        ({"id": "m", "meta": {"n_ctx": 9000}}, 9000),
        ({"id": "models/m", "context_window": 9000}, 9000),
        ({"id": "m"}, 5000),
        ({"id": "another", "context_length": 9000}, 5000),
    ],
)
async def test_a_family_has_the_window_of_the_model_behind_it(
    connect: Ask, upstream: Any, entry: dict[str, Any], want: int
) -> None:
    facts = {"m": Facts(context_window=5000)}
    profile = profile_of(base_url=await upstream(offering(entry)), facts=facts)
    seen = await windows(await connect(app_of(profile)))
    assert {seen[f"claude-{tier}"] for tier in ("opus", "sonnet", "haiku", "fable")} == {want}


async def test_the_most_output_is_told_under_the_apis_own_name(connect: Ask) -> None:
    facts = {"m": Facts(context_window=5000, max_output_tokens=700)}
    client = await connect(app_of(profile_of(embedded=True, base_url="", facts=facts)))
    model = await (await client.get("/v1/models/claude-opus")).json()
    assert (model["max_input_tokens"], model["max_tokens"]) == (5000, 700)


async def test_a_request_that_fits_learns_nothing(connect: Ask) -> None:
    client = await connect(app_of(profile_of(embedded=True, base_url="")), Scripted(text("hi")))
    await client.post("/v1/messages", json=ASKED)
    assert (await windows(client))["claude-opus"] is None
