"""Nothing that comes from outside grows without an end."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from fcc.errors import UpstreamServerError
from fcc.server import exchange, messages
from fcc.server.gateway import GATEWAY, MAX_RATIOS
from fcc.upstream import catalog
from fcc.upstream.backend import new_session
from fcc.upstream.catalog import Catalog
from fcc.wire.sse import MAX_EVENT_BYTES, SSEDecoder
from tests.conftest import Ask, app_of, profile_of
from tests.grammar import read
from tests.scripted import ASKED, Scripted, chunk, text

MIB = 1024 * 1024
OFFERED = 64 * MIB
"""Bytes of an answer: far more than the buffers of four sockets hold."""
STUCK = 1.0
"""Seconds in which not one write gets through: nobody reads any more."""


class Endless:
    """A provider with a very long answer, who counts what he gets rid of."""

    def __init__(self) -> None:
        self.written = 0
        self.stuck = asyncio.Event()
        self.done = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        raw = chunk(content="x" * 16_000)
        while self.written < OFFERED:
            writing = asyncio.ensure_future(response.write(raw))
            done, _ = await asyncio.wait([writing], timeout=STUCK)
            if not done:
                self.stuck.set()
            await writing
            self.written += len(raw)
        self.stuck.set()
        for raw in text("end"):
            await response.write(raw)
        self.done.set()
        return response


@pytest.mark.slow  # writes until the buffers of four sockets are full
async def test_a_client_that_does_not_read_stops_the_reading_of_its_provider(
    connect: Ask, upstream: Callable[..., Awaitable[str]]
) -> None:
    provider = Endless()
    client = await connect(app_of(profile_of(base_url=await upstream(provider.answer))))
    port = client.server.port
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=MIB)
    body = json.dumps({**ASKED, "stream": True}).encode()
    head = (
        b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    )
    writer.write(head % len(body) + body)
    await reader.readuntil(b"\r\n\r\n")
    await provider.stuck.wait()
    held = provider.written
    assert held < OFFERED / 2
    # And whoever reads again gets all of it.
    got = 0
    while raw := await reader.read(MIB):
        got += len(raw)
    assert got > OFFERED > held
    assert provider.done.is_set()
    writer.close()
    await writer.wait_closed()


async def test_an_answer_without_an_end_is_ended(connect: Ask) -> None:
    comment = b":" + b"x" * MIB + b"\n\n"
    steps = [
        chunk(content="a"),
        *[comment] * (exchange.MAX_ANSWER_BYTES // MIB + 1),
        chunk(content="b"),
    ]
    client = await connect(backend=Scripted(steps))
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    seen = read(await response.read())
    assert seen.blocks[0]["raw"] == "a"
    assert seen.open_block is None
    assert seen.error is not None
    assert f"more than {exchange.MAX_ANSWER_BYTES} bytes" in seen.error["message"]


@pytest.mark.parametrize("line", [b"data:\n", b"data: x\n", b"data:" + b"y" * 5000 + b"\n"])
def test_an_event_without_an_end_is_refused_whatever_its_lines(line: bytes) -> None:
    decoder = SSEDecoder()
    raw = line * (MIB // len(line))
    with pytest.raises(UpstreamServerError, match="an event of more than"):
        for _ in range(MAX_EVENT_BYTES // MIB + 1):
            assert decoder.feed(raw) == []


async def test_a_list_of_models_without_an_end_is_none(
    upstream: Callable[..., Awaitable[str]],
) -> None:
    sent = 0

    async def answer(request: web.Request) -> web.StreamResponse:
        nonlocal sent
        response = web.StreamResponse()
        await response.prepare(request)
        while sent < 4 * catalog.MAX_BYTES:
            await response.write(b" " * MIB)
            sent += MIB
        return response

    url = await upstream(answer, handler_cancellation=True)
    async with new_session() as session:
        assert await Catalog(session, profile_of(base_url=url), "").models() == []
    assert sent < 4 * catalog.MAX_BYTES


async def test_a_request_whose_body_stops_coming_is_told(
    connect: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "BODY_SILENCE", 0.05)
    client = await connect(backend=Scripted(text("hi")))

    async def body() -> Any:
        yield b'{"model":'
        await asyncio.sleep(30)

    response = await client.post("/v1/messages", data=body())
    assert response.status == 408
    assert "the body stopped coming" in (await response.json())["error"]["message"]


async def test_names_of_models_are_not_kept_for_ever(connect: Ask) -> None:
    app = app_of()
    await connect(app)
    gateway = app[GATEWAY]
    route = gateway.router.route("claude-opus-5")
    for n in range(MAX_RATIOS + 50):
        model = msgspec.structs.replace(route.model, name=str(n))
        gateway.ratio(msgspec.structs.replace(route, model=model))
    assert len(gateway._ratios) == MAX_RATIOS


async def test_a_head_without_an_end_is_refused_on_both_sides(
    connect: Ask, upstream: Callable[..., Awaitable[str]]
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.Response(headers={"x-long": "x" * 10_000})

    client = await connect(app_of(profile_of(base_url=await upstream(answer))))
    response = await client.post("/v1/messages", json=ASKED)
    assert response.status == 502
    response = await client.get("/health", headers={"x-long": "x" * 10_000})
    assert response.status == 400
    with pytest.raises(aiohttp.ClientError):
        response.raise_for_status()
