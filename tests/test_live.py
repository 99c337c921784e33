"""GET /fcc/live: what happens, as it happens; to whom, how often, and with nothing secret in it."""

import asyncio
import json
import random
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from fcc.errors import (
    OverloadedError,
    RateLimitedError,
    RefusedKeyError,
    RefusedModelError,
    UpstreamServerError,
)
from fcc.observe.outcome import CLIENT_LEFT, Outcome
from fcc.server.gateway import GATEWAY
from fcc.server.live import LIVE, MOST_WATCHERS
from fcc.server.page.changes import KEEP_ALIVE
from fcc.server.page.shown import MOST_OPEN
from fcc.settings.config import Config
from fcc.settings.limits import Limits, Retry
from fcc.settings.usage import UsageOptions
from fcc.upstream.breaker import THRESHOLD
from fcc.upstream.lane import fingerprint
from tests.clock import virtually
from tests.conftest import KEY, Ask, Client, app_of, profile_of, scripted
from tests.planted import planted
from tests.scripted import ASKED, CLAUDE_CODE, DONE, Scripted, chunk, text, usage
from tests.watching import Page, snapshot

ONCE = Retry(attempts=1)
QUOTA = {**ASKED, "max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}


async def ask(client: Client, **fields: Any) -> int:
    response = await client.post("/v1/messages", json={**ASKED, **fields}, headers=CLAUDE_CODE)
    await response.read()
    return response.status


async def until(client: Client, state: str) -> dict[str, Any]:
    """The first open request, once it is in this state."""
    while True:
        requests = (await snapshot(client)).shown["open"]["requests"]
        if requests and requests[0]["state"] == state:
            return requests[0]


# What is shown.


async def test_before_anything_happened_it_says_what_would_answer(connect: Ask) -> None:
    page = await snapshot(await connect(app_of(config=Config(models={"opus": "big"}))))
    assert page.shown["about"]["models"]["opus"]["target"] == "test/big"
    assert page.shown["about"]["title"] == "Test"
    assert page.shown["about"]["problems"] == []
    assert page.shown["about"]["observed"] is True
    assert page.shown["open"] == {"count": 0, "requests": []}
    assert page.shown["lanes"] == page.shown["errors"] == page.ended == []
    assert page.shown["usage"]["totals"]["requests"] == 0


async def test_an_answer_is_shown_with_all_that_it_took(connect: Ask) -> None:
    client = await connect(backend=Scripted([*text("hi")[:-1], usage(100, 7, cached=40), DONE]))
    await ask(client, stream=True)
    page = await snapshot(client)
    (one,) = page.ended
    assert (one["number"], one["asked"], one["status"]) == (1, ASKED["model"], 200)
    assert (one["provider"], one["model"], one["outcome"]) == ("test", "m", "end_turn")
    assert (one["input"], one["cached"], one["output"]) == (100, 40, 7)
    assert 0 <= one["first"] <= one["seconds"]
    assert (one["failed"], one["error"], one["advice"]) == (False, "", "")
    assert one["client"] == "claude-cli/2.1.330"
    assert page.shown["usage"]["tokens"] == 107
    assert page.shown["usage"]["totals"]["cached"] == 40
    assert page.shown["usage"]["cache_hit_ratio"] == 0.4


async def test_an_open_answer_goes_through_its_states(connect: Ask) -> None:
    begin, go = asyncio.Event(), asyncio.Event()
    backend = Scripted([begin, chunk(content="one two three"), go, chunk("stop"), DONE])
    app = app_of(profile_of(limits=Limits(concurrency=1)))
    client = await connect(app, backend)
    (door,) = app[GATEWAY].lane(app[GATEWAY].router.default).doors
    async with door.limiter.seat():
        asking = asyncio.create_task(ask(client, stream=True))
        waiting = await until(client, "waiting")
    assert (waiting["provider"], waiting["model"], waiting["first"]) == ("test", "m", None)
    asked = await until(client, "asked")
    assert asked["request_id"] == waiting["request_id"]
    assert asked["began"] == pytest.approx(waiting["began"], abs=0.11)
    begin.set()
    streaming = await until(client, "streaming")
    assert streaming["first"] >= 0
    assert streaming["output"] > 0
    go.set()
    await asking
    page = await snapshot(client)
    assert page.shown["open"]["count"] == 0
    assert page.ended[0]["request_id"] == asked["request_id"]


async def test_a_request_that_is_not_read_yet_is_shown_as_that(connect: Ask) -> None:
    client = await connect(backend=Scripted(text("hi")))
    raw, rest = json.dumps(ASKED).encode(), asyncio.Event()

    async def body() -> Any:
        yield raw[:10]
        await rest.wait()
        yield raw[10:]

    asking = asyncio.create_task(client.post("/v1/messages", data=body()))
    assert (await until(client, "reading"))["provider"] == ""
    rest.set()
    assert (await asking).status == 200


async def test_an_error_is_shown_in_the_words_that_the_client_got(connect: Ask) -> None:
    app = app_of(profile_of(retry=ONCE))
    client = await connect(app, Scripted(RefusedModelError("Test (m) says no such model")))
    response = await client.post("/v1/messages", json=ASKED, headers=CLAUDE_CODE)
    told = (await response.json())["error"]["message"]
    (error,) = (await snapshot(client)).shown["errors"]
    assert told == f"{error['error']} (request_id={error['request_id']})"
    assert (error["status"], error["outcome"]) == (424, "not_found_error")
    assert error["advice"] == "Choose a model that is offered: fcc models --provider test"


async def test_each_kind_of_end_is_shown_as_what_it_was(connect: Ask) -> None:
    go = asyncio.Event()
    backend = Scripted(
        text("hi"),
        RateLimitedError("slow down"),
        [chunk(content="half"), UpstreamServerError("it broke")],
        [chunk(content="half"), go],
        text("hi"),
    )
    client = await connect(app_of(profile_of(retry=ONCE)), backend)
    await ask(client)
    await ask(client)
    await ask(client, stream=True)
    leaving = await client.post("/v1/messages", json={**ASKED, "stream": True})
    await leaving.content.readany()
    leaving.close()
    await backend.closed.wait()
    while (await snapshot(client)).shown["open"]["count"]:
        pass
    await client.post("/v1/messages", data=b"{")
    await client.post("/v1/messages", json=QUOTA)
    page = await snapshot(client)
    assert [(one["status"], one["outcome"], one["failed"]) for one in page.ended] == [
        (200, "end_turn", False),
        (429, "rate_limit_error", True),
        (200, "api_error", True),
        (499, CLIENT_LEFT, False),
        (400, "invalid_request_error", True),
        (200, page.ended[-1]["outcome"], False),
    ]
    assert page.ended[-1]["local"] == "quota"
    assert [error["number"] for error in page.shown["errors"]] == [5, 3, 2]
    totals = page.shown["usage"]["totals"]
    assert (totals["requests"], totals["failed"]) == (6, 3)
    assert (totals["left"], totals["local"]) == (1, 1)


async def test_an_open_breaker_and_a_key_that_rests_are_shown(connect: Ask) -> None:
    app = app_of(profile_of(retry=ONCE), environ={"TEST_KEY": "a-0123456789,b-0123456789"})
    client = await connect(app, Scripted(RefusedKeyError("no"), OverloadedError("busy")))
    for _ in range(THRESHOLD + 1):
        await ask(client)
    (lane,) = (await snapshot(client)).shown["lanes"]
    assert lane["breaker"]["state"] == "open"
    names = [fingerprint(key) for key in ("a-0123456789", "b-0123456789")]
    assert [door["fingerprint"] for door in lane["doors"]] == names
    assert max(door["rests_seconds"] for door in lane["doors"]) > 800


async def test_of_very_many_open_requests_the_oldest_are_shown_and_all_counted(
    connect: Ask,
) -> None:
    app = app_of()
    client = await connect(app)
    for at in range(MOST_OPEN + 30):
        one = Outcome(request_id=f"req_{at}", at=0.0)
        app[GATEWAY].watch.began(one.request_id, lambda one=one: one)
    shown = (await snapshot(client)).shown["open"]
    assert shown["count"] == MOST_OPEN + 30
    assert [one["request_id"] for one in shown["requests"]] == [
        f"req_{at}" for at in range(MOST_OPEN)
    ]


async def test_an_endless_error_is_cut(connect: Ask) -> None:
    app = app_of(profile_of(retry=ONCE))
    client = await connect(app, Scripted(UpstreamServerError("word " * 100_000)))
    await ask(client)
    (error,) = (await snapshot(client)).shown["errors"]
    assert len(error["error"]) == 1500
    assert error["error"].endswith("…")


async def test_budgets_and_what_could_not_be_used_are_shown(connect: Ask) -> None:
    config = Config(usage=UsageOptions(daily_budget=2.5, daily_tokens=1000))
    app = app_of(config=config)
    client = await connect(app)
    app[GATEWAY].reload_error = "config.toml: line 3 is nonsense"
    shown = (await snapshot(client)).shown
    assert (shown["usage"]["daily_budget"], shown["usage"]["daily_tokens"]) == (2.5, 1000)
    assert shown["usage"]["since"] == "start"
    assert shown["about"]["problems"] == ["config.toml: line 3 is nonsense"]


async def test_what_is_not_noted_by_choice_is_no_configuration_that_could_not_be_used(
    connect: Ask,
) -> None:
    client = await connect(app_of(config=Config(observe=False)), Scripted(text("hi")))
    assert await ask(client) == 200
    page = await snapshot(client)
    assert page.shown["about"]["observed"] is False
    assert page.shown["about"]["problems"] == []
    assert page.ended == []


async def test_without_a_ledger_only_a_later_day_is_known_from_its_beginning(
    connect: Ask,
) -> None:
    client = await connect()
    assert (await snapshot(client)).shown["usage"]["since"] == "start"
    client.app[GATEWAY].started -= 48 * 3600
    assert (await snapshot(client)).shown["usage"]["since"] == "today"


# As it happens. On a clock that jumps: a look comes every half second.


async def _watched(app: web.Application, backend: Scripted, script: Any) -> None:
    client: Client = TestClient(TestServer(app))
    await client.start_server()
    scripted(app, backend)
    try:
        await script(client)
    finally:
        await client.close()


async def _next(response: Any, page: Page) -> None:
    page.take(await response.content.readuntil(b"\n\n"))


def test_a_page_that_is_open_is_told_what_happens() -> None:
    async def script(client: Client) -> None:
        page = Page()
        async with client.get("/fcc/live") as response:
            await _next(response, page)
            for number in range(1, 4):
                await ask(client)
                while len(page.ended) < number:
                    await _next(response, page)
        assert page.kinds[0] == "snapshot"
        assert set(page.kinds[1:]) == {"change"}
        assert [one["number"] for one in page.ended] == [1, 2, 3]
        assert page.shown["open"]["count"] == 0

    virtually(_watched(app_of(), Scripted(text("hi")), script))


def test_many_requests_are_a_few_events() -> None:
    async def script(client: Client) -> None:
        page, loop = Page(), asyncio.get_running_loop()
        async with client.get("/fcc/live") as response:
            await _next(response, page)
            began = loop.time()
            await asyncio.gather(*(ask(client) for _ in range(60)))
            while len(page.ended) < 60:
                await _next(response, page)
            assert len(page.kinds) - 1 <= 2 * (loop.time() - began) + 2

    virtually(_watched(app_of(), Scripted(text("hi")), script))


def test_a_silent_daemon_gives_a_sign_of_life() -> None:
    async def script(client: Client) -> None:
        page, loop = Page(), asyncio.get_running_loop()
        async with client.get("/fcc/live") as response:
            await _next(response, page)
            began = loop.time()
            await _next(response, page)
            assert page.kinds == ["snapshot", "comment"]
            assert KEEP_ALIVE - 1 < loop.time() - began < KEEP_ALIVE + 1

    virtually(_watched(app_of(), Scripted(text("hi")), script))


def test_a_page_that_comes_back_shows_what_happened_meanwhile_and_nothing_twice() -> None:
    async def script(client: Client) -> None:
        page = Page()
        for round in range(1, 4):
            async with client.get("/fcc/live") as response:
                await _next(response, page)
                await ask(client)
                while len(page.ended) < 2 * round - 1:
                    await _next(response, page)
            await ask(client)
        assert [one["number"] for one in (await snapshot(client)).ended] == list(range(1, 7))

    virtually(_watched(app_of(), Scripted(text("hi")), script))


def test_a_page_that_takes_nothing_is_cut_off_and_harms_nobody() -> None:
    async def script(client: Client) -> None:
        history = client.app[LIVE]._history
        _, writer = await asyncio.open_connection(client.host, client.port)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(b"GET /fcc/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not client.app[LIVE].watchers:
            await asyncio.sleep(0)
        long = Outcome(request_id="r", at=0.0, outcome="api_error", error="x" * 1500)
        while client.app[LIVE].watchers:
            for _ in range(100):
                history.ended(long)
            await asyncio.sleep(0.5)
            assert await ask(client) == 200
        writer.close()

    virtually(_watched(app_of(), Scripted(text("hi")), script))


# Who may look, and how many.


async def test_a_watcher_needs_the_token_where_there_is_one(connect: Ask) -> None:
    client = await connect(app_of(config=Config(auth_token="the-token")))
    assert (await client.get("/fcc/live")).status == 401
    await snapshot(client, Authorization="Bearer the-token")
    await snapshot(client, **{"x-api-key": "the-token"})


async def test_a_token_in_the_address_does_not_let_in(connect: Ask) -> None:
    client = await connect(app_of(config=Config(auth_token="the-token")))
    assert (await client.get("/fcc/live?token=the-token&auth_token=the-token")).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)  # fmt: skip
async def test_a_page_of_elsewhere_may_not_watch(connect: Ask, headers: dict[str, str]) -> None:
    client = await connect()
    response = await client.get("/fcc/live", headers=headers)
    assert response.status == 403
    assert "access-control-allow-origin" not in response.headers
    assert client.app[LIVE].watchers == 0


async def test_the_stream_is_not_kept_by_anybody(connect: Ask) -> None:
    client = await connect()
    async with client.get("/fcc/live", headers={"Sec-Fetch-Site": "same-origin"}) as response:
        assert response.headers["Cache-Control"] == "no-store"
        assert response.content_type == "text/event-stream"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_there_is_room_for_some_pages_and_again_when_one_is_closed(connect: Ask) -> None:
    client = await connect()
    pages = [await client.get("/fcc/live") for _ in range(MOST_WATCHERS)]
    refused = await client.get("/fcc/live")
    assert refused.status == 503
    assert "close one" in (await refused.json())["error"]["message"]
    pages.pop().close()
    while client.app[LIVE].watchers == MOST_WATCHERS:
        await asyncio.sleep(0)
    await snapshot(client)
    for page in pages:
        page.close()


async def test_a_page_is_no_answer_that_the_daemon_waits_for(connect: Ask) -> None:
    client = await connect()
    async with client.get("/fcc/live"):
        health = await (await client.get("/health")).json()
        assert health["open_requests"] == 0
        await client.app[GATEWAY].idle()
        assert client.app[LIVE].watchers == 1


async def test_the_end_of_the_daemon_ends_the_stream_as_a_whole_one(connect: Ask) -> None:
    client = await connect()
    async with client.get("/fcc/live") as response:
        await response.content.readuntil(b"\n\n")
        client.app[LIVE].end()
        assert await response.content.read() == b""


async def test_while_nobody_looks_nothing_is_made_up(connect: Ask) -> None:
    client = await connect(backend=Scripted(text("hi")))
    await ask(client)
    live = client.app[LIVE]
    assert live.watchers == 0
    assert not [task for task in asyncio.all_tasks() if "live" in repr(task.get_coro())]


# Nothing secret.


@pytest.mark.parametrize("seed", [1, random.randrange(10**9)])
async def test_no_secret_of_a_prompt_a_header_or_an_error_is_told(
    connect: Ask, upstream: Any, seed: int
) -> None:
    """In the prompt, in headers, in names, and in what the provider says."""
    secrets = random.Random(seed).sample(planted(seed), 25)
    told = iter(secrets)
    statuses = [400, 401, 402, 403, 404, 413, 429, 500, 503]

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        said = next(told).text
        number = statuses[len(said) % len(statuses)]
        error = {"error": {"message": f"you said: {said} and that is wrong", "code": said}}
        return web.json_response(error, status=number)

    profile = profile_of(base_url=await upstream(answer), retry=ONCE)
    client = await connect(app_of(profile))
    for one in secrets:
        flat = " ".join(one.text.split()).encode("ascii", "replace").decode()
        turns = [{"role": "user", "content": one.text}]
        headers = {
            "User-Agent": f"tool/{flat}",
            "x-claude-code-session-id": flat,
            "x-api-key": flat,
        }
        asked = {**ASKED, "model": f"claude {one.text}", "messages": turns}
        await (await client.post("/v1/messages", json=asked, headers=headers)).read()
        page = await snapshot(client)
        assert one.shown(json.dumps([page.shown, page.ended], ensure_ascii=False)) == ""
        assert KEY not in json.dumps(page.shown)
