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
from fcc.settings.profile import Ask as AskSettings
from fcc.settings.profile import Reply
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


def told(prompt: int, completion: int, words: str, cached: int = 0) -> list[bytes]:
    return [chunk(content=words), chunk("stop"), usage(prompt, completion, cached), DONE]


SHAPE = {
    "format": {
        "type": "json_schema",
        "schema": {"type": "object", "required": ["a"], "properties": {"a": {"type": "number"}}},
    }
}


async def test_an_answer_that_was_asked_for_twice_took_both(
    connect: Ask, logged: list[str]
) -> None:
    profile = profile_of(ask=AskSettings(response_format=False))
    client = await connect(
        app_of(profile), Scripted(told(100, 10, "{}"), told(150, 12, '{"a": 1}', cached=90))
    )
    kept = Watched(client.server.app)
    response = await client.post("/v1/messages", json={**ASKED, "output_config": SHAPE})
    client_usage = (await response.json())["usage"]
    found = kept.last
    assert (found.input, found.longest, found.output, found.cached) == (250, 150, 22, 90)
    assert (found.attempts, found.retries, found.estimated) == (2, 1, False)
    assert (client_usage["input_tokens"], client_usage["output_tokens"]) == (60, 12)
    assert "in 250 out 22 cached 90" in "".join(logged)
    gateway = client.server.app[GATEWAY]
    assert gateway.accounts.budget.spent(time.time()).tokens == 272
    numbers = await (await client.get("/metrics")).text()
    assert 'fcc_input_tokens_total{model="m",provider="test"} 250.0' in numbers


async def test_a_continuation_took_each_prompt(connect: Ask) -> None:
    profile = profile_of(reply=Reply(continue_after_cut=True))
    rest = [chunk(content="the rest"), chunk("stop"), usage(120, 7), DONE]
    whole = await ended(connect, [chunk(content="said "), chunk("stop"), DONE], profile=profile)
    found = await ended(connect, [chunk(content="said "), CutError("x")], rest, profile=profile)
    assert (found.input, found.output) == (whole.input + 120, whole.output + 7)
    assert (found.longest, found.estimated, found.outcome) == (120, True, "end_turn")


async def test_what_broke_off_before_anything_was_sent_was_taken_too(connect: Ask) -> None:
    alone = await ended(connect, text("some words"))
    broken = [chunk(content="some words"), CutError("x")]
    found = await ended(connect, broken, told(100, 20, "whole"))
    assert (found.input, found.output) == (alone.input + 100, alone.output + 20)
    assert (found.retries, found.estimated) == (1, True)


async def test_what_was_refused_took_nothing(connect: Ask) -> None:
    found = await ended(connect, UpstreamServerError("a"), told(100, 20, "whole"))
    assert (found.input, found.output, found.longest) == (100, 20, 100)


async def test_a_routes_tokens_are_not_put_down_to_the_one_behind_it(
    connect: Ask, tmp_path: Path
) -> None:
    app = await asyncio.to_thread(app_of_two, tmp_path, {})
    client = await connect(app)
    kept, gateway = Watched(app), app[GATEWAY]
    scripts = {
        "one": Scripted([chunk(content="some words"), CutError("x")]),
        "other": Scripted(told(50, 5, "whole")),
    }
    for name, backend in scripts.items():
        gateway.lane(gateway.router.profile(name)).doors[0].backend = backend
    await (await client.post("/v1/messages", json=ASKED)).read()
    assert (kept.last.provider, kept.last.input, kept.last.output) == ("other", 50, 5)


async def test_a_client_that_leaves_the_second_attempt_has_taken_both(connect: Ask) -> None:
    profile = profile_of(ask=AskSettings(response_format=False))
    go_on = asyncio.Event()
    backend = Scripted(told(100, 10, "{}"), [chunk(content="words"), go_on])
    client = await connect(app_of(profile), backend)
    kept = Watched(client.server.app)
    asked = {**ASKED, "output_config": SHAPE}
    asking = asyncio.create_task(client.post("/v1/messages", json=asked))
    async with asyncio.timeout(10):
        while len(backend.bodies) < 2 or not backend.open:
            await asyncio.sleep(0)
        watch = client.server.app[GATEWAY].watch
        while watch.open()[0].output <= 10:
            await asyncio.sleep(0)
        asking.cancel()
        while not kept.outcomes:
            await asyncio.sleep(0)
    assert kept.last.outcome == "client_left"
    assert kept.last.input > 100
    assert kept.last.output > 10


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
