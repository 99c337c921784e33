"""What the recorder has of real requests: of an error, a cut, a fallback, a whole answer, secrets."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from loguru import logger

from fcc.cli.bug import contents
from fcc.errors import CutError, OverloadedError, UpstreamServerError
from fcc.observe.shelf import Shelf
from fcc.server.app import new_app
from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.limits import Retry
from fcc.settings.recorder import RecorderOptions
from fcc.settings.routing import Router
from tests.conftest import KEY, Ask, Client, app_of, profile_of, scripted
from tests.planted import planted
from tests.scripted import ASKED, CLAUDE_CODE, DONE, Scripted, chunk, text

ON = Config(recorder=RecorderOptions(bodies=True))


async def ask(client: Client, headers: Any = None, **fields: Any) -> bytes:
    response = await client.post("/v1/messages", json={**ASKED, **fields}, headers=headers)
    return await response.read()


async def last(client: Client) -> dict[str, Any]:
    response = await client.get("/fcc/traces/last")
    assert response.status == 200
    return await response.json()


@pytest.fixture
def all_logged() -> Iterator[list[str]]:
    lines: list[str] = []
    sink = logger.add(lines.append, level="TRACE", format="{message}\n{exception}")
    yield lines
    logger.remove(sink)


async def test_a_streamed_answer_is_recorded_byte_for_byte(connect: Ask) -> None:
    script = text("a", "b")
    client = await connect(app_of(config=ON), Scripted(script))
    sent = await ask(client, stream=True)
    trace = await last(client)
    assert json.loads(trace["body"]["text"]) == {**ASKED, "stream": True}
    assert (trace["sent"]["data"]["text"].encode(), trace["sent_bytes"] >= len(sent)) == (
        sent,
        True,
    )
    (attempt,) = trace["attempts"]
    assert attempt["received"]["data"]["text"].encode() == b"".join(script)
    assert [size for _, size in attempt["received"]["reads"]] == [len(raw) for raw in script]
    assert json.loads(attempt["body"]["text"])["messages"]
    assert trace["outcome"]["outcome"] == "end_turn"


async def test_a_whole_answer_is_recorded_too(connect: Ask) -> None:
    client = await connect(app_of(config=ON), Scripted(text("a")))
    sent = await ask(client, stream=False)
    trace = await last(client)
    assert trace["sent"]["data"]["text"].encode() == sent
    assert trace["sent_bytes"] == len(sent)
    assert trace["attempts"][0]["received"]["data"]["text"].endswith("[DONE]\n\n")


async def test_with_the_recorder_as_it_is_by_itself_facts_are_kept_alone(connect: Ask) -> None:
    client = await connect(app_of(), Scripted(text("word")))
    await ask(client, stream=True, system="a prompt")
    raw = await (await client.get("/fcc/traces/last")).text()
    trace = json.loads(raw)
    assert "prompt" not in raw
    assert "word" not in raw
    assert trace["body_bytes"] > 50
    assert trace["sent_bytes"] > 50
    assert trace["attempts"][0]["body_bytes"] > 50
    assert "received" not in trace["attempts"][0]


def app_of_two(folder: Path) -> web.Application:
    for name in ("one", "other"):
        (folder / f"{name}.toml").write_text(
            'base_url = "http://127.0.0.1:9/v1"\n[retry]\nattempts = 1\n'
        )
    providers = Providers(folder)
    config = Config(recorder=ON.recorder, fallback={"*": ["other/second"]})
    router = Router(providers, providers.get("one"), {"*": "first"}, fallback=config.fallback)
    return new_app(config, router, Keys({}, folder / "no.env"))


async def test_a_fallback_is_two_attempts_each_with_its_own_body(
    connect: Ask, tmp_path: Path
) -> None:
    app = await asyncio.to_thread(app_of_two, tmp_path)
    client = await connect(app)
    gateway = app[GATEWAY]
    for name, backend in (
        ("one", Scripted([chunk(role="assistant"), CutError("gone")])),
        ("other", Scripted(text("from the other"))),
    ):
        gateway.lane(gateway.router.profile(name)).doors[0].backend = backend
    await ask(client, stream=True)
    trace = await last(client)
    first, second = trace["attempts"]
    assert (first["provider"], first["model"], first["error"]) == ("one", "first", "gone")
    assert (second["provider"], second["model"]) == ("other", "second")
    assert json.loads(first["body"]["text"])["model"] == "first"
    assert json.loads(second["body"]["text"])["model"] == "second"
    assert "from the other" in second["received"]["data"]["text"]
    assert trace["outcome"]["fallbacks"] == ["one/first 502 api_error"]


@pytest.mark.parametrize("stream", [True, False])
async def test_a_retry_is_two_attempts_of_which_the_first_tells_why(
    connect: Ask, stream: bool
) -> None:
    client = await connect(app_of(config=ON), Scripted(OverloadedError("full"), text("well")))
    await ask(client, stream=stream)
    first, second = (await last(client))["attempts"]
    assert (first["error"], first["error_type"]) == ("full", "overloaded_error")
    assert "error" not in second
    assert first["ended"] <= second["ended"]


async def test_a_cut_is_recorded_with_all_that_came(connect: Ask) -> None:
    client = await connect(app_of(config=ON), Scripted([chunk(content="half"), CutError("gone")]))
    await ask(client, stream=True)
    trace = await last(client)
    assert trace["attempts"][-1]["received"]["data"]["text"].encode() == chunk(content="half")
    assert trace["attempts"][-1]["error"].startswith("gone")
    assert "event: error" in trace["sent"]["data"]["text"]
    assert trace["outcome"]["outcome"] == "api_error"


async def test_a_refusal_is_recorded_with_status_headers_and_body(
    connect: Ask, upstream: Any
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(
            status=401, text=json.dumps({"error": {"message": f"bad {KEY}"}}),
            headers={"X-Request-Id": "r7", "Set-Cookie": "a=b1234567"},
        )  # fmt: skip

    profile = profile_of(base_url=await upstream(answer), headers={"X-Gateway": "words in it"})
    client = await connect(app_of(profile, ON))
    sent = await ask(client, CLAUDE_CODE)
    raw = await (await client.get("/fcc/traces/last")).text()
    (attempt,) = json.loads(raw)["attempts"]
    assert attempt["status"] == 401
    assert json.loads(attempt["received"]["data"]["text"]) == {"error": {"message": "bad sk-***"}}
    headers = dict(attempt["response_headers"])
    assert (headers["x-request-id"], headers["set-cookie"]) == ("r7", "***")
    asked = dict(attempt["headers"])
    assert (asked["authorization"], asked["x-gateway"]) == ("Bearer ***", "***")
    assert attempt["url"].endswith("/v1/chat/completions")
    assert KEY not in raw
    assert "words in it" not in raw
    assert json.loads(raw)["sent"]["data"]["text"].encode() == sent


async def test_a_request_that_means_nothing_is_recorded_with_its_error(connect: Ask) -> None:
    client = await connect(app_of(config=ON))
    await client.post("/v1/messages", data=b'{"model":')
    trace = await last(client)
    assert trace["body"]["text"] == '{"model":'
    assert trace["outcome"]["status"] == 400
    assert "attempts" not in trace


async def test_a_client_that_leaves_leaves_a_trace(connect: Ask) -> None:
    hold = asyncio.Event()
    backend = Scripted([chunk(content="a"), hold])
    client = await connect(app_of(config=ON), backend)
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    await response.content.readany()
    response.close()
    await backend.closed.wait()
    await client.server.app[GATEWAY].idle()
    trace = await last(client)
    assert trace["outcome"]["outcome"] == "client_left"
    assert trace["attempts"][0]["received"]["data"]["text"].encode() == chunk(content="a")


async def test_the_list_has_a_line_for_each_and_how_the_recorder_is_set(connect: Ask) -> None:
    client = await connect(app_of(), Scripted(text("a")))
    for _ in range(3):
        await ask(client)
    said = await (await client.get("/fcc/traces")).json()
    assert said["recorder"] == {"keep": 100, "bodies": False, "max_bytes": 33554432}
    assert [line["outcome"] for line in said["traces"]] == ["end_turn"] * 3
    assert {"id", "at", "asked", "provider", "model", "status", "seconds"} <= said["traces"][
        0
    ].keys()


async def test_traces_want_the_token_and_no_foreign_page(connect: Ask) -> None:
    client = await connect(app_of(config=Config(auth_token="the-token")))
    for path in ("/fcc/traces", "/fcc/traces/last"):
        assert (await client.get(path)).status == 401
        foreign = {"Authorization": "Bearer the-token", "Origin": "https://evil.test"}
        assert (await client.get(path, headers=foreign)).status == 403
    response = await client.get("/fcc/traces", headers={"x-api-key": "the-token"})
    assert response.status == 200
    assert response.headers["Cache-Control"] == "no-store"


async def test_an_unknown_trace_is_a_404_in_words(connect: Ask) -> None:
    client = await connect(app_of())
    response = await client.get("/fcc/traces/req_x")
    assert response.status == 404
    assert "there is no trace" in (await response.json())["error"]["message"]


@pytest.mark.parametrize("seed", [11, 12])
async def test_a_hundred_secrets_in_prompts_headers_errors_and_answers_are_in_no_trace(
    connect: Ask, upstream: Any, tmp_path: Path, all_logged: list[str], seed: int
) -> None:
    found = planted(seed)
    assert len(found) >= 100
    answers = iter(found)

    async def answer(request: web.Request) -> web.StreamResponse:
        one = next(answers)
        headers = {"X-Debug": " ".join(one.text.split()), "X-Request-Id": "r1"}
        if found.index(one) % 3 == 0:
            body = json.dumps(
                {"error": {"message": f"refused: {one.text}", "code": one.secrets[0]}}
            )
            return web.Response(status=400, text=body, headers=headers)
        response = web.StreamResponse(headers=headers)
        await response.prepare(request)
        for at in range(0, len(one.text), 7):
            await response.write(chunk(content=one.text[at : at + 7]))
        await response.write(chunk("stop") + DONE)
        return response

    client = await connect(app_of(profile_of(base_url=await upstream(answer)), ON))
    gateway = client.server.app[GATEWAY]
    gateway.recorder.shelf = Shelf(tmp_path)
    for n, one in enumerate(found):
        headers = {
            "X-Note": " ".join(one.text.split()),
            "Authorization": f"Bearer {one.secrets[0]}",
        }
        tool = {"type": "tool_result", "tool_use_id": "toolu_1", "content": one.text}
        turns = [
            {"role": "user", "content": one.text},
            {"role": "assistant", "content": [
                {"type": "tool_use", "id": "toolu_1", "name": "Bash", "input": {"x": one.text}}]},
            {"role": "user", "content": [tool]},
        ]  # fmt: skip
        await ask(client, headers, stream=bool(n % 2), system=one.text, messages=turns)
    gateway.watch.tell()
    await gateway.recorder.settled()
    kept = [path.read_text("utf-8") for path in tmp_path.iterdir()]
    ids = [line["id"] for line in (await (await client.get("/fcc/traces")).json())["traces"]]
    kept += [await (await client.get(f"/fcc/traces/{id}")).text() for id in ids]
    assert len(ids) >= 100
    for id in ids:
        trace = await gateway.recorder.trace(id)
        bundle = await asyncio.to_thread(contents, trace, mask=False)
        kept += [raw.decode("utf-8", "replace") for raw in bundle.values()]
    everything = "\n".join([*kept, *all_logged])
    assert [shown for one in found if (shown := one.shown(everything))] == []


async def test_of_a_profiles_own_headers_only_the_harmless_ones_are_shown(
    connect: Ask, upstream: Any
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response(body=b"".join(text("hi")), content_type="text/event-stream")

    headers = {"X-Team": "abc", "X-Title": "fcc"}
    client = await connect(app_of(profile_of(base_url=await upstream(answer), headers=headers)))
    await ask(client)
    (attempt,) = (await last(client))["attempts"]
    shown = dict(attempt["headers"])
    assert (shown["x-team"], shown["x-title"]) == ("***", "fcc")


async def test_how_much_is_kept_follows_a_reload(connect: Ask) -> None:
    client = await connect(app_of(), Scripted(text("hi")))
    gateway = client.app[GATEWAY]
    for options, kept in (
        (RecorderOptions(keep=1), [False]),
        (RecorderOptions(bodies=True), [False, True]),
    ):
        await ask(client)
        gateway.replace(Config(recorder=options), gateway.router, gateway.keys)
        scripted(client.app, Scripted(text("hi")))
        await ask(client)
        traces = (await (await client.get("/fcc/traces")).json())["traces"]
        assert [one.get("bodies", False) for one in traces] == kept


@pytest.mark.parametrize("bodies", [False, True])
async def test_a_key_that_went_with_a_reload_is_masked_in_answers_that_were_open(
    connect: Ask, bodies: bool
) -> None:
    key, go = "in-words-alone", asyncio.Event()
    failing = [chunk(content=f"my key is {key}"), go, UpstreamServerError(f"{key} is gone")]
    config = Config(recorder=RecorderOptions(bodies=bodies))
    app = app_of(profile_of(retry=Retry(attempts=1)), config, environ={"TEST_KEY": key})
    client = await connect(app, Scripted(failing))
    gateway = app[GATEWAY]
    response = await client.post("/v1/messages", json={**ASKED, "stream": True})
    other = Keys({"TEST_KEY": "another-word"}, Path("/nowhere/fcc.env"))
    gateway.replace(gateway.config, gateway.router, other)
    go.set()
    await response.read()
    trace = await last(client)
    assert trace["attempts"][0]["error"] == "*** is gone"
    assert key not in json.dumps(trace)


async def test_the_daemons_token_is_masked_wherever_a_provider_repeats_it(
    connect: Ask, upstream: Any
) -> None:
    token = "in-words-alone"

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(status=500, text=f"<p>{token} and {KEY}</p>")

    config = Config(recorder=ON.recorder, auth_token=token)
    client = await connect(app_of(profile_of(base_url=await upstream(answer)), config))
    headers = {"x-api-key": token}
    await ask(client, headers, system=f"I know {token}")
    raw = await (await client.get("/fcc/traces/last", headers=headers)).text()
    assert token not in raw
    assert KEY not in raw
