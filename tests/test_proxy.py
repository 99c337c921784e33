"""The environment's proxy, as aiohttp is told it."""

import asyncio

import pytest
from yarl import URL

from fcc.diagnosis.verdict import Source
from fcc.errors import RefusedModelError
from fcc.upstream.backend import ChatBackend, new_session
from fcc.upstream.proxy import proxy_for
from tests.conftest import profile_of


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_without_one_there_is_none() -> None:
    assert proxy_for("https://api.test/v1") is None


def test_each_scheme_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.test:3128")
    assert proxy_for("https://api.test/v1") == URL("http://proxy.test:3128")
    assert proxy_for("http://api.test/v1") is None


def test_a_host_can_be_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "proxy.test:3128")
    monkeypatch.setenv("NO_PROXY", "api.test")
    assert proxy_for("https://api.test/v1") is None
    assert proxy_for("https://other.test/v1") == URL("http://proxy.test:3128")


async def test_a_proxy_is_asked_with_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        monkeypatch.setenv("HTTP_PROXY", f"http://me:secret@127.0.0.1:{port}")
        profile = profile_of(base_url="http://api.test/v1")
        async with new_session() as session:
            with pytest.raises(RefusedModelError):
                async with ChatBackend(session, profile, "key").post(b"{}", Source("P", "m")):
                    raise AssertionError
    assert heads[0].startswith(b"POST http://api.test/v1/chat/completions ")
    assert b"Proxy-Authorization: Basic bWU6c2VjcmV0" in heads[0]
    assert b"Authorization: Bearer key" in heads[0]


def test_what_is_no_url_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://[")
    assert proxy_for("http://[bad") is None
    assert proxy_for("http://api.test") is None
