"""Around every request: who may ask, an id, one line in the log, and nothing secret in it."""

import asyncio
import json
from typing import Any

import pytest

from fcc.errors import BadRequestError, UpstreamServerError
from fcc.server.middleware import is_loopback
from fcc.settings.config import Config
from fcc.settings.limits import Retry
from tests.conftest import KEY, Ask, app_of, profile_of
from tests.scripted import ASKED, Scripted, chunk, text

TOKEN = "the-daemons-token"
GUARDED = Config(auth_token=TOKEN)


async def status_of(client: Any, headers: Any = None, path: str = "/v1/messages") -> int:
    response = await client.post(path, json=ASKED, headers=headers)
    return response.status


@pytest.mark.parametrize(
    "headers",
    [
        {"x-api-key": TOKEN},
        {"Authorization": f"Bearer {TOKEN}"},
        {"authorization": f"bearer   {TOKEN} "},
        {"x-api-key": "wrong", "Authorization": f"Bearer {TOKEN}"},
        {"x-api-key": TOKEN, "Authorization": "Bearer wrong"},
    ],
)
async def test_the_token_lets_in(connect: Ask, headers: Any) -> None:
    assert (
        await status_of(await connect(app_of(config=GUARDED), Scripted(text("hi"))), headers) == 200
    )


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"x-api-key": ""}, {"x-api-key": TOKEN + "x"}, {"x-api-key": TOKEN[:-1]},
        {"Authorization": TOKEN}, {"Authorization": f"Basic {TOKEN}"}, {"Authorization": "Bearer"},
        {"Authorization": "Bearer "}, {"x-api-key": "\u00fc"}, {"Authorization": "Bearer \U0001f600"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens", "/v1/nope"])
async def test_without_the_token_nobody_gets_in(connect: Ask, headers: Any, path: str) -> None:
    backend = Scripted(text("hi"))
    client = await connect(app_of(config=GUARDED), backend)
    response = await client.post(path, json=ASKED, headers=headers)
    body = await response.json()
    assert (response.status, body["error"]["type"]) == (401, "authentication_error")
    assert TOKEN not in json.dumps(body)
    assert "request-id" in response.headers
    assert backend.bodies == []


async def test_header_bytes_that_are_no_text_do_not_let_in(connect: Ask) -> None:
    client = await connect(app_of(config=GUARDED), Scripted(text("hi")))
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"GET /v1/models HTTP/1.1\r\nHost: x\r\nx-api-key: \xff\xfe\xe9\r\n\r\n")
    line = await reader.readline()
    writer.close()
    assert b" 401 " in line or b" 400 " in line


async def test_models_are_guarded_and_probes_are_not(connect: Ask) -> None:
    client = await connect(app_of(profile_of(embedded=True, base_url=""), config=GUARDED))
    assert (await client.get("/v1/models")).status == 401
    assert (await client.get("/v1/models", headers={"x-api-key": TOKEN})).status == 200
    assert (await client.get("/health")).status == 200
    assert (await client.get("/")).status == 200
    assert (await client.head("/api/hello")).status in (200, 204)
    assert (await client.options("/v1/messages")).status == 204


async def test_without_a_token_any_key_is_fine(connect: Ask) -> None:
    client = await connect(backend=Scripted(text("hi")))
    assert await status_of(client) == 200
    assert await status_of(client, {"x-api-key": "anything"}) == 200


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://localhost.evil",
               "http://192.168.1.5", "file://", "chrome-extension://abc", "http://[::1"]
)  # fmt: skip
async def test_a_page_of_elsewhere_may_not_ask(connect: Ask, origin: str) -> None:
    backend = Scripted(text("hi"))
    client = await connect(backend=backend)
    response = await client.post("/v1/messages", json=ASKED, headers={"Origin": origin})
    assert response.status == 403
    assert backend.bodies == []
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("origin", ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:80"])
async def test_a_page_of_this_machine_may_ask(connect: Ask, origin: str) -> None:
    assert await status_of(await connect(backend=Scripted(text("hi"))), {"Origin": origin}) == 200


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("LOCALHOST", True),
        ("0.0.0.0", False), ("::", False), ("192.168.0.1", False), ("", False), ("example.com", False),
        ("localhost.example.com", False),
    ],
)  # fmt: skip
def test_only_this_machine_is_loopback(host: str, is_here: bool) -> None:
    assert is_loopback(host) is is_here


@pytest.mark.parametrize("path", ["/", "/health", "/v1/nope", "/v1/models?limit=0"])
async def test_every_answer_has_a_request_id_of_its_own(connect: Ask, path: str) -> None:
    client = await connect(app_of(profile_of(embedded=True, base_url="")))
    ids = {(await client.get(path)).headers["request-id"] for _ in range(3)}
    assert len(ids) == 3


async def test_a_request_is_one_line_in_the_log(connect: Ask, logged: list[str]) -> None:
    client = await connect(backend=Scripted(text("hi")))
    await (await client.post("/v1/messages", json={**ASKED, "stream": True})).read()
    assert len(logged) == 1
    assert "claude-opus-5-5 -> test/m 200" in logged[0]
    assert "end_turn" in logged[0]


async def test_an_error_is_one_line_with_its_type(connect: Ask, logged: list[str]) -> None:
    app = app_of(profile_of(retry=Retry(attempts=1)))
    client = await connect(app, Scripted(UpstreamServerError("x")))
    await status_of(client)
    await client.get("/nope")
    assert len(logged) == 2
    assert "502" in logged[0]
    assert "api_error" in logged[0]
    assert "GET /nope" in logged[1]


async def test_probes_are_not_logged(connect: Ask, logged: list[str]) -> None:
    client = await connect()
    await client.get("/health")
    await client.head("/")
    assert logged == []


SECRETS = ["PROMPT-TEXT", "SYSTEM-TEXT", "TOOL-TEXT", "ANSWER-TEXT", "CLIENT-TOKEN", KEY]


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    "answer",
    [
        text("ANSWER-TEXT"), UpstreamServerError("failed"), BadRequestError("refused"),
        [chunk(content="ANSWER-TEXT")], [b"data: ANSWER-TEXT\n\n"], [b"<html>ANSWER-TEXT"],
    ],
)  # fmt: skip
async def test_no_prompt_key_or_answer_is_in_the_log(
    connect: Ask, logged: list[str], answer: Any, stream: bool
) -> None:
    client = await connect(app_of(profile_of(retry=Retry(attempts=1))), Scripted(answer))
    asked = {
        **ASKED,
        "stream": stream,
        "system": "SYSTEM-TEXT",
        "messages": [{"role": "user", "content": "PROMPT-TEXT"}],
        "tools": [{"name": "t", "description": "TOOL-TEXT", "input_schema": {"type": "object"}}],
    }
    headers = {"Authorization": "Bearer CLIENT-TOKEN", "x-api-key": "CLIENT-TOKEN"}
    await (await client.post("/v1/messages", json=asked, headers=headers)).read()
    await (await client.post("/v1/messages", data=b'{"PROMPT-TEXT', headers=headers)).read()
    await (await client.post("/v1/messages/count_tokens", json=asked, headers=headers)).read()
    assert logged
    for secret in SECRETS:
        assert secret not in "".join(logged)


async def test_a_name_with_a_line_end_is_no_second_line_in_the_log(
    connect: Ask, logged: list[str]
) -> None:
    client = await connect(backend=Scripted(text("hi")))
    await client.post("/v1/messages", json={**ASKED, "model": "x\n2026-01-01 INFO forged"})
    assert "\n" not in logged[0].removesuffix("\n").rstrip("\n")
