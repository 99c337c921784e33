"""GET /status: how the daemon is, and nothing that is secret."""

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from fcc.errors import (
    BadRequestError,
    Fix,
    OverloadedError,
    RateLimitedError,
    RefusedKeyError,
    UpstreamServerError,
)
from fcc.observe.outcome import CLIENT_LEFT, Outcome
from fcc.server.app import new_app
from fcc.server.gateway import GATEWAY
from fcc.server.recent import Recent
from fcc.settings.capabilities import Capabilities, write_capabilities
from fcc.settings.config import Config
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.limits import Limits, Retry
from fcc.settings.probed import Probes
from fcc.settings.routing import Router
from fcc.settings.usage import UsageOptions
from fcc.upstream.breaker import THRESHOLD
from fcc.upstream.lane import fingerprint
from tests.conftest import KEY, Ask, app_of, profile_of
from tests.scripted import ASKED, DONE, Scripted, chunk, text, usage

SECRET = "the prompt that nobody else may read"
ONCE = Retry(attempts=1)


async def status(client: Any, **headers: str) -> dict[str, Any]:
    response = await client.get("/status", headers=headers)
    assert response.status == 200
    said = await response.json()
    assert KEY not in json.dumps(said)
    return said


async def test_before_anything_was_asked_it_says_what_would_answer(connect: Ask) -> None:
    config = Config(models={"opus": "big"})
    said = await status(await connect(app_of(config=config)))
    assert (said["provider"], said["title"]) == ("test", "Test")
    assert said["models"]["opus"]["target"] == "test/big"
    assert said["models"]["haiku"]["target"] == "test/m"
    assert (said["open_requests"], said["served_requests"], said["waiting"]) == (0, 0, 0)
    assert said["lanes"] == []
    assert said["cache_hit_ratio"] is None
    assert said["last_error"] is None
    assert said["repairs"] == []


async def test_a_token_is_asked_for_as_everywhere(connect: Ask) -> None:
    client = await connect(app_of(config=Config(auth_token="the-token")))
    assert (await client.get("/status")).status == 401
    assert (await client.get("/status", headers={"x-api-key": "the-token"})).status == 200
    foreign = {"x-api-key": "the-token", "Origin": "https://elsewhere.example"}
    assert (await client.get("/status", headers=foreign)).status == 403


async def test_each_key_is_shown_by_its_fingerprint_with_what_it_may_do(connect: Ask) -> None:
    profile = profile_of(limits=Limits(requests=40, concurrency=3))
    app = app_of(profile, environ={"TEST_KEY": "sk-one-0123456789, sk-two-0123456789"})
    client = await connect(app, Scripted(text("hi")))
    await client.post("/v1/messages", json=ASKED)
    (lane,) = (await status(client))["lanes"]
    names = [fingerprint(key) for key in ("sk-one-0123456789", "sk-two-0123456789")]
    assert [door["fingerprint"] for door in lane["doors"]] == names
    assert [door["available"] for door in lane["doors"]] == [3, 3]
    assert lane["breaker"] == {"state": "closed", "seconds_left": 0.0}
    assert (await status(client))["served_requests"] == 1


async def test_without_limits_and_without_a_key_there_is_none_to_show(connect: Ask) -> None:
    client = await connect(app_of(profile_of(api_key_env="")), Scripted(text("hi")))
    await client.post("/v1/messages", json=ASKED)
    ((door,),) = [lane["doors"] for lane in (await status(client))["lanes"]]
    assert door == {
        "fingerprint": "", "open": 0, "waiting": 0, "available": None, "rests_seconds": 0.0
    }  # fmt: skip


async def test_what_waits_and_what_is_open_is_counted(connect: Ask) -> None:
    app = app_of(profile_of(limits=Limits(concurrency=1)))
    client = await connect(app, Scripted(text("hi")))
    (door,) = app[GATEWAY].lane(app[GATEWAY].router.default).doors
    async with door.limiter.seat():
        (lane,) = (await status(client))["lanes"]
    assert (lane["open"], lane["doors"][0]["available"]) == (1, 0)


