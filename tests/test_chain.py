"""A request and the providers that may answer it, one after the other."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from fcc.diagnosis.rates import Rate
from fcc.errors import (
    BadRequestError,
    CutError,
    OverloadedError,
    PromptTooLongError,
    RefusedKeyError,
)
from fcc.server.app import new_app
from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.routing import Router
from fcc.upstream.breaker import THRESHOLD
from tests.conftest import Ask, Client, app_of, profile_of
from tests.grammar import content, read
from tests.scripted import ASKED, Scripted, chunk, text

SESSION = {"X-Claude-Code-Session-Id": "a-session"}


class Two:
    """A client of an app that falls back from `first` to `second`."""

    def __init__(self, client: Client, first: Scripted, second: Scripted) -> None:
        self.client, self.first, self.second = client, first, second

    @property
    def asked(self) -> tuple[int, int]:
        return len(self.first.bodies), len(self.second.bodies)

    async def post(self, **fields: Any) -> Any:
        return await self.client.post("/v1/messages", json={**ASKED, **fields}, headers=SESSION)

    async def said(self) -> str:
        return (await (await self.post()).json())["content"][0]["text"]


def app_of_two(folder: Path, environ: dict[str, str], more: str = "") -> web.Application:
    for name in ("one", "other"):
        (folder / f"{name}.toml").write_text(
            f'title = "{name.title()}"\nbase_url = "http://127.0.0.1:9/v1"\n[retry]\nattempts = 1\n'
        )
    first = folder / "one.toml"
    first.write_text(f"{more}\n{first.read_text()}")
    providers = Providers(folder)
    config = Config(fallback={"*": ["other/second-model"]})
    router = Router(providers, providers.get("one"), {"*": "first-model"}, fallback=config.fallback)
    return new_app(config, router, Keys(environ, folder / "no.env"))


@pytest.fixture
async def two(connect: Ask, tmp_path: Path):
    async def two(first: Any, second: Any, environ: Any = None) -> Two:
        app = await asyncio.to_thread(app_of_two, tmp_path, environ or {})
        client = await connect(app)
        gateway = app[GATEWAY]
        backends = [Scripted(*first), Scripted(*second)]
        for name, backend in zip(("one", "other"), backends, strict=True):
            gateway.lane(gateway.router.profile(name)).doors[0].backend = backend
        return Two(client, *backends)

    return two


async def test_a_provider_that_allows_nothing_for_long_is_not_waited_for(two: Any) -> None:
    scene = await two([text("first")], [text("second")])
    scene.first.rates.append([Rate(remaining=0, reset=600.0)])
    assert [await scene.said() for _ in range(3)] == ["first", "second", "second"]


async def test_the_next_provider_is_asked_where_the_first_one_fails(
    two: Any, logged: list[str]
) -> None:
    scene = await two([OverloadedError("busy")], [text("second")])
    response = await scene.post(stream=True)
    seen = read(await response.read())
    assert content(seen) == [{"type": "text", "text": "second"}]
    assert seen.message["model"] == ASKED["model"]
    assert (scene.first.bodies[0]["model"], scene.second.bodies[0]["model"]) == (
        "first-model", "second-model",
    )  # fmt: skip
    assert any("WARNING" in line and "one/first-model" in line for line in logged)
    assert "other/second-model" in logged[-1]


async def test_a_refusal_is_a_reason_too(two: Any) -> None:
    scene = await two([RefusedKeyError("no")], [text("second")])
    assert await scene.said() == "second"


async def test_the_last_ones_failure_is_told(two: Any) -> None:
    scene = await two([OverloadedError("busy")], [BadRequestError("the second's words")])
    response = await scene.post()
    assert response.status == 400
    assert "the second's words" in (await response.json())["error"]["message"]


async def test_a_prompt_that_is_too_long_makes_the_client_compact_instead(two: Any) -> None:
    scene = await two([PromptTooLongError("prompt is too long: 2 tokens > 1 maximum")], [text("x")])
    assert (await scene.post()).status == 400
    assert scene.asked == (1, 0)


async def test_a_stopgaps_small_window_is_not_what_the_client_compacts_to(two: Any) -> None:
    scene = await two(
        [OverloadedError("busy")], [PromptTooLongError("prompt is too long: 9 tokens > 8 maximum")]
    )
    response = await scene.post()
    assert response.status == 529
    assert "busy" in (await response.json())["error"]["message"]
    assert scene.asked == (1, 1)


async def test_after_content_nobody_else_is_asked(two: Any) -> None:
    scene = await two([[chunk(content="half"), CutError("cut")]], [text("x")])
    seen = read(await (await scene.post(stream=True)).read())
    assert seen.error is not None
    assert scene.asked == (1, 0)


async def test_a_session_stays_with_the_provider_that_answered_it(two: Any) -> None:
    scene = await two([OverloadedError("busy"), text("first")], [text("second")])
    assert [await scene.said() for _ in range(3)] == ["second", "second", "second"]
    assert scene.asked == (1, 3)


async def test_a_session_goes_back_where_its_provider_fails(two: Any) -> None:
    scene = await two(
        [OverloadedError("busy"), text("first")], [text("second"), OverloadedError("busy")]
    )
    assert [await scene.said() for _ in range(3)] == ["second", "first", "first"]


async def test_a_provider_that_rests_is_passed_over(two: Any) -> None:
    scene = await two([OverloadedError("busy")], [text("second")])
    for n in range(THRESHOLD + 3):
        asked = {**ASKED, "messages": [{"role": "user", "content": str(n)}]}
        response = await scene.client.post("/v1/messages", json=asked)
        assert response.status == 200
    assert scene.asked == (THRESHOLD, THRESHOLD + 3)


async def test_the_only_provider_is_asked_though_it_rests(connect: Ask) -> None:
    backend = Scripted(*[OverloadedError("busy")] * (3 * THRESHOLD), text("well again"))
    client = await connect(app_of(profile_of()), backend)
    statuses = [
        (await client.post("/v1/messages", json=ASKED)).status for _ in range(THRESHOLD + 1)
    ]
    assert statuses == [529] * THRESHOLD + [200]


async def test_a_provider_whose_key_is_missing_is_passed_over(connect: Ask, tmp_path: Path) -> None:
    app = await asyncio.to_thread(app_of_two, tmp_path, {}, 'api_key_env = "ONE_KEY"')
    client = await connect(app)
    gateway = app[GATEWAY]
    gateway.lane(gateway.router.profile("other")).doors[0].backend = Scripted(text("second"))
    response = await client.post("/v1/messages", json=ASKED)
    assert response.status == 200
    assert (await response.json())["content"][0]["text"] == "second"
