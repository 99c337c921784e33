"""The application: every path and method, before a scripted backend or a real upstream server."""

import asyncio
import io
import json
import socket
import struct
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from msgspec import structs

from fcc.errors import RefusedKeyError
from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config, ServerOptions
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.profile import Facts, Profile
from fcc.settings.routing import Router
from tests.conftest import KEY, Ask, app_of, profile_of
from tests.grammar import content, read
from tests.scripted import ASKED, DONE, Scripted, call, chunk, data, text, usage

TOOL = {"name": "Read", "description": "d", "input_schema": {"type": "object", "properties": {}}}


async def post(client: Any, path: str = "/v1/messages", **fields: Any) -> tuple[int, Any]:
    response = await client.post(path, json={**ASKED, **fields})
    return response.status, await response.json()


# Messages.


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages?beta=true", "/v1/v1/messages"])
async def test_a_message_is_answered(connect: Ask, path: str) -> None:
    client = await connect(backend=Scripted([*text("hi", " there")[:-1], usage(10, 2), DONE]))
    status, message = await post(client, path)
    assert status == 200
    assert message["id"].startswith("msg_")
    assert message["content"] == [{"type": "text", "text": "hi there"}]
    assert message["model"] == ASKED["model"]
    assert message["stop_reason"] == "end_turn"
    assert message["stop_sequence"] is None
    assert (message["usage"]["input_tokens"], message["usage"]["output_tokens"]) == (10, 2)


@pytest.mark.parametrize("fields", [{}, {"stream": False}, {"stream": None}])
async def test_an_answer_is_whole_unless_a_stream_was_asked_for(connect: Ask, fields: Any) -> None:
    client = await connect(backend=Scripted(text("hi")))
    response = await client.post("/v1/messages", json={**ASKED, **fields})
    assert response.content_type == "application/json"
    assert response.headers["request-id"].startswith("req_")


async def test_stream_and_create_agree(connect: Ask) -> None:
    steps = [chunk(reasoning="hm"), chunk(content="a\u2028b"), call("{}", name="Read", id="c1"),
             chunk("tool_calls"), usage(9, 4, cached=3), DONE]  # fmt: skip
    client = await connect(backend=Scripted(steps))
    _, message = await post(client, tools=[TOOL])
    response = await client.post("/v1/messages", json={**ASKED, "stream": True, "tools": [TOOL]})
    seen = read(await response.read())
    assert message["stop_reason"] == seen.stop_reason == "tool_use"
    assert message["usage"] == seen.usage
    whole = [
        (b["type"], b.get("text") or b.get("thinking") or b.get("name")) for b in message["content"]
    ]
    assert whole == [
        (b["type"], b.get("text") or b.get("thinking") or b.get("name")) for b in content(seen)
    ]
    assert [b["type"] for b in message["content"]] == ["thinking", "text", "tool_use"]


async def test_the_body_that_goes_up_is_a_streamed_chat_completion(connect: Ask) -> None:
    backend = Scripted(text("hi"))
    await post(await connect(backend=backend), system="Be terse.", tools=[TOOL])
    (body,) = backend.bodies
    assert body["model"] == "m"
    assert body["stream"] is True
    assert body["messages"][0] == {"role": "system", "content": "Be terse."}
    assert body["tools"][0]["function"]["name"] == "Read"


async def test_the_whole_way_to_a_real_server_and_back(connect: Ask, upstream: Any) -> None:
    keys: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        keys.append(request.headers["Authorization"])
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for raw in text("over ", "the wire"):
            await response.write(raw)
        return response

    client = await connect(app_of(profile_of(base_url=await upstream(answer))))
    _, message = await post(client)
    assert message["content"][0]["text"] == "over the wire"
    assert keys == [f"Bearer {KEY}"]


async def test_a_real_servers_refusal_is_told(connect: Ask, upstream: Any) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        return web.json_response({"error": {"message": "no such thing"}}, status=400)

    status, body = await post(await connect(app_of(profile_of(base_url=await upstream(answer)))))
    assert (status, body["error"]["type"]) == (400, "invalid_request_error")
    assert "no such thing" in body["error"]["message"]


async def test_a_local_answer_needs_no_provider_and_streams_if_asked(connect: Ask) -> None:
    backend = Scripted(RefusedKeyError("nobody asks"))
    client = await connect(backend=backend)
    asked = {**ASKED, "max_tokens": 1, "messages": [{"role": "user", "content": "quota"}]}
    status, message = await post(client, **asked)
    assert (status, message["content"][0]["text"]) == (200, "ok")
    response = await client.post("/v1/messages", json={**asked, "stream": True})
    assert response.content_type == "text/event-stream"
    assert read(await response.read()).ended
    assert backend.bodies == []


