"""Requests that go elsewhere for what they are: long ones, and those with images."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from loguru import logger

from fcc.errors import OverloadedError
from fcc.server.app import new_app
from fcc.server.choice import choose
from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.routing import Router
from fcc.settings.toml import convert
from fcc.translate.request.media import carries_image
from fcc.wire.messages import decode_request
from tests.conftest import Ask
from tests.pdf_files import pdf_base64
from tests.scripted import ASKED, DONE, Scripted, text, usage

SESSION = {"X-Claude-Code-Session-Id": "a-session"}
LONG = {"messages": [{"role": "user", "content": "word " * 10_000}]}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}


def shown(*blocks: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, *blocks]}]}


class Scene:
    """Four providers: `plain` is the default, and sees no images; `far`, `eyes` and `spare`."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.gateway = client.app[GATEWAY]
        self.backends: dict[str, Scripted] = {}
        for name in ("plain", "far", "eyes", "spare"):
            self.answers(name, text(name))

    def answers(self, name: str, *script: Any) -> None:
        backend = self.backends[name] = Scripted(*script)
        self.gateway.lane(self.gateway.router.profile(name)).doors[0].backend = backend

    async def post(self, **fields: Any) -> Any:
        return await self.client.post("/v1/messages", json={**ASKED, **fields}, headers=SESSION)

    async def by(self, **fields: Any) -> str:
        """Who answered."""
        return (await (await self.post(**fields)).json())["content"][0]["text"]

    async def count(self, **fields: Any) -> int:
        asked = {**ASKED, **fields}
        response = await self.client.post("/v1/messages/count_tokens", json=asked)
        return (await response.json())["input_tokens"]


ROUTES: dict[str, Any] = {
    "routes": {
        "long_context": {"above": 8000, "model": "far/f", "effort": "low", "max_tokens": 9},
        "image": "eyes/e",
    }
}


def app_of_four(folder: Path, table: dict[str, Any], far: str = "") -> web.Application:
    """`far` is more of that provider's file."""
    common = 'base_url = "http://127.0.0.1:9/v1"\n[retry]\nattempts = 1\n[ask]\n'
    for name, ask in (
        ("plain", "images = false\n"),
        ("far", 'images = false\nreasoning = "reasoning_effort"\n'),
        ("eyes", ""),
        ("spare", "images = false\n"),
    ):
        (folder / f"{name}.toml").write_text(f'default_model = "{name}-model"\n{common}{ask}')
    path = folder / "far.toml"
    facts = '[facts."f"]\ncontext_window = 1000000\n'
    path.write_text(f"{far}\n{path.read_text()}{facts}")
    config = convert(table, Config, "config.toml")
    providers = Providers(folder)
    router = Router(
        providers,
        providers.get("plain"),
        config.models,
        fallback=config.fallback,
        routes=config.routes,
    )
    return new_app(config, router, Keys({}, folder / "no.env"))


@pytest.fixture
def four(connect: Ask, tmp_path: Path) -> Any:
    async def four(table: dict[str, Any] | None = None, **more: Any) -> Scene:
        table = ROUTES if table is None else table
        app = await asyncio.to_thread(app_of_four, tmp_path, {**table, **more})
        return Scene(await connect(app))

    return four


async def test_a_long_request_goes_to_its_route_and_a_short_one_does_not(four: Any) -> None:
    scene = await four()
    assert await scene.by() == "plain"
    assert await scene.by(**LONG) == "far"
    (body,) = scene.backends["far"].bodies
    assert (body["model"], body["max_tokens"], body["reasoning_effort"]) == ("f", 9, "low")


async def test_a_session_that_is_short_again_goes_back(four: Any) -> None:
    scene = await four()
    assert [await scene.by(**fields) for fields in (LONG, {}, LONG, {})] == [
        "far", "plain", "far", "plain",
    ]  # fmt: skip


