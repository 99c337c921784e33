"""Structured output: by field where the provider takes it, else in words and checked."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from fcc.errors import BadRequestError, CutError, Fix, OverloadedError
from fcc.settings.limits import Timeouts
from fcc.settings.profile import Ask as AskSettings
from fcc.settings.profile import Profile
from tests.clock import virtually
from tests.conftest import Ask, app_of, profile_of, scripted
from tests.grammar import content, read
from tests.scripted import ASKED, DONE, Scripted, call, chunk, text, usage

SCHEMA = {
    "type": "object",
    "properties": {"color": {"type": "string"}, "n": {"type": "integer"}},
    "required": ["color", "n"],
    "additionalProperties": False,
}
SHAPE = {"format": {"type": "json_schema", "schema": SCHEMA}}
GOOD = '{"color": "red", "n": 3}'
BAD = '{"color": "red"}'


def in_words(**fields: Any) -> Profile:
    """A provider that takes no response_format."""
    return profile_of(ask=AskSettings(response_format=False), **fields)


async def said(client: Any, *, stream: bool = False, **fields: Any) -> str:
    """The answer's one text."""
    asked = {**ASKED, "output_config": SHAPE, "stream": stream, **fields}
    response = await client.post("/v1/messages", json=asked)
    assert response.status == 200
    raw = await response.read()
    blocks = content(read(raw)) if stream else json.loads(raw)["content"]
    (words,) = [block["text"] for block in blocks if block["type"] == "text"]
    return words


async def test_a_provider_that_takes_the_field_is_asked_by_it_and_streams(connect: Ask) -> None:
    backend = Scripted(text("as ", "it is"))
    client = await connect(backend=backend)
    assert await said(client, stream=True) == "as it is"
    assert backend.bodies[0]["response_format"]["json_schema"]["schema"] == SCHEMA
    assert "JSON Schema" not in str(backend.bodies[0]["messages"])


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("parts", [(GOOD,), ("Sure:\n```json\n", GOOD, "\n```\nBye"), (" ", GOOD)])
async def test_what_reaches_the_client_is_the_json_alone(
    connect: Ask, stream: bool, parts: tuple[str, ...]
) -> None:
    backend = Scripted(text(*parts))
    client = await connect(app_of(in_words()), backend)
    assert await said(client, stream=stream) == GOOD
    (body,) = backend.bodies
    assert "response_format" not in body
    assert json.dumps(SCHEMA, separators=(",", ":")) in body["messages"][0]["content"]
    assert body["messages"][0]["role"] == "system"


async def test_the_older_place_of_the_shape_is_the_same(connect: Ask) -> None:
    client = await connect(app_of(in_words()), Scripted(text(f"Here: {GOOD}")))
    assert await said(client, output_config=None, output_format=SHAPE["format"]) == GOOD


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_that_does_not_fit_is_asked_for_once_more_with_what_is_wrong(
    connect: Ask, logged: list[str], stream: bool
) -> None:
    backend = Scripted(text(BAD), text(f"```\n{GOOD}\n```"))
    client = await connect(app_of(in_words()), backend)
    assert await said(client, stream=stream) == GOOD
    first, second = (body["messages"] for body in backend.bodies)
    assert second[: len(first)] == first
    assert second[-2] == {"role": "assistant", "content": BAD}
    assert second[-1]["role"] == "user"
    assert "$: 'n' is missing" in second[-1]["content"]
    assert not [line for line in logged if "WARNING" in line]


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_that_fits_neither_time_is_passed_on_and_told_in_the_log(
    connect: Ask, logged: list[str], stream: bool
) -> None:
    backend = Scripted(text("no idea"), text("still ", "none, sorry"))
    client = await connect(app_of(in_words()), backend)
    assert await said(client, stream=stream) == "still none, sorry"
    assert len(backend.bodies) == 2
    (warning,) = [line for line in logged if "WARNING" in line]
    assert "Test (m)" in warning
    assert "sorry" not in "".join(logged)
    assert "color" not in "".join(logged)


async def test_an_answer_of_nothing_is_asked_for_again_in_a_legal_order(connect: Ask) -> None:
    backend = Scripted(text("  "), text(GOOD))
    client = await connect(app_of(in_words()), backend)
    assert await said(client) == GOOD
    assert backend.bodies[-1]["messages"][-2] == {"role": "assistant", "content": "[empty]"}


async def test_where_it_can_not_be_asked_again_the_first_answer_is_passed_on(
    connect: Ask, logged: list[str]
) -> None:
    backend = Scripted(text("no idea"), BadRequestError("words"))
    client = await connect(app_of(in_words()), backend)
    assert await said(client) == "no idea"
    assert any("WARNING" in line for line in logged)


async def test_an_answer_that_breaks_off_is_asked_for_again_before_anything_is_sent(
    connect: Ask,
) -> None:
    broken = [chunk(content='{"color": '), CutError("cut")]
    client = await connect(app_of(in_words()), Scripted(broken, text(GOOD)))
    assert await said(client, stream=True) == GOOD


async def test_a_failure_keeps_its_status(connect: Ask) -> None:
    client = await connect(app_of(in_words()), Scripted(OverloadedError("busy")))
    response = await client.post("/v1/messages", json={**ASKED, "output_config": SHAPE})
    assert response.status == 529