async def test_an_open_breaker_and_a_key_that_rests_say_for_how_long(connect: Ask) -> None:
    app = app_of(profile_of(retry=ONCE), environ={"TEST_KEY": "a-0123456789,b-0123456789"})
    refused = Scripted(RefusedKeyError("no"), OverloadedError("busy"))
    client = await connect(app, refused)
    for _ in range(THRESHOLD + 1):
        await client.post("/v1/messages", json=ASKED)
    (lane,) = (await status(client))["lanes"]
    assert lane["breaker"]["state"] == "open"
    assert 0 < lane["breaker"]["seconds_left"] <= 10
    assert max(door["rests_seconds"] for door in lane["doors"]) > 800


async def test_what_refusals_taught_is_shown_by_model(connect: Ask) -> None:
    refusal = BadRequestError("max_tokens is too large")
    refusal.fix = Fix(max_tokens=50)
    client = await connect(backend=Scripted(refusal, text("hi")))
    await client.post("/v1/messages", json=ASKED)
    (lane,) = (await status(client))["lanes"]
    assert lane["learned"] == {"m": {"max_tokens": 50, "without": []}}


async def test_the_cache_hit_ratio_is_of_all_recent_tokens(connect: Ask) -> None:
    answers = [[*text("hi")[:-1], usage(100, 5, cached)] for cached in (0, 90)]
    client = await connect(backend=Scripted(*answers))
    for _ in answers:
        await client.post("/v1/messages", json=ASKED)
    said = await status(client)
    assert said["cache_hit_ratio"] == 0.45
    assert said["recent_requests"] == 2


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (RateLimitedError("Test (m) answered 429: slow down"), "rate_limit_error", "slow down"),
        (RefusedKeyError(f"Test (m) answered 401: {KEY} is wrong"), "authentication_error", "is wrong"),
        (UpstreamServerError(f"Test (m) answered 500: {SECRET}"), "api_error", "Test (m) answered 500"),
        (BadRequestError(f"Test (m) answered 400: {SECRET}"), "invalid_request_error", "answered 400"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
async def test_the_last_error_is_told_without_what_a_provider_may_have_quoted(
    connect: Ask, error: Any, kind: str, message: str
) -> None:
    client = await connect(app_of(profile_of(retry=ONCE)), Scripted(error, text("hi")))
    asked = {**ASKED, "messages": [{"role": "user", "content": SECRET}]}
    failed = await client.post("/v1/messages", json=asked)
    assert (await client.post("/v1/messages", json=asked)).status == 200
    said = await status(client)
    assert said["last_error"]["type"] == kind
    assert message in said["last_error"]["message"]
    assert (said["last_error"]["provider"], said["last_error"]["model"]) == ("test", "m")
    assert said["last_error"]["request_id"] == failed.headers["request-id"]
    assert said["last_error"]["at"].endswith("+00:00")
    assert SECRET not in json.dumps(said)


def ended(number: int, **fields: Any) -> Outcome:
    usual: dict[str, Any] = {
        "status": 200, "outcome": "end_turn", "provider": "p", "model": "m", "input": 10
    }  # fmt: skip
    return Outcome(request_id=f"req_{number}", at=0.0, **usual | fields)


def test_only_so_many_requests_are_kept_and_counted() -> None:
    recent = Recent()
    recent.ended(ended(0, status=529, outcome="overloaded_error", error="x", cached=10))
    assert recent.last_error is not None and recent.cache_hit_ratio == 1.0
    for number in range(1, Recent.MOST + 1):
        recent.ended(ended(number))
    assert (recent.last_error, recent.cache_hit_ratio, recent.count) == (None, 0.0, Recent.MOST)
    assert recent.served == Recent.MOST + 1


def test_what_no_provider_answered_and_who_left_is_no_failure_of_one() -> None:
    recent = Recent()
    recent.ended(ended(1, local="title"))
    recent.ended(ended(2, provider="", status=400, outcome="invalid_request_error"))
    assert recent.count == 0
    recent.ended(ended(3, status=499, outcome=CLIENT_LEFT, estimated=True))
    assert (recent.count, recent.last_error, recent.cache_hit_ratio) == (1, None, None)


def test_words_that_never_end_are_cut() -> None:
    recent = Recent()
    recent.ended(ended(1, status=429, outcome="rate_limit_error", error="no\nway " * 999))
    assert recent.last_error is not None
    assert len(recent.last_error.message) == 300
    assert "\n" not in recent.last_error.message


@pytest.fixture
def probed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Router, Path]:
    """A provider of the person's own whose model was probed, and a file that can't be read."""
    monkeypatch.setenv("FCC_STATE_DIR", str(tmp_path))
    url = "http://127.0.0.1:9/v1"
    known = Capabilities(base_url=url, context_window=4096, images=False)
    file = write_capabilities("acme", "m", known)
    (file.parent / "broken.json").write_text("{")
    (tmp_path / "acme.toml").write_text(f'base_url = "{url}"\ndefault_model = "m"\n')
    providers = Providers(tmp_path, probes=Probes.read())
    return Router(providers, providers.get("acme")), file