async def test_the_threshold_is_what_count_tokens_counts(four: Any) -> None:
    scene = await four({})
    tokens = await scene.count(**LONG)
    for above, answerer in ((tokens, "plain"), (tokens - 1, "far")):
        route = {"long_context": {"above": above, "model": "far/f"}}
        scene = await four({"routes": route})
        assert await scene.by(**LONG) == answerer


async def test_the_threshold_learns_with_the_count(four: Any) -> None:
    scene = await four()
    half = {"messages": [{"role": "user", "content": "word " * 5000}]}
    before = await scene.count(**half)
    assert before <= 8000
    scene.answers("plain", [*text("plain")[:-1], usage(before * 2, 1), DONE])
    for _ in range(6):
        await scene.by(**half)
    # It is another model that counts it once it has become a long one.
    assert await scene.by(**half) == "far"


async def test_the_response_says_where_it_went_and_why(four: Any) -> None:
    scene = await four()
    response = await scene.post(**LONG)
    assert response.headers["x-fcc-route"] == "far/f"
    reason = response.headers["x-fcc-route-reason"]
    assert reason.startswith("routes.long_context: about ")
    assert reason.endswith(" tokens, above 8000")
    response = await scene.post(**shown(IMAGE))
    assert response.headers["x-fcc-route"] == "eyes/e"
    assert response.headers["x-fcc-route-reason"] == (
        "routes.image: plain/plain-model has no vision"
    )
    response = await scene.post(stream=True)
    assert response.headers["x-fcc-route-reason"] == "default_model of the profile"


async def test_the_reason_is_told_at_debug(four: Any) -> None:
    scene, lines = await four(), list[str]()
    sink = logger.add(lines.append, level="DEBUG", format="{level} {message}")
    await scene.by(**LONG)
    logger.remove(sink)
    assert any("DEBUG far/f is asked: routes.long_context: about " in line for line in lines)


async def test_a_model_that_the_client_named_stays_but_for_an_image(four: Any) -> None:
    scene = await four()
    assert await scene.by(**LONG, model="spare/s") == "spare"
    assert await scene.by(**shown(IMAGE), model="spare/s[1m]") == "eyes"


INNER = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}
USE = {"type": "tool_use", "id": "t", "name": "Read", "input": {}}
PAGES = {"type": "document", "source": {"type": "content", "content": [IMAGE]}}


@pytest.mark.parametrize(
    ("blocks", "carries"),
    [
        ([IMAGE], True),
        ([INNER], True),
        ([PAGES], True),
        ([{**INNER, "content": [PAGES]}], True),
        ([{**INNER, "content": "image"}], False),
        ([{**INNER, "content": [{"type": "text", "text": "image"}, 5, None]}], False),
        ([{"type": "document", "source": {"type": "text", "data": "image"}}], False),
        ([{"type": "web_fetch_tool_result", "tool_use_id": "x", "content": [IMAGE]}], False),
    ],
)
async def test_an_image_is_found_wherever_a_model_would_see_it(
    four: Any, blocks: list[Any], carries: bool
) -> None:
    turns = [
        *ASKED["messages"],
        {"role": "assistant", "content": [USE]},
        {"role": "user", "content": blocks},
        {"role": "assistant", "content": "ok"},
        {"role": "user", "content": "and now?"},
    ]
    assert await (await four()).by(messages=turns) == ("eyes" if carries else "plain")


def test_a_message_of_words_carries_no_image() -> None:
    asked = decode_request(b'{"model":"m","messages":[{"role":"user","content":"image"}]}')
    assert not carries_image(asked.messages)


async def test_a_model_with_eyes_keeps_its_images(four: Any) -> None:
    scene = await four({**ROUTES, "models": {"opus": "eyes/own"}})
    assert await scene.by(**shown(IMAGE)) == "eyes"
    assert scene.backends["eyes"].bodies[0]["model"] == "own"


async def test_without_a_route_for_images_a_marker_stands_for_them(four: Any) -> None:
    scene = await four({})
    assert await scene.by(**shown(IMAGE)) == "plain"
    assert "no vision" in str(scene.backends["plain"].bodies)