async def test_a_missing_key_is_told_with_what_to_do(connect: Ask) -> None:
    client = await connect(app_of(environ={}))
    status, body = await post(client)
    assert (status, body["error"]["type"]) == (401, "authentication_error")
    assert "TEST_KEY" in body["error"]["message"]


async def test_a_model_that_nothing_maps_is_not_found(connect: Ask) -> None:
    client = await connect(app_of(profile_of(default_model="")))
    status, body = await post(client)
    assert (status, body["error"]["type"]) == (404, "not_found_error")


async def test_a_provider_that_is_named_with_the_model_is_asked(
    connect: Ask, tmp_path: Path
) -> None:
    (tmp_path / "other.toml").write_text('title = "Other"\nbase_url = "http://127.0.0.1:9/v1"')
    client = await connect(await asyncio.to_thread(app_of, folder=tmp_path))
    status, body = await post(client, model="other/their-model")
    assert status == 502
    assert "Other (their-model)" in body["error"]["message"]


# What is refused.


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"nonsense", b"[]", b"5", b'{"model":"m"}', b'{"messages":[]}',
        b'{"model":"m","messages":[]}', b'{"model":"m","messages":"x"}',
        b'{"model":"m","messages":[{"role":"nobody","content":"x"}]}',
        b'{"model":5,"messages":[{"role":"user","content":"x"}]}', b"\xff\xfe", b"[" * 100_000,
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
async def test_a_body_that_is_no_request_is_refused(connect: Ask, path: str, raw: bytes) -> None:
    client = await connect(backend=Scripted(text("hi")))
    response = await client.post(path, data=raw)
    body = await response.json()
    assert (response.status, body["type"]) == (400, "error")
    assert body["error"]["type"] == "invalid_request_error"
    assert body["error"]["message"].endswith(f"(request_id={response.headers['request-id']})")
    assert "x-should-retry" not in response.headers


async def test_a_thread_is_refused_with_the_code_that_sdks_act_on(connect: Ask) -> None:
    status, body = await post(await connect(), thread={"id": "x"})
    assert status == 400
    assert body["error"]["details"]["error_code"] == "thread_unsupported_request"


SMALL = Config(server=ServerOptions(max_body_bytes=2048))


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/count_tokens"])
async def test_a_body_over_the_limit_is_refused(connect: Ask, path: str, chunked: bool) -> None:
    client = await connect(app_of(config=SMALL), Scripted(text("hi")))

    async def parts() -> Any:
        for _ in range(5):
            yield b"x" * 1000

    response = await client.post(path, data=parts() if chunked else b"x" * 5000)
    body = await response.json()
    assert (response.status, body["error"]["type"]) == (413, "request_too_large")
    assert "2048" in body["error"]["message"]


async def test_a_body_at_the_limit_is_taken(connect: Ask) -> None:
    client = await connect(app_of(config=SMALL), Scripted(text("hi")))
    body = json.dumps(ASKED).encode()
    response = await client.post("/v1/messages", data=body + b" " * (2048 - len(body)))
    assert response.status == 200


async def test_a_body_of_megabytes_is_taken(connect: Ask) -> None:
    backend = Scripted(text("hi"))
    client = await connect(backend=backend)
    asked = {**ASKED, "messages": [{"role": "user", "content": "word " * 1_000_000}]}
    response = await client.post("/v1/messages", data=io.BytesIO(json.dumps(asked).encode()))
    assert response.status == 200


