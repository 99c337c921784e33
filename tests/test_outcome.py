"""What is known of a request when it has ended, and who is told."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from fcc.errors import (
    BadRequestError,
    CutError,
    RateLimitedError,
    RefusedKeyError,
    UpstreamServerError,
)
from fcc.observe.outcome import Outcome
from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config
from fcc.settings.limits import Limits, Retry
from tests.clock import virtually
from tests.conftest import Ask, app_of, profile_of, scripted
from tests.outcomes import Watched
from tests.scripted import ASKED, CLAUDE_CODE, DONE, Scripted, call, chunk, text, usage
from tests.test_chain import app_of_two

ONCE = profile_of(retry=Retry(attempts=1))


async def ended(connect: Ask, *answers: Any, profile: Any = None, **fields: Any) -> Outcome:
    """How a request ended."""
    client = await connect(app_of(profile), Scripted(*answers))
    kept = Watched(client.server.app)
    response = await client.post("/v1/messages", json={**ASKED, **fields}, headers=CLAUDE_CODE)
    await response.read()
    return kept.last


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answers_outcome_has_its_route_its_times_and_its_tokens(
    connect: Ask, stream: bool
) -> None:
    answer = [chunk(content="hi"), chunk("stop"), usage(100, 20, cached=60), DONE]
    before = time.time()
    found = await ended(connect, answer, stream=stream)
    assert before <= found.at <= time.time()
    assert 0 <= (found.first or 0) <= found.seconds
    assert (found.provider, found.model, found.asked) == ("test", "m", "claude-opus-5-5")
    assert (found.status, found.outcome, found.stream) == (200, "end_turn", stream)
    assert (found.input, found.output, found.cached, found.estimated) == (100, 20, 60, False)
    assert (found.attempts, found.retries, found.fallbacks, found.repairs) == (1, 0, (), {})
    assert (found.error, found.local, found.failed, found.waiting) == ("", "", False, False)


async def test_the_session_and_the_client_are_known(connect: Ask) -> None:
    client = await connect(backend=Scripted(text("hi")))
    kept = Watched(client.server.app)
    headers = {**CLAUDE_CODE, "x-claude-code-session-id": "3f0e6c1e-7a5b-4a0f-9a54-0d8a5e0f6b1c"}
    await (await client.post("/v1/messages", json=ASKED, headers=headers)).read()
    assert kept.last.session == "3f0e6c1e-7a5b-4a0f-9a54-0d8a5e0f6b1c"
    assert kept.last.client == "claude-cli/2.1.330"


async def test_tokens_that_no_provider_tells_are_estimated(connect: Ask) -> None:
    found = await ended(connect, text("some words of an answer"))
    assert found.estimated
    assert found.input > 0
    assert found.output > 0


@pytest.mark.parametrize(
    ("error", "type_"),
    [
        (RefusedKeyError("no such key"), "authentication_error"),
        (BadRequestError("not so"), "invalid_request_error"),
        (UpstreamServerError("failed"), "api_error"),
    ],
)
async def test_an_errors_outcome_is_its_type_and_its_words(
    connect: Ask, error: Any, type_: str
) -> None:
    found = await ended(connect, error, profile=ONCE)
    assert (found.outcome, found.error, found.failed) == (type_, str(error), True)
    assert found.status >= 400
    assert (found.input, found.output, found.first) == (0, 0, None)


async def test_attempts_are_counted_and_only_the_later_ones_are_retries(connect: Ask) -> None:
    found = await ended(connect, UpstreamServerError("a"), UpstreamServerError("b"), text("hi"))
    assert (found.attempts, found.retries, found.outcome) == (3, 2, "end_turn")


async def test_an_answer_that_breaks_off_has_its_tokens_and_its_error(connect: Ask) -> None:
    answer = [chunk(content="some words"), CutError("the connection broke")]
    client = await connect(backend=Scripted(answer))
    kept = Watched(client.server.app)
    # Claude Code gets the cut as it is; others are told.
    await (await client.post("/v1/messages", json={**ASKED, "stream": True})).read()
    found = kept.last
    assert (found.status, found.outcome, found.failed) == (200, "api_error", True)
    assert found.output > 0


async def test_repairs_are_counted_by_kind(connect: Ask) -> None:
    tool = {
        "name": "t",
        "input_schema": {"type": "object", "properties": {"a": {"type": "number"}}},
    }
    answer = [call('{"a": 1,}', name="t", id="1"), chunk("tool_calls"), DONE]
    found = await ended(connect, answer, tools=[tool])
    assert found.outcome == "tool_use"
    assert sum(found.repairs.values()) == 1


async def test_a_local_answer_says_which(connect: Ask) -> None:
    asked = {"max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}
    found = await ended(connect, text("hi"), **asked)
    assert (found.local, found.provider, found.status) == ("quota", "", 200)
    assert found.asked == ASKED["model"]


async def test_a_client_that_leaves_has_taken_what_had_come(connect: Ask) -> None:
    backend = Scripted([chunk(content="some words"), asyncio.Event()])
    client = await connect(backend=backend)
    kept = Watched(client.server.app)
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    await response.content.readany()
    response.close()
    async with asyncio.timeout(10):
        await backend.closed.wait()
        while not kept.outcomes:
            await asyncio.sleep(0)
    assert (kept.last.status, kept.last.outcome, kept.last.failed) == (499, "client_left", False)
    assert kept.last.output > 0
    assert kept.last.estimated


async def test_what_is_open_can_be_looked_at(connect: Ask) -> None:
    go_on = asyncio.Event()
    client = await connect(backend=Scripted([chunk(content="words"), go_on, *text("more")]))
    watch = client.server.app[GATEWAY].watch
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    await response.content.readany()
    [open_] = watch.open()
    assert (open_.status, open_.outcome, open_.provider) == (0, "", "test")
    assert open_.output > 0
    assert watch.count == 1
    go_on.set()
    await response.read()
    async with asyncio.timeout(10):
        while watch.count:
            await asyncio.sleep(0)
    assert watch.open() == []


def test_the_time_in_the_queue_is_known() -> None:
    async def asked_twice() -> Outcome:
        profile = profile_of(limits=Limits(requests=1, seconds=60))
        async with TestClient(TestServer(app_of(profile))) as client:
            scripted(client.server.app, Scripted(text("hi")))
            kept = Watched(client.server.app)
            for _ in range(2):
                await (await client.post("/v1/messages", json=ASKED)).read()
            return kept.last

    found = virtually(asked_twice())
    assert 59 < found.queued <= found.seconds < 61


SECRET = "sk-ant-api03-" + "Zk9x7Q" * 8


async def test_no_secret_that_a_client_sends_as_a_name_is_in_the_outcome(connect: Ask) -> None:
    client = await connect(app_of(ONCE), Scripted(BadRequestError(f"bad key {SECRET}")))
    kept = Watched(client.server.app)
    headers = {"User-Agent": SECRET, "x-claude-code-session-id": f"token={SECRET}"}
    asked = {**ASKED, "model": f"test/{SECRET}"}
    await (await client.post("/v1/messages", json=asked, headers=headers)).read()
    assert "Zk9x7Q" not in repr(kept.last)


@pytest.mark.parametrize("name", ["x\n2026-01-01 INFO forged", "\x1b[31mred", "\udce9", "a" * 9000])
async def test_a_name_is_one_line_of_bounded_length(connect: Ask, name: str) -> None:
    found = await ended(connect, text("hi"), model=name)
    assert found.asked.isprintable()
    assert len(found.asked) <= 2000


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/v1/models", "/health"])
async def test_what_asks_no_model_is_not_watched(connect: Ask, path: str) -> None:
    client = await connect(app_of(profile_of(embedded=True, base_url="")))
    kept = Watched(client.server.app)
    await client.get(path)
    await client.post(path, json=ASKED)
    assert kept.outcomes == []


async def test_a_request_that_is_let_in_nowhere_is_told_too(connect: Ask) -> None:
    client = await connect(app_of(config=Config(auth_token="t")), Scripted(text("hi")))
    kept = Watched(client.server.app)
    await client.post("/v1/messages", json=ASKED)
    assert (kept.last.status, kept.last.outcome) == (401, "authentication_error")
    assert (kept.last.provider, kept.last.asked) == ("", "")


async def test_a_fallback_is_known_by_the_route_that_failed(connect: Ask, tmp_path: Path) -> None:
    client = await connect(await asyncio.to_thread(app_of_two, tmp_path, {}))
    gateway = client.server.app[GATEWAY]
    for name, answer in (("one", RateLimitedError("slow down")), ("other", text("hi"))):
        gateway.lane(gateway.router.profile(name)).doors[0].backend = Scripted(answer)
    kept = Watched(client.server.app)
    await (await client.post("/v1/messages", json=ASKED)).read()
    assert kept.last.fallbacks == ("one/first-model 429 rate_limit_error",)
    assert (kept.last.provider, kept.last.attempts, kept.last.retries) == ("other", 2, 0)