async def test_a_long_request_with_an_image_goes_where_it_is_seen(four: Any) -> None:
    scene = await four()
    blocks = [{"type": "text", "text": "word " * 10_000}, IMAGE]
    assert await scene.by(**shown(*blocks)) == "eyes"
    response = await scene.post(**shown(*blocks))
    assert response.headers["x-fcc-route-reason"] == "routes.image: far/f has no vision"


async def test_the_fallback_of_the_name_follows_a_special_route(four: Any) -> None:
    scene = await four(fallback={"opus": ["spare/s"]})
    scene.answers("far", OverloadedError("busy"), text("far"))
    response = await scene.post(**LONG)
    assert (await response.json())["content"][0]["text"] == "spare"
    assert response.headers["x-fcc-route"] == "spare/s"
    assert response.headers["x-fcc-route-reason"] == "fallback.opus"
    assert response.headers["x-fcc-fallback"].startswith("far/f 529")
    # It stays where it was answered, and what is short is another matter.
    assert await scene.by(**LONG) == "spare"
    assert await scene.by() == "plain"
    assert await scene.by(**LONG) == "spare"


async def test_background_calls_are_answered_by_their_model_under_the_name_asked_for(
    four: Any,
) -> None:
    scene = await four({"models": {"haiku": {"model": "spare/quick", "max_tokens": 7}}})
    for name in ("claude-haiku-4-5-20251001", "claude-haiku-5-5[1m]"):
        message = await (await scene.post(model=name)).json()
        assert (message["model"], message["content"][0]["text"]) == (name, "spare")
    body = scene.backends["spare"].bodies[-1]
    assert (body["model"], body["max_tokens"]) == ("quick", 7)
    assert await scene.by() == "plain"


@pytest.mark.parametrize("asked", ["spare/s", "spare/s[1m]", "anthropic/spare/s", "spare/s[1M]"])
async def test_a_named_model_is_understood_and_given_back_as_it_was(four: Any, asked: str) -> None:
    scene = await four()
    message = await (await scene.post(model=asked)).json()
    assert message["model"] == asked
    assert scene.backends["spare"].bodies[0]["model"] == "s"


async def test_a_name_with_a_line_break_breaks_no_header(four: Any) -> None:
    response = await (await four()).post(model="spare/a\r\nb: c")
    assert response.status == 200
    assert "\n" not in response.headers["x-fcc-route"]


@pytest.mark.parametrize("name", ["a\r\nb: c", "x" * 20_000])
async def test_nor_does_one_that_fails_and_is_told_beside_its_fallback(
    four: Any, name: str
) -> None:
    scene = await four(fallback={"*": ["far/f"]})
    scene.answers("spare", OverloadedError("busy"))
    response = await scene.post(model=f"spare/{name}")
    assert response.status == 200
    told = response.headers["x-fcc-fallback"]
    assert told.startswith(f"spare/{name[0]}")
    assert len(told) < 1000


async def test_a_pdf_is_read_for_whoever_may_need_its_text(four: Any) -> None:
    scene = await four()
    data = pdf_base64("word " * 10_000)
    source = {"type": "base64", "media_type": "application/pdf", "data": data}
    assert await scene.by(**shown({"type": "document", "source": source})) == "far"


async def test_without_such_routes_nothing_is_translated_to_choose(four: Any) -> None:
    asked = decode_request(json.dumps(ASKED).encode())
    assert choose((await four({})).gateway, asked).body is None
    assert choose((await four()).gateway, asked).body is not None


@pytest.mark.parametrize("asked", ["claude-opus", "plain/p"])
async def test_a_name_is_listed_with_the_window_of_its_longest_requests(
    connect: Ask, tmp_path: Path, asked: str
) -> None:
    app = await asyncio.to_thread(app_of_four, tmp_path, ROUTES, 'api_key_env = "NO_KEY"')
    client = await connect(app)
    model = await (await client.get(f"/v1/models/{asked}")).json()
    # What the client named goes nowhere else, and nothing is known of its window.
    assert model.get("max_input_tokens") == (1_000_000 if asked == "claude-opus" else None)
    assert "plain/p" in model["display_name"]