@pytest.mark.parametrize(
    ("head", "body"),
    [
        (b"Transfer-Encoding: chunked", b"zz\r\nx\r\n0\r\n\r\n"),
        (b"Content-Encoding: gzip\r\nContent-Length: 4", b"nope"),
    ],
)
async def test_a_body_that_http_cannot_read_is_the_clients_mistake(
    connect: Ask, logged: list[str], head: bytes, body: bytes
) -> None:
    client = await connect(backend=Scripted(text("hi")))
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(b"POST /v1/messages HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n" + body)
    status = await reader.readline()
    writer.close()
    assert b" 400 " in status
    assert "a bug in fcc" not in "".join(logged)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"), ("POST", "/v1/message"), ("GET", "/v1"), ("POST", "/v1/complete"),
        ("GET", "/v2/models"), ("DELETE", "/x/y"), ("GET", "/v1/messages/batches"),
    ],
)  # fmt: skip
async def test_a_path_that_is_not_here_is_not_found(connect: Ask, method: str, path: str) -> None:
    response = await (await connect()).request(method, path)
    body = await response.json()
    assert (response.status, body["error"]["type"]) == (404, "not_found_error")
    assert path in body["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/messages", "POST"), ("PUT", "/v1/messages", "POST"), ("DELETE", "/v1/models", "GET"),
        ("POST", "/v1/models", "GET"), ("GET", "/v1/messages/count_tokens", "POST"),
        ("POST", "/health", "GET"), ("POST", "/", "GET"), ("GET", "/v1/v1/messages", "POST"),
    ],
)  # fmt: skip
async def test_a_method_that_a_path_does_not_take_is_told(
    connect: Ask, method: str, path: str, allowed: str
) -> None:
    response = await (await connect()).request(method, path)
    body = await response.json()
    assert (response.status, body["error"]["type"]) == (405, "invalid_request_error")
    assert allowed in body["error"]["message"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("HEAD", "/"), ("HEAD", "/api/hello"), ("GET", "/api/hello"), ("HEAD", "/v1/messages"),
        ("OPTIONS", "/v1/messages"), ("HEAD", "/v1/messages/count_tokens"), ("OPTIONS", "/v1/models"),
        ("OPTIONS", "/"), ("OPTIONS", "/anything/at/all"), ("HEAD", "/health"), ("HEAD", "/v1/models"),
    ],
)  # fmt: skip
async def test_a_probe_is_answered(connect: Ask, method: str, path: str) -> None:
    app = app_of(profile_of(embedded=True, base_url=""))
    response = await (await connect(app)).request(method, path)
    assert response.status in (200, 204)
    assert await response.read() == b"" or method == "GET"


async def test_a_bug_is_told_as_one_and_logged(connect: Ask, logged: list[str]) -> None:
    backend = Scripted([chunk(content="x")])
    client = await connect(backend=backend)
    client.app[GATEWAY].router = None
    status, body = await post(client)
    assert (status, body["error"]["type"]) == (500, "api_error")
    assert "bug" in body["error"]["message"]
    assert "AttributeError" in "".join(logged)


# count_tokens.


async def count(client: Any, **fields: Any) -> int:
    asked = {key: value for key, value in ASKED.items() if key != "max_tokens"}
    response = await client.post("/v1/messages/count_tokens", json={**asked, **fields})
    body = await response.json()
    assert response.status == 200
    assert set(body) == {"input_tokens"}
    return body["input_tokens"]


async def test_every_part_of_a_request_counts(connect: Ask) -> None:
    client = await connect()
    bare = await count(client)
    thinking = {"type": "thinking", "thinking": "long thoughts " * 20, "signature": "s"}
    turns = [ASKED["messages"][0], {"role": "assistant", "content": [{"type": "text", "text": "x"}]},
             ASKED["messages"][0]]  # fmt: skip
    talk = await count(client, messages=turns)
    turns[1] = {"role": "assistant", "content": [thinking, {"type": "text", "text": "x"}]}
    assert bare >= 1
    assert await count(client, system="Be terse, be kind.") > bare
    assert await count(client, tools=[TOOL]) > bare
    assert talk > bare
    assert await count(client, messages=turns) > talk
    assert await count(client, tools=[]) == bare
    assert await count(client, messages=[{"role": "user", "content": "<|endoftext|>"}]) >= 1


async def test_counts_learn_from_what_providers_report(connect: Ask) -> None:
    client = await connect(backend=Scripted([*text("hi")[:-1], usage(1000, 1), DONE]))
    before = await count(client)
    for _ in range(8):
        await post(client)
    assert before < await count(client) <= 2 * before + 1


async def test_a_session_counts_as_its_provider_has_counted(connect: Ask) -> None:
    client = await connect(backend=Scripted([*text("hi")[:-1], usage(1500, 1), DONE]))
    client.session.headers["x-claude-code-session-id"] = "s"
    system = "Be terse, be kind. " * 200
    before = await count(client, system=system)
    assert abs(before - 1500) > 100
    await post(client, system=system)
    assert abs(await count(client, system=system) - 1500) < 20


async def test_counting_many_at_once_is_no_request_to_the_provider(connect: Ask) -> None:
    backend = Scripted(text("hi"))
    client = await connect(backend=backend)
    assert len(set(await asyncio.gather(*(count(client) for _ in range(25))))) == 1
    assert backend.bodies == []


# Models.


MODELED = profile_of(
    embedded=True,
    base_url="",
    models={"claude-*haiku*": "small", "claude-*": "big"},
    facts={"big": Facts(context_window=5000)},
)


