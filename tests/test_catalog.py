"""Which models a provider offers: asked when somebody wants to know, and remembered."""

import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fcc.upstream.backend import new_session
from fcc.upstream.catalog import Catalog
from tests.conftest import KEY, Mocked, profile_of

URL = "http://p/v1/models"
LIST = {"data": [{"id": "a", "context_length": 100}, {"id": "b"}]}


async def ids(catalog: Catalog) -> list[str]:
    return [entry.id for entry in await catalog.models()]


async def test_it_is_asked_with_the_key_and_the_profiles_headers(mocked: Mocked) -> None:
    mocked.get(URL, payload=LIST)
    async with new_session() as session:
        profile = profile_of(base_url="http://p/v1/", headers={"X-Title": "fcc"})
        catalog = Catalog(session, profile, KEY)
        assert [(entry.id, entry.context_window) for entry in await catalog.models()] == [
            ("a", 100), ("b", None),
        ]  # fmt: skip
    (request,) = next(iter(mocked.requests.values()))
    sent = request.kwargs["headers"]
    assert (sent["X-Title"], sent["Authorization"]) == ("fcc", f"Bearer {KEY}")


async def test_an_answer_is_remembered(mocked: Mocked) -> None:
    mocked.get(URL, payload=LIST)
    async with new_session() as session:
        catalog = Catalog(session, profile_of(base_url="http://p/v1"), "")
        assert await ids(catalog) == await ids(catalog) == ["a", "b"]


async def test_two_who_ask_at_the_same_time_get_the_same_list(upstream: Any) -> None:
    came, go = asyncio.Event(), asyncio.Event()

    async def answer(_request: web.Request) -> web.StreamResponse:
        came.set()
        await go.wait()
        return web.json_response(LIST)

    async with new_session() as session:
        catalog = Catalog(session, profile_of(base_url=await upstream(answer)), "")
        first = asyncio.create_task(ids(catalog))
        await came.wait()
        second = asyncio.create_task(ids(catalog))
        await asyncio.sleep(0)
        go.set()
        assert await asyncio.gather(first, second) == [["a", "b"], ["a", "b"]]


async def test_a_provider_without_an_address_is_not_asked(mocked: Mocked) -> None:
    async with new_session() as session:
        assert await ids(Catalog(session, profile_of(base_url=""), "")) == []
    assert not mocked.requests


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404, "payload": LIST},
        {"status": 200, "body": "<html>"},
        {"status": 200, "payload": 5},
        {"status": 200, "body": b"\xff"},
        {"exception": aiohttp.ClientConnectionError()},
        {"exception": TimeoutError()},
        {"exception": OSError()},
        {"status": 200, "body": "[" * 100_000},
    ],
)
async def test_a_provider_that_does_not_say_offers_nothing(mocked: Mocked, answer: dict) -> None:
    mocked.get(URL, **answer)
    async with new_session() as session:
        assert await ids(Catalog(session, profile_of(base_url="http://p/v1"), "")) == []
