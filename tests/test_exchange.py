"""Attempts until content has gone out, and what a client is told when there are none left."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from fcc.diagnosis.rates import Rate
from fcc.diagnosis.verdict import Source, refusal
from fcc.errors import (
    BadRequestError,
    BillingError,
    CutError,
    Fix,
    OverloadedError,
    PromptTooLongError,
    RateLimitedError,
    RefusedKeyError,
    RefusedModelError,
    RefusedPermissionError,
    StalledError,
    UnreachableError,
    UpstreamServerError,
)
from fcc.server.gateway import GATEWAY
from fcc.settings.limits import Limits, ModelLimits, Retry
from tests.clock import now, virtually
from tests.conftest import Ask, app_of, profile_of, scripted
from tests.grammar import content, read
from tests.scripted import ASKED, CLAUDE_CODE, DONE, Scripted, chunk, text


async def ask(client: Any, headers: Any = None, **fields: Any) -> tuple[int, Any, Any]:
    """Status, headers, and the message or the error."""
    response = await client.post("/v1/messages", json={**ASKED, **fields}, headers=headers)
    return response.status, response.headers, await response.json()


def words(message: dict[str, Any]) -> str:
    return "".join(block["text"] for block in message["content"])


@pytest.mark.parametrize(
    "failure",
    [
        UpstreamServerError("x"), OverloadedError("x"), RateLimitedError("x"), UnreachableError("x"),
        StalledError("x"), [CutError("x")], [chunk(role="assistant"), CutError("x")], [],
        [DONE], [chunk(role="assistant"), chunk(content=" "), StalledError("x")],
        [chunk(content="<thi"), CutError("x")], [chunk(content="<think>"), CutError("x")],
    ],
)  # fmt: skip
@pytest.mark.parametrize("stream", [True, False])
async def test_what_fails_before_the_first_content_is_tried_again(
    connect: Ask, failure: Any, stream: bool
) -> None:
    backend = Scripted(failure, failure, text("at last"))
    client = await connect(backend=backend)
    response = await client.post("/v1/messages", json={**ASKED, "stream": stream})
    assert response.status == 200
    assert len(backend.bodies) == 3
    assert backend.bodies[0] == backend.bodies[1] == backend.bodies[2]
    if stream:
        assert content(read(await response.read())) == [{"type": "text", "text": "at last"}]
    else:
        assert words(await response.json()) == "at last"


async def test_what_fails_after_content_is_never_tried_again(connect: Ask) -> None:
    backend = Scripted([chunk(content="half"), CutError("x")], text("whole"))
    client = await connect(backend=backend)
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    seen = read(await response.read())
    assert len(backend.bodies) == 1
    assert seen.error["type"] == "api_error"


async def test_an_answer_that_goes_out_whole_can_be_tried_again_at_any_point(connect: Ask) -> None:
    backend = Scripted([chunk(content="half"), CutError("x")], text("whole"))
    status, _, message = await ask(await connect(backend=backend))
    assert (status, words(message)) == (200, "whole")


async def test_attempts_end(connect: Ask) -> None:
    backend = Scripted(UpstreamServerError("the provider's words"))
    app = app_of(profile_of(retry=Retry(attempts=4, base=0.0)))
    status, headers, error = await ask(await connect(app, backend))
    assert len(backend.bodies) == 4
    assert status == 502
    assert error["type"] == "error"
    assert error["error"]["type"] == "api_error"
    assert "the provider's words" in error["error"]["message"]
    assert headers["x-should-retry"] in ("true", "false")


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (RefusedKeyError("x"), 401, "authentication_error"),
        (BillingError("x"), 402, "billing_error"),
        (RefusedPermissionError("x"), 403, "permission_error"),
        (RefusedModelError("x"), 404, "not_found_error"),
        (BadRequestError("x"), 400, "invalid_request_error"),
        (BadRequestError("x", status=422), 422, "invalid_request_error"),
        (RateLimitedError("x", retryable=False), 429, "rate_limit_error"),
    ],
)
async def test_what_is_permanent_is_told_at_once_and_to_claude_code_as_424(
    connect: Ask, error: Any, status: int, kind: str
) -> None:
    backend = Scripted(error)
    client = await connect(backend=backend)
    got, headers, body = await ask(client)
    assert (got, body["error"]["type"]) == (status, kind)
    assert headers["x-should-retry"] == "false"
    assert len(backend.bodies) == 1
    got, headers, body = await ask(client, CLAUDE_CODE, stream=True)
    assert (got, body["error"]["type"]) == (424, kind)
    assert headers["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "error",
    [
        PromptTooLongError("prompt is too long: 200 tokens > 100 maximum"),
        BadRequestError("input length and `max_tokens` exceed context limit: 1 + 2 > 2"),
    ],
)
async def test_what_claude_code_mends_by_itself_stays_a_400(connect: Ask, error: Any) -> None:
    status, _, body = await ask(await connect(backend=Scripted(error)), CLAUDE_CODE)
    assert status == 400
    assert body["error"]["message"].startswith(error.message)


@pytest.mark.parametrize(
    ("error", "status"),
    [(OverloadedError("x"), 529), (RateLimitedError("x"), 429), (UpstreamServerError("x", status=500), 500),
     (UnreachableError("x"), 502), (StalledError("x"), 504)],
)  # fmt: skip
async def test_what_may_pass_keeps_its_status_for_everybody(
    connect: Ask, error: Any, status: int
) -> None:
    client = await connect(app_of(profile_of(retry=Retry(attempts=1))), Scripted(error))
    assert (await ask(client))[0] == (await ask(client, CLAUDE_CODE))[0] == status


@pytest.mark.parametrize(("asked", "told"), [(61.2, "62"), (3600.0, "3600"), (31.0, "31")])
async def test_a_wait_that_is_too_long_is_told_in_whole_seconds(
    connect: Ask, asked: float, told: str
) -> None:
    backend = Scripted(RateLimitedError("x", retry_after=asked))
    status, headers, _ = await ask(await connect(backend=backend))
    assert (status, headers["retry-after"]) == (429, told)
    assert len(backend.bodies) == 1


@pytest.mark.parametrize(
    ("headers", "said", "again"),
    [
        ({"retry-after": "45"}, "slow down", "true"),
        ({"retry-after": "61"}, "slow down", "false"),
        ({"retry-after": "20000"}, "slow down", "false"),
        ({}, "Rate limit exceeded: free-models-per-day", "false"),
        ({}, "Limit 100000 tokens per day (TPD)", "false"),
        ({"retry-after": "30"}, "Limit 100000 tokens per day (TPD)", "true"),
        ({"x-ratelimit-remaining-requests-day": "0"}, "slow down", "false"),
        ({"x-ratelimit-remaining-tokens-day": "5"}, "slow down", "true"),
        ({"x-ratelimit-remaining-requests-minute": "0"}, "slow down", "true"),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "5h3m"}, "no", "false"),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "20s"}, "no", "true"),
    ],
)  # fmt: skip
def test_a_quota_of_the_day_is_told_from_a_limit_of_the_moment(
    headers: dict[str, str], said: str, again: str
) -> None:
    body = json.dumps({"error": {"message": said, "code": 429}}).encode()
    error = refusal(Source("P", "m"), 429, headers, body, now=1_790_000_000.0)

    async def scene(client: Any) -> None:
        for user_agent in ({}, CLAUDE_CODE):
            status, got, told = await ask(client, user_agent)
            assert got["x-should-retry"] == again
            assert told["error"]["type"] == "rate_limit_error"
            assert status == (424 if error.permanent and user_agent else 429)

    play(scene, error, retry=Retry(attempts=1))


async def test_a_wait_of_no_time_is_told_as_a_second(connect: Ask) -> None:
    app = app_of(profile_of(retry=Retry(attempts=1)))
    error = OverloadedError("x", retry_after=0.0)
    _, headers, _ = await ask(await connect(app, Scripted(error)))
    assert headers["retry-after"] == "1"


@pytest.mark.parametrize("stream", [True, False])
async def test_an_error_has_one_request_id_everywhere(connect: Ask, stream: bool) -> None:
    client = await connect(backend=Scripted(BadRequestError("words")))
    _, headers, body = await ask(client, stream=stream)
    assert headers["request-id"] == body["request_id"]
    assert body["error"]["message"] == f"words (request_id={headers['request-id']})"
    assert headers["content-type"].startswith("application/json")


async def test_a_secret_in_an_error_is_not_told(connect: Ask) -> None:
    error = BadRequestError("bad key sk-abcdefghijklmnopqrstuvwxyz123456")
    _, _, body = await ask(await connect(backend=Scripted(error)))
    assert "abcdefghijklmnop" not in json.dumps(body)


def fixable(**fix: Any) -> BadRequestError:
    error = BadRequestError("refused")
    error.fix = Fix(**fix)
    return error


async def test_a_refusal_that_says_what_to_change_is_obeyed_once_and_remembered(
    connect: Ask,
) -> None:
    backend = Scripted(fixable(max_tokens=50), text("a"), text("b"))
    client = await connect(backend=backend)
    assert words((await ask(client))[2]) == "a"
    assert words((await ask(client))[2]) == "b"
    assert [body["max_tokens"] for body in backend.bodies] == [100, 50, 50]


async def test_a_refusal_that_says_the_same_twice_is_told(connect: Ask) -> None:
    backend = Scripted(fixable(max_tokens=50), fixable(max_tokens=20))
    assert (await ask(await connect(backend=backend)))[0] == 400
    assert len(backend.bodies) == 2


async def test_a_change_that_changes_nothing_is_no_reason_to_ask_again(connect: Ask) -> None:
    backend = Scripted(fixable(drop_field="nothing"))
    assert (await ask(await connect(backend=backend)))[0] == 400
    assert len(backend.bodies) == 1


# On a clock that jumps.


def play(scene: Any, *answers: Any, **profile: Any) -> Any:
    async def main() -> Any:
        server = TestServer(app_of(profile_of(**profile)))
        async with TestClient(server) as client:
            backend = scripted(server.app, Scripted(*answers))
            began = now()
            result = await scene(client)
            return result, [round(at - began, 1) for at in backend.times]

    return virtually(main())


def test_a_providers_own_wait_is_kept_to() -> None:
    refused = RateLimitedError("x", retry_after=7.0)
    _, times = play(ask, refused, refused, text("hi"))
    assert times == [0, 7, 14]


def test_without_a_wait_of_its_own_attempts_are_spread() -> None:
    retry = Retry(attempts=4, base=2.0)
    (status, _, _), times = play(ask, UpstreamServerError("x"), retry=retry)
    assert status == 502
    gaps = [late - early for early, late in pairwise(times)]
    assert len(gaps) == 3
    for n, gap in enumerate(gaps):
        assert 2.0**n - 0.2 <= gap <= 2.0 ** (n + 1) + 0.2


def test_a_providers_wait_is_kept_to_by_all_of_its_requests() -> None:
    async def scene(client: Any) -> None:
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(1)
        second = asyncio.create_task(ask(client))
        await asyncio.gather(first, second)

    _, times = play(scene, RateLimitedError("x", retry_after=10.0), text("hi"))
    assert times[0] == 0
    assert min(times[1:]) >= 10


def test_one_requests_failure_does_not_delay_another() -> None:
    async def scene(client: Any) -> None:
        first = asyncio.create_task(ask(client))
        await asyncio.sleep(1)
        await ask(client)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)

    _, times = play(scene, UpstreamServerError("x"), text("hi"), retry=Retry(base=20.0))
    assert times == [0, 1]


def test_when_an_answer_says_that_nothing_is_left_the_next_waits_for_the_reset() -> None:
    async def scene(client: Any) -> None:
        app = client.server.app
        backend = app[GATEWAY].lane(app[GATEWAY].router.default).doors[0].backend
        backend.rates.extend([[Rate(remaining=1, reset=50.0)], [Rate(remaining=0, reset=45.0)]])
        for _ in range(3):
            assert (await ask(client))[0] == 200

    _, times = play(scene, text("hi"))
    assert times == [0, 0, 45]


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}, 90),
        ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "45"}, 45),
        ({"RateLimit": "limit=10, remaining=0, reset=45"}, 45),
        ({"RateLimit-Remaining": "0", "RateLimit-Reset": "45"}, 45),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0s"}, 360),
        ({"retry-after": "45"}, 45),
        ({"retry-after-ms": "120"}, 0.1),
        ({"x-ratelimit-remaining-requests": "1", "x-ratelimit-reset-requests": "45s"}, 0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "-45"}, 0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2d"}, 0),
        ({"x-ratelimit-remaining-requests": "none", "x-ratelimit-reset-requests": "45s"}, 0),
    ],
)  # fmt: skip
def test_a_providers_own_headers_are_kept_to(headers: dict[str, str], wait: float) -> None:
    times: list[float] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        times.append(now())
        await request.read()
        return web.Response(body=b"".join(text("hi")), headers=headers)

    async def main() -> None:
        upstream = web.Application()
        upstream.router.add_post("/v1/chat/completions", answer)
        async with TestServer(upstream) as server:
            app = app_of(profile_of(base_url=str(server.make_url("/v1"))))
            patient = aiohttp.ClientTimeout(total=None)
            async with TestClient(TestServer(app), timeout=patient) as client:
                for _ in range(2):
                    assert (await ask(client))[0] == 200

    virtually(main())
    assert times[1] - times[0] == pytest.approx(wait, abs=0.2)


def test_a_refusal_says_what_is_left_like_an_answer() -> None:
    async def scene(client: Any) -> None:
        app = client.server.app
        backend = app[GATEWAY].lane(app[GATEWAY].router.default).doors[0].backend
        backend.rates.append([Rate(remaining=0, reset=45.0)])
        assert (await ask(client))[0] == 200

    _, times = play(scene, RateLimitedError("x"), text("hi"))
    assert times == [0, 45]


def test_a_key_of_which_nothing_is_left_keeps_no_other_waiting() -> None:
    async def main() -> list[str]:
        app = app_of(environ={"TEST_KEY": "one,other"})
        async with TestClient(TestServer(app)) as client:
            gateway = app[GATEWAY]
            doors = gateway.lane(gateway.router.default).doors
            for door in doors:
                door.backend = Scripted(text(door.name))
            doors[0].backend.rates.append([Rate(remaining=0, reset=600.0)])
            return [words((await ask(client))[2]) for _ in range(4)]

    one, *others = virtually(main())
    assert len(set(others)) == 1
    assert one not in others


def test_keys_that_rest_for_moments_are_not_asked_in_turn_for_ever() -> None:
    async def main() -> tuple[int, int]:
        app = app_of(environ={"TEST_KEY": "one,other"})
        async with TestClient(TestServer(app)) as client:
            backend = Scripted([1.0, RateLimitedError("try again in 6ms", retry_after=0.006)])
            scripted(app, backend)
            status, *_ = await ask(client)
            return status, len(backend.bodies)

    assert virtually(main()) == (429, 2 * Retry().attempts)


async def test_a_request_that_is_abandoned_while_it_waits_asks_no_more(connect: Ask) -> None:
    backend = Scripted(RateLimitedError("x", retry_after=25.0))
    client = await connect(backend=backend)
    task = asyncio.create_task(ask(client))
    while not backend.bodies:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(backend.bodies) == 1


def test_a_models_own_limit_keeps_only_its_requests_waiting() -> None:
    async def scene(client: Any) -> None:
        models = ("claude-opus", "claude-opus", "claude-sonnet")
        await asyncio.gather(*(ask(client, model=model) for model in models))

    limits = Limits(models={"slow": ModelLimits(requests=1, seconds=30)})
    models = {"*opus*": "slow", "*sonnet*": "fast"}
    _, times = play(scene, text("hi"), limits=limits, models=models)
    assert times == [0, 0, 30]


async def test_the_record_of_a_request_counts_its_retries(connect: Ask, logged: list[str]) -> None:
    client = await connect(backend=Scripted(UpstreamServerError("x"), text("hi")))
    await ask(client)
    (line,) = [line for line in logged if "claude-opus" in line]
    assert "retries 1" in line
    assert "-> test/m 200" in line