async def listed(client: Any, query: str = "") -> Any:
    response = await client.get(f"/v1/models{query}")
    assert response.status == 200
    return await response.json()


async def test_each_family_is_listed_with_where_it_goes(connect: Ask) -> None:
    got = await listed(await connect(app_of(MODELED)), "?limit=1000")
    ids = [model["id"] for model in got["data"]]
    assert ids == ["claude-opus", "claude-sonnet", "claude-haiku", "claude-fable"]
    assert got["data"][0]["display_name"] == "Opus (test/big)"
    assert got["data"][0]["max_input_tokens"] == 5000
    assert "max_input_tokens" not in got["data"][2]
    assert (got["first_id"], got["last_id"], got["has_more"]) == (ids[0], ids[-1], False)
    for model in got["data"]:
        assert model["type"] == "model"
        assert isinstance(model["display_name"], str)
        assert model["created_at"].endswith("Z")


async def test_the_providers_models_are_listed_under_names_that_routing_knows(
    connect: Ask, upstream: Any
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        assert request.path == "/v1/models"
        return web.json_response({"data": [{"id": "vendor/x", "context_length": 99}, {"id": "y"}]})

    profile = profile_of(base_url=await upstream(answer), default_model="y")
    client = await connect(app_of(profile))
    got = await listed(client, "?limit=1000")
    rows = {model["id"]: model for model in got["data"]}
    assert rows["anthropic/test/vendor/x"]["max_input_tokens"] == 99
    assert rows["anthropic/test/y"]["display_name"] == "test/y"
    assert all("claude" in id or "anthropic" in id for id in rows)


async def test_models_come_in_pages(connect: Ask) -> None:
    client = await connect(app_of(MODELED))
    everything = [m["id"] for m in (await listed(client))["data"]]
    seen: list[str] = []
    query = "?limit=3"
    while True:
        page = await listed(client, query)
        seen += [model["id"] for model in page["data"]]
        if not page["has_more"]:
            break
        query = f"?limit=3&after_id={page['last_id']}"
    assert seen == everything
    back = await listed(client, f"?limit=2&before_id={everything[3]}")
    assert [m["id"] for m in back["data"]] == everything[1:3]
    assert back["has_more"]
    nothing = await listed(client, "?after_id=unknown")
    assert (nothing["data"], nothing["first_id"], nothing["last_id"]) == ([], None, None)
    assert (await listed(client, "?before_id=unknown"))["data"] == []


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1.5"])
async def test_a_page_of_an_impossible_size_is_refused(connect: Ask, limit: str) -> None:
    response = await (await connect(app_of(MODELED))).get(f"/v1/models?limit={limit}")
    assert response.status == 400
    assert (await response.json())["error"]["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("claude-opus", "Opus (test/big)"), ("claude-opus-5-5", "test/big"),
        ("anthropic/test/any", "test/any"), ("vendor/x", "test/vendor/x"),
    ],
)  # fmt: skip
async def test_one_model_is_told(connect: Ask, tmp_path: Path, asked: str, shown: str) -> None:
    (tmp_path / "test.toml").touch()
    profile = structs.replace(MODELED, default_model="")
    app = await asyncio.to_thread(app_of, profile, folder=tmp_path)
    response = await (await connect(app)).get(f"/v1/models/{asked}")
    body = await response.json()
    assert (response.status, body["id"], body["display_name"]) == (200, asked, shown)


async def test_a_model_that_nobody_knows_is_not_found(connect: Ask) -> None:
    response = await (await connect(app_of(MODELED))).get("/v1/models/gpt-4")
    body = await response.json()
    assert (response.status, body["error"]["type"]) == (404, "not_found_error")


# The rest.


async def test_health_tells_how_busy_it_is(connect: Ask) -> None:
    go = asyncio.Event()
    backend = Scripted([chunk(content="x"), go, chunk("stop"), DONE])
    client = await connect(backend=backend)
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    busy = await (await client.get("/health")).json()
    go.set()
    await response.read()
    calm = await (await client.get("/health")).json()
    assert (busy["status"], busy["provider"], busy["open_requests"]) == ("ok", "test", 1)
    assert (calm["open_requests"], calm["open_http_requests"]) == (0, 0)
    assert calm["served_http_requests"] == busy["served_http_requests"] + 2
    assert busy["uptime_seconds"] >= 0
    assert isinstance(busy["version"], str)


async def test_a_person_who_opens_the_address_is_told_what_it_is(connect: Ask) -> None:
    response = await (await connect(app_of(MODELED))).get("/")
    said = await response.text()
    assert "Claude Code on Test" in said
    assert "haiku    -> test/small" in said
    assert "/v1/messages" in said