async def test_a_tool_that_is_called_first_is_no_answer_yet(connect: Ask) -> None:
    tool = {"name": "Read", "input_schema": {"type": "object"}}
    steps = [chunk(content="I look."), call("{}", name="Read", id="c"), chunk("tool_calls"), DONE]
    backend = Scripted(steps)
    client = await connect(app_of(in_words()), backend)
    asked = {**ASKED, "output_config": SHAPE, "stream": True, "tools": [tool]}
    seen = read(await (await client.post("/v1/messages", json=asked)).read())
    assert [block["type"] for block in content(seen)] == ["text", "tool_use"]
    assert content(seen)[0]["text"] == "I look."
    assert len(backend.bodies) == 1


async def test_words_beside_a_call_stay_whatever_json_is_in_them(connect: Ask) -> None:
    words = f"I look for {GOOD} first."
    steps = [chunk(content=words), call("{}", name="Read", id="c"), chunk("tool_calls"), DONE]
    client = await connect(app_of(in_words()), Scripted(steps))
    tool = {"name": "Read", "input_schema": {"type": "object"}}
    assert await said(client, tools=[tool]) == words


async def test_an_answer_that_a_limit_cut_is_told_as_that(connect: Ask, logged: list[str]) -> None:
    backend = Scripted([chunk(content='{"color": "re'), chunk("length"), DONE])
    client = await connect(app_of(in_words()), backend)
    assert await said(client) == '{"color": "re'
    assert len(backend.bodies) == 1
    assert not [line for line in logged if "WARNING" in line]


async def test_thinking_stays_and_texts_become_one(connect: Ask) -> None:
    steps = [
        chunk(reasoning="hm"), chunk(content="Well. "), chunk(reasoning="ah"),
        chunk(content=GOOD), chunk("stop"), usage(9, 4), DONE,
    ]  # fmt: skip
    client = await connect(app_of(in_words()), Scripted(steps))
    asked = {**ASKED, "output_config": SHAPE, "stream": True}
    seen = read(await (await client.post("/v1/messages", json=asked)).read())
    blocks = content(seen)
    assert [block["type"] for block in blocks] == ["thinking", "thinking", "text"]
    assert blocks[-1]["text"] == GOOD
    assert seen.usage["output_tokens"] == 4


@pytest.mark.parametrize("prefill", ["keep", "prefix", "continue"])
async def test_a_beginning_that_the_client_gave_is_not_judged(connect: Ask, prefill: str) -> None:
    turns = [*ASKED["messages"], {"role": "assistant", "content": '{"color":'}]
    backend = Scripted(text(' "red", "n": 3}'))
    profile = profile_of(ask=AskSettings(response_format=False, prefill=prefill))
    client = await connect(app_of(profile), backend)
    assert await said(client, messages=turns) == ' "red", "n": 3}'
    assert len(backend.bodies) == 1


def refusing() -> BadRequestError:
    error = BadRequestError("unknown field response_format")
    error.fix = Fix(drop_field="response_format")
    return error


@pytest.mark.parametrize("stream", [True, False])
async def test_a_provider_that_refuses_the_field_is_asked_in_words_from_then_on(
    connect: Ask, stream: bool
) -> None:
    backend = Scripted(refusing(), text(f"So: {GOOD}"), text(f"And: {GOOD}"))
    client = await connect(backend=backend)
    assert await said(client, stream=stream, system="Be terse.") == GOOD
    assert await said(client, stream=stream) == GOOD
    asked, again, later = backend.bodies
    assert "response_format" in asked
    for body in (again, later):
        assert "response_format" not in body
        assert "JSON Schema" in body["messages"][0]["content"]
    assert again["messages"][0]["content"].startswith("Be terse.\n\n")
    assert len(again["messages"]) == len(later["messages"]) == 2


async def test_another_refusal_of_a_shaped_request_is_mended_as_ever(connect: Ask) -> None:
    error = BadRequestError("max_tokens")
    error.fix = Fix(max_tokens=50)
    backend = Scripted(error, text(GOOD))
    assert await said(await connect(backend=backend)) == GOOD
    assert backend.bodies[1]["max_tokens"] == 50
    assert "response_format" in backend.bodies[1]


async def test_cached_system_parts_take_the_words_too(connect: Ask) -> None:
    profile = profile_of(ask=AskSettings(cache_control=True))
    backend = Scripted(refusing(), text(GOOD))
    client = await connect(app_of(profile), backend)
    block = {"type": "text", "text": "Be terse.", "cache_control": {"type": "ephemeral"}}
    assert await said(client, system=[block]) == GOOD
    parts = backend.bodies[1]["messages"][0]["content"]
    assert [part["text"][:9] for part in parts] == ["Be terse.", "Answer wi"]


def test_the_client_is_kept_alive_while_an_answer_is_held() -> None:
    async def main() -> bytes:
        steps = [chunk(content=BAD), 50.0, chunk("stop"), DONE]
        server = TestServer(app_of(in_words(timeouts=Timeouts(commit_after=5.0))))
        async with TestClient(server) as client:
            scripted(server.app, Scripted(steps, [30.0, *text(GOOD)]))
            asked = {**ASKED, "output_config": SHAPE, "stream": True}
            response = await client.post("/v1/messages", json=asked)
            began = asyncio.get_running_loop().time()
            raw = await response.read()
            assert asyncio.get_running_loop().time() - began > 70
            return raw

    seen = read(virtually(main()))
    assert seen.ended
    assert content(seen) == [{"type": "text", "text": GOOD}]
    assert seen.pings >= 3