async def test_what_the_doctor_found_is_shown_with_its_file(
    connect: Ask, probed: tuple[Router, Path]
) -> None:
    router, file = probed
    keys = Keys({}, file.with_name("no.env"))
    said = await status(await connect(new_app(Config(), router, keys)))
    assert said["models"]["opus"]["context_window"] == 4096
    assert said["probed"]["acme/m"]["facts"] == {"context_window": 4096, "ask.images": False}
    assert said["probed"]["acme/m"]["file"] == str(file)
    (problem,) = said["probe_problems"]
    assert "broken.json" in problem


async def test_what_is_not_observed_is_not_known(connect: Ask) -> None:
    client = await connect(app_of(config=Config(observe=False)), Scripted(text("hi")))
    assert (await client.post("/v1/messages", json=ASKED)).status == 200
    said = await status(client)
    assert (said["open_requests"], said["served_requests"]) == (None, None)
    assert (said["recent_requests"], said["cache_hit_ratio"], said["last_error"]) == (0, None, None)
    assert said["lanes"][0]["provider"] == "test", "limits are no observation"


async def test_with_observe_off_there_are_no_numbers_and_no_traces(connect: Ask) -> None:
    client = await connect(app_of(config=Config(observe=False)), Scripted(text("hi")))
    assert (await client.post("/v1/messages", json=ASKED)).status == 200
    numbers = await client.get("/metrics")
    assert numbers.status == 404
    assert "observe = false in config.toml" in (await numbers.json())["error"]["message"]
    traces = await (await client.get("/fcc/traces")).json()
    assert (traces["recorder"]["keep"], traces["traces"]) == (0, [])
    gateway = client.app[GATEWAY]
    assert gateway.accounts.budget.spent(time.time()).tokens == 0
    assert gateway.metrics.families()[0].values == []


async def test_a_request_that_began_while_it_was_observed_ends_so(connect: Ask) -> None:
    go = asyncio.Event()
    client = await connect(app_of(), Scripted([chunk(content="hi"), go, chunk("stop"), DONE]))
    gateway = client.app[GATEWAY]
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    assert (await status(client))["open_requests"] == 1
    gateway.config = Config(observe=False)
    go.set()
    await response.read()
    assert (await client.post("/v1/messages", json=ASKED)).status == 200
    gateway.config = Config()
    said = await status(client)
    assert (said["open_requests"], said["served_requests"]) == (0, 1)


@pytest.mark.parametrize("budget", [{"daily_budget": 1.0}, {"daily_tokens": 1}])
def test_a_budget_of_what_nobody_counts_is_refused(budget: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="observe = false counts nothing"):
        Config(observe=False, usage=UsageOptions(**budget))