DEMO = Profile(name="demo", title="fcc demo", embedded=True, default_model="demo")
BASH = {"name": "Bash", "description": "d",
        "input_schema": {"type": "object", "properties": {"command": {"type": "string"}}}}  # fmt: skip


async def test_the_demo_answers_calls_a_tool_and_reads_its_result(connect: Ask) -> None:
    client = await connect(app_of(DEMO))
    turns: list[Any] = [{"role": "user", "content": "please use a tool"}]
    status, message = await post(client, messages=turns, tools=[BASH])
    assert (status, message["stop_reason"]) == (200, "tool_use")
    (use,) = [block for block in message["content"] if block["type"] == "tool_use"]
    assert use["name"] == "Bash"
    assert "echo" in use["input"]["command"]
    turns += [
        {"role": "assistant", "content": message["content"]},
        {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": use["id"], "content": "fcc works"}]},
    ]  # fmt: skip
    status, message = await post(client, messages=turns, tools=[BASH])
    assert message["stop_reason"] == "end_turn"
    assert "fcc works" in message["content"][-1]["text"]


async def test_the_demo_streams(connect: Ask) -> None:
    client = await connect(app_of(DEMO))
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    seen = read(await response.read())
    assert [block["type"] for block in content(seen)] == ["thinking", "text"]
    assert "'hello'" in content(seen)[1]["text"]
    assert seen.usage["output_tokens"] > 5


async def test_an_answer_that_is_json_in_the_place_of_a_stream_is_converted(connect: Ask) -> None:
    whole = {"choices": [{"message": {"content": "all of it"}, "finish_reason": "stop"}],
             "usage": {"prompt_tokens": 4, "completion_tokens": 2}}  # fmt: skip
    client = await connect(backend=Scripted([data(whole).removeprefix(b"data: ")]))
    status, message = await post(client)
    assert (status, message["content"][0]["text"]) == (200, "all of it")
    assert message["usage"]["input_tokens"] == 4


async def test_a_client_that_leaves_in_the_middle_of_a_write_is_no_bug(
    connect: Ask, logged: list[str]
) -> None:
    go = asyncio.Event()
    backend = Scripted(
        [chunk(content="first"), go, *(chunk(content="x" * 1000) for _ in range(50))]
    )
    client = await connect(backend=backend)
    reader, writer = await asyncio.open_connection(client.host, client.port)
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    body = json.dumps({**ASKED, "stream": True}).encode()
    head = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    writer.write(head + body)
    await reader.readuntil(b"first")
    # The provider's next words come before the loop has heard that the client is gone.
    writer.transport.abort()
    go.set()
    await backend.closed.wait()
    while not logged:
        await asyncio.sleep(0)
    assert "a bug in fcc" not in "".join(logged)
    assert "499" in logged[0]


async def test_another_configuration_keeps_what_is_known_of_a_provider_that_stays(
    connect: Ask,
) -> None:
    client = await connect(app_of(), Scripted(text("hi")))
    gateway = client.app[GATEWAY]
    before = gateway.lane(gateway.router.default)
    for profile, environ, kept in (
        (profile_of(), {"TEST_KEY": KEY}, True),
        (profile_of(title="Changed"), {"TEST_KEY": KEY}, False),
        (profile_of(title="Changed"), {"TEST_KEY": "another"}, False),
    ):
        router = Router(Providers(Path("/nowhere")), profile)
        gateway.replace(gateway.config, router, Keys(environ, Path("/nowhere/fcc.env")))
        after = gateway.lane(gateway.router.default)
        assert (after is before) is kept
        before = after


async def test_a_request_from_before_another_configuration_brings_nothing_of_the_old_back(
    connect: Ask,
) -> None:
    client = await connect(app_of())
    gateway = client.app[GATEWAY]
    old, new = gateway.router.default, profile_of(title="Changed")
    gateway.replace(gateway.config, Router(Providers(Path("/nowhere")), new), gateway.keys)
    assert gateway.lane(old).profile == old
    assert gateway.lane(new).profile == new


async def test_an_answer_that_a_stopping_daemon_ends_keeps_its_text(connect: Ask) -> None:
    client = await connect(backend=Scripted([chunk(content="half"), asyncio.Event()]))
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    raw = await response.content.readuntil(b"half")
    client.app[GATEWAY].end_all()
    seen = read(raw + await response.content.read())
    assert content(seen) == [{"type": "text", "text": "half"}]
    assert seen.error is not None
    assert seen.error["type"] == "overloaded_error"
