"""What the tests share: the app on a scripted backend or before a real upstream server."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from aioresponses import aioresponses
from blockbuster import blockbuster_ctx
from hypothesis import settings
from loguru import logger

from fcc.server.app import new_app
from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.limits import Retry
from fcc.settings.profile import Profile
from fcc.settings.routing import Router
from tests.scripted import Scripted

KEY = "sk-secret-of-the-provider"

AT_ONCE = Retry(base=0.0)
"""Attempts without a pause."""

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

Client = TestClient[web.Request, web.Application]
NewApp = Callable[..., web.Application]
Ask = Callable[..., Awaitable[Client]]


def profile_of(**fields: Any) -> Profile:
    """A provider's profile that needs no network."""
    defaults = {
        "name": "test",
        "title": "Test",
        "base_url": "http://127.0.0.1:9/v1",
        "default_model": "m",
        "api_key_env": "TEST_KEY",
        "retry": AT_ONCE,
    }
    return Profile(**(defaults | fields))


def app_of(
    profile: Profile | None = None,
    config: Config | None = None,
    environ: dict[str, str] | None = None,
    folder: Path | None = None,
) -> web.Application:
    """The application for one provider; it reads no file but those of `folder`."""
    profile, config = profile or profile_of(), config or Config()
    keys = Keys({"TEST_KEY": KEY} if environ is None else environ, Path("/nowhere/fcc.env"))
    providers = Providers(folder or Path("/nowhere"))
    return new_app(config, Router(providers, profile, config.models, routes=config.routes), keys)


def scripted(app: web.Application, backend: Scripted) -> Scripted:
    """Let `backend` answer in the place of the started app's default provider."""
    gateway = app[GATEWAY]
    for door in gateway.lane(gateway.router.default).doors:
        door.backend = backend
    return backend


@pytest.fixture
async def connect() -> AsyncIterator[Ask]:
    """`await connect(app, backend)`: a client of the app, which answers by the backend's script."""
    clients: list[Client] = []

    async def connect(
        app: web.Application | None = None, backend: Scripted | None = None
    ) -> Client:
        server = TestServer(app or app_of())
        client = TestClient(server, timeout=aiohttp.ClientTimeout(total=30))
        clients.append(client)
        await client.start_server()
        if backend is not None:
            scripted(server.app, backend)
        return client

    yield connect
    for client in clients:
        await client.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Callable[..., Awaitable[str]]]:
    """`await upstream(handler)`: the base URL of a real server whose POSTs it answers."""
    servers: list[TestServer] = []

    async def upstream(
        answer: Callable[[web.Request], Awaitable[web.StreamResponse]], **options: Any
    ) -> str:
        app = web.Application(client_max_size=2**30)
        app.router.add_route("*", "/v1/{path:.*}", answer)
        server = TestServer(app, **options)
        servers.append(server)
        await server.start_server()
        return str(server.make_url("/v1"))

    yield upstream
    for server in servers:
        await server.close()


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """A call in fcc that blocks the event loop fails the test, where the app runs in it."""
    if not {"connect", "upstream", "unblocked"} & set(request.fixturenames):
        yield
        return
    with blockbuster_ctx("fcc") as blockbuster:
        for function in blockbuster.functions.values():
            # What is read before the daemon listens.
            function.can_block_in("fcc/settings/keys.py", "read_env_file")
            function.can_block_in("fcc/settings/files.py", "__init__")
            # A traceback is worth the pause.
            function.can_block_in("linecache.py", {"checkcache", "updatecache"})
            function.can_block_in("loguru/_better_exceptions.py", "_is_file_mine")
            # A tracer's own lock.
            function.can_block_in("coverage/collector.py", "lock_data")
        yield


@pytest.fixture
def unblocked() -> None:
    """For tests that run the app by themselves."""


class _Response(aiohttp.ClientResponse):
    """aioresponses 0.7.9 does not know an argument that aiohttp 3.14 needs (aioresponses#289)."""

    def __init__(self, *args: Any, **fields: Any) -> None:
        fields.setdefault("stream_writer", Mock(output_size=0))
        super().__init__(*args, **fields)


class Mocked(aioresponses):
    """aioresponses whose answers aiohttp 3.14 takes."""

    def add(self, url: Any, *args: Any, **fields: Any) -> None:
        fields.setdefault("response_class", _Response)
        super().add(url, *args, **fields)


@pytest.fixture
def mocked() -> Iterator[Mocked]:
    """aiohttp's client without a network."""
    with Mocked() as mocked:
        yield mocked


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """The lines logged at the default level, with their tracebacks."""
    lines: list[str] = []
    sink = logger.add(lines.append, level="INFO", format="{level} {message}\n{exception}")
    yield lines
    logger.remove(sink)
