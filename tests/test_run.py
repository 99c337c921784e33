"""The daemon as it runs: a process of its own, with the runner that people have."""

import asyncio
import json
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fcc.errors import ConfigError
from fcc.server.run import Setup, check_bind, open_socket, serve
from fcc.settings.config import Config, ServerOptions
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.routing import Router
from tests.conftest import profile_of
from tests.grammar import content, read
from tests.scripted import ASKED, DONE, chunk, text

ROOT = Path(__file__).parent.parent


def listening_on(host: str, token: str = "") -> Config:
    return Config(auth_token=token, server=ServerOptions(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_may_listen_without_a_token(host: str) -> None:
    check_bind(listening_on(host))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.5", "example.com", ""])
def test_elsewhere_is_refused_without_a_token(host: str) -> None:
    with pytest.raises(ConfigError, match="auth_token"):
        check_bind(listening_on(host))
    check_bind(listening_on(host, "a token"))


def test_a_port_in_use_is_told_with_what_to_do() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use.*--port"):
            open_socket("127.0.0.1", port)


@pytest.mark.parametrize("host", ["nobody.invalid", "203.0.113.1"])
def test_an_address_that_cannot_be_had_is_told(host: str) -> None:
    with pytest.raises(ConfigError, match=f"can't listen on {host}:0"):
        open_socket(host, 0)


@pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")
def test_an_ipv6_address_can_be_listened_on() -> None:
    open_socket("::1", 0).close()


# In this process: its signals are the process's own.


class Running:
    """`serve` as a task, with an answer of the demo's or a scripted provider's in it."""

    def __init__(self, config: Config, reload: Callable[[], Setup] | None = None) -> None:
        self.url = ""
        self._ready = asyncio.Event()
        provider = profile_of(name="demo", embedded=True, base_url="", api_key_env="")
        router = Router(Providers(Path("/nowhere")), provider)
        keys = Keys({}, Path("/nowhere/fcc.env"))
        self.setup = Setup(config, router, keys)
        self.task = asyncio.create_task(serve(config, router, keys, self._tell, reload))

    def _tell(self, url: str) -> None:
        self.url = url
        self._ready.set()

    async def ready(self) -> str:
        async with asyncio.timeout(10):
            await self._ready.wait()
        return self.url

    async def ended(self) -> None:
        async with asyncio.timeout(10):
            await self.task


def anywhere(drain_seconds: float = 30.0, **fields: Any) -> Config:
    return Config(server=ServerOptions(port=0, drain_seconds=drain_seconds), **fields)


async def health(url: str) -> Any:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/health") as response:
        return await response.json()


async def told(logged: list[str], words: str) -> None:
    """Waits for the daemon's own words."""
    async with asyncio.timeout(10):
        while words not in "".join(logged):
            await asyncio.sleep(0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_daemon(logged: list[str], number: signal.Signals) -> None:
    running = Running(anywhere())
    assert (await health(await running.ready()))["status"] == "ok"
    os.kill(os.getpid(), number)
    await running.ended()
    assert "stopping" in logged[-1]


async def test_open_answers_finish_before_the_daemon_ends() -> None:
    running = Running(anywhere())
    url = await running.ready()
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/messages", json={**ASKED, "stream": True}) as response,
    ):
        os.kill(os.getpid(), signal.SIGTERM)
        assert read(await response.read()).ended
    await running.ended()


@pytest.mark.parametrize("stream", [True, False])
async def test_answers_that_are_open_when_the_drain_is_over_say_so(
    logged: list[str], stream: bool
) -> None:
    running = Running(anywhere(drain_seconds=0.01))
    url = await running.ready()
    long = {**ASKED, "messages": [{"role": "user", "content": "word " * 100}], "stream": stream}
    async with aiohttp.ClientSession() as session:
        asked = asyncio.create_task(session.post(f"{url}/v1/messages", json=long))
        if stream:
            await asked
        else:
            async with asyncio.timeout(10):
                while (await health(url))["open_requests"] < 1:
                    pass
        os.kill(os.getpid(), signal.SIGTERM)
        async with await asked as response:
            raw = await response.read()
    error = read(raw).error if stream else json.loads(raw)["error"]
    assert error is not None
    assert stream or response.status >= 500
    await running.ended()
    assert any("ending 1 answers" in line for line in logged)


async def test_a_daemon_takes_a_new_configuration(logged: list[str]) -> None:
    setups: list[Setup] = []
    running = Running(anywhere(), lambda: setups[0])
    url = await running.ready()
    other = profile_of(name="other", embedded=True, base_url="", api_key_env="")
    router = Router(Providers(Path("/nowhere")), other)
    setups.append(Setup(anywhere(auth_token="a-token"), router, running.setup.keys))
    assert (await health(url))["provider"] == "demo"
    os.kill(os.getpid(), signal.SIGHUP)
    await told(logged, "configuration read again; provider other")
    assert (await health(url))["provider"] == "other"
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/v1/messages", json=ASKED) as response,
    ):
        assert response.status == 401
    os.kill(os.getpid(), signal.SIGTERM)
    await running.ended()


async def test_a_configuration_that_cannot_be_used_changes_nothing(logged: list[str]) -> None:
    def reload() -> Setup:
        raise ConfigError("config.toml: a typo")

    running = Running(anywhere(), reload)
    url = await running.ready()
    os.kill(os.getpid(), signal.SIGHUP)
    await told(logged, "the configuration is kept as it was: config.toml: a typo")
    assert (await health(url))["status"] == "ok"
    os.kill(os.getpid(), signal.SIGTERM)
    await running.ended()


async def test_a_daemon_without_a_configuration_to_read_again_says_so(logged: list[str]) -> None:
    running = Running(anywhere())
    await running.ready()
    os.kill(os.getpid(), signal.SIGHUP)
    await told(logged, "nothing to read again")
    os.kill(os.getpid(), signal.SIGTERM)
    await running.ended()


async def test_a_port_in_use_ends_the_start() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        running = Running(Config(server=ServerOptions(port=other.getsockname()[1])))
        with pytest.raises(ConfigError, match="is in use"):
            await running.ended()


# A process of its own: each test needs about a second to start Python and end it.

slow = pytest.mark.slow


class Daemon:
    def __init__(self, process: asyncio.subprocess.Process, url: str, said: list[str]) -> None:
        self.process = process
        self.url = url
        self.said = said

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    async def end(self, within: float) -> int:
        """Its exit code, and all that it said."""
        async with asyncio.timeout(within):
            assert self.process.stdout is not None
            self.said.append((await self.process.stdout.read()).decode())
            code = await self.process.wait()
        assert "Traceback" not in "".join(self.said), "".join(self.said)
        return code


@asynccontextmanager
async def daemon(home: Path, *arguments: str, config: str = "") -> AsyncIterator[Daemon]:
    (home / "config").mkdir()
    (home / "config" / "config.toml").write_text(config)
    environ = {
        "PATH": os.environ["PATH"], "HOME": str(home), "PYTHONPATH": str(ROOT),
        "FCC_CONFIG_DIR": str(home / "config"), "FCC_STATE_DIR": str(home / "state"),
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "fcc", "serve", "--port", "0", *arguments,
        env=environ, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, cwd=home,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        said, url = [], ""
        async with asyncio.timeout(30):
            while not url:
                line = (await process.stdout.readline()).decode()
                assert line, "".join(said)
                said.append(line)
                if "fcc listens on " in line:
                    url = line.split("fcc listens on ")[1].split(",")[0].strip()
        yield Daemon(process, url, said)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


class Provider:
    """A real upstream whose one stream goes on when it is told to."""

    def __init__(self) -> None:
        self.go = asyncio.Event()
        self.closed = asyncio.Event()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(chunk(content="first"))
        try:
            await self.go.wait()
            for raw in (*text(" and last")[:-1], DONE):
                await response.write(raw)
        finally:
            self.closed.set()
        return response


Upstream = Callable[..., Awaitable[str]]


@asynccontextmanager
async def streaming(
    home: Path, upstream: Upstream, config: str = ""
) -> AsyncIterator[tuple[Daemon, Provider, aiohttp.ClientResponse]]:
    """A daemon in the middle of an answer, whose first text the client has."""
    provider = Provider()
    url = await upstream(provider.answer, handler_cancellation=True)
    arguments = ("--provider", "custom", "--base-url", url, "--model", "m")
    async with (
        daemon(home, *arguments, config=config) as running,
        aiohttp.ClientSession() as session,
    ):
        asked = {**ASKED, "stream": True}
        async with session.post(f"{running.url}/v1/messages", json=asked) as response:
            raw = b""
            while b"first" not in raw:
                raw += await response.content.readany()
            response.headers_seen = raw  # type: ignore[attr-defined]
            yield running, provider, response


@slow
async def test_a_client_that_leaves_closes_the_providers_stream_within_a_second(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with streaming(tmp_path, upstream) as (running, provider, response):
        assert not provider.closed.is_set()
        began = time.monotonic()
        response.close()
        async with asyncio.timeout(5):
            await provider.closed.wait()
        assert time.monotonic() - began < 1.0
        running.signal()
        assert await running.end(10) == 0


@slow
async def test_the_first_signal_lets_an_open_answer_finish(
    upstream: Upstream, tmp_path: Path
) -> None:
    async with streaming(tmp_path, upstream) as (running, provider, response):
        running.signal()
        host, port = running.url.removeprefix("http://").split(":")
        async with asyncio.timeout(5):
            while True:
                try:
                    _, writer = await asyncio.open_connection(host, int(port))
                except ConnectionRefusedError:
                    break
                writer.close()
                await asyncio.sleep(0.01)
        assert running.process.returncode is None
        provider.go.set()
        rest = await response.read()
        seen = read(response.headers_seen + rest)  # type: ignore[attr-defined]
        assert seen.ended
        assert content(seen) == [{"type": "text", "text": "first and last"}]
        assert await running.end(10) == 0


@slow
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_the_second_signal_ends_at_once(
    upstream: Upstream, tmp_path: Path, second: signal.Signals
) -> None:
    async with streaming(tmp_path, upstream) as (running, provider, _response):
        running.signal()
        await asyncio.sleep(0.1)
        running.signal(second)
        assert await running.end(5) == 0
        async with asyncio.timeout(5):
            await provider.closed.wait()


@slow
async def test_an_answer_that_is_open_when_the_drain_is_over_is_ended(
    upstream: Upstream, tmp_path: Path
) -> None:
    config = "[server]\ndrain_seconds = 0.2\n"
    async with streaming(tmp_path, upstream, config) as (running, _provider, response):
        running.signal()
        raw = response.headers_seen  # type: ignore[attr-defined]
        try:
            raw += await response.read()
        except aiohttp.ClientPayloadError:
            pass
        else:
            assert read(raw).error is not None, "an end that looks like a whole answer"
        assert await running.end(8) == 0


@slow
async def test_an_idle_daemon_ends_at_once_and_with_0(tmp_path: Path) -> None:
    async with (
        daemon(tmp_path, "--provider", "demo") as running,
        aiohttp.ClientSession() as session,
    ):
        async with session.get(f"{running.url}/health") as response:
            assert (await response.json())["provider"] == "demo"
        # The client keeps its connection open.
        began = time.monotonic()
        running.signal(signal.SIGINT)
        assert await running.end(10) == 0
        assert time.monotonic() - began < 3


@slow
async def test_clients_that_break_off_in_mid_answer_are_no_bug(
    upstream: Upstream, tmp_path: Path
) -> None:
    async def flood(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(600):
            await response.write(chunk(content="x" * 200) * 10)
        return response

    async def leave(url: str) -> None:
        host, port = url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        body = (
            b'{"model":"m","max_tokens":9,"stream":true,"messages":[{"role":"user","content":"x"}]}'
        )
        writer.write(
            b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
            + body
        )
        await reader.read(100_000)
        writer.transport.abort()

    url = await upstream(flood, handler_cancellation=True)
    arguments = ("--provider", "custom", "--base-url", url, "--model", "m")
    async with daemon(tmp_path, *arguments) as running:
        for _ in range(2):
            await asyncio.gather(*(leave(running.url) for _ in range(6)))
        running.signal()
        assert await running.end(20) == 0
        assert "a bug in fcc" not in "".join(running.said)


@slow
async def test_the_daemon_says_what_claude_code_needs(tmp_path: Path) -> None:
    async with daemon(tmp_path, "--provider", "demo") as running:
        running.signal()
        await running.end(10)
        said = "".join(running.said)
        assert f"export ANTHROPIC_BASE_URL={running.url}" in said
        assert "ANTHROPIC_AUTH_TOKEN" in said
        assert "demo/demo" in said
