"""Asking a provider over HTTP: what is sent, and what every way of failing becomes."""

import asyncio
import json
import os
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from fcc.diagnosis.rates import Rate
from fcc.diagnosis.verdict import Source
from fcc.errors import (
    BadRequestError,
    BillingError,
    CutError,
    OverloadedError,
    PromptTooLongError,
    RateLimitedError,
    RefusedError,
    RefusedKeyError,
    StalledError,
    UnreachableError,
    UpstreamError,
    UpstreamServerError,
)
from fcc.settings.limits import Timeouts
from fcc.settings.profile import Profile
from fcc.upstream.backend import MAX_ERROR_BYTES, ChatBackend, new_session
from tests.conftest import KEY, Mocked, profile_of
from tests.scripted import text

BASE = "http://p/v1"
URL = f"{BASE}/chat/completions"
SOURCE = Source("Provider", "model", "TEST_KEY", BASE)
BODY = b'{"model":"m"}'


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with new_session() as session:
        yield session


async def ask(
    session: aiohttp.ClientSession, profile: Profile | None = None, key: str = KEY
) -> bytes:
    """The whole stream."""
    backend = ChatBackend(session, profile or profile_of(base_url=BASE), key)
    async with backend.post(BODY, SOURCE) as stream:
        raws = []
        while raw := await stream.read():
            raws.append(raw)
        return b"".join(raws)


async def failure(session: aiohttp.ClientSession, profile: Profile | None = None) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await ask(session, profile)
    assert KEY not in caught.value.message
    return caught.value


# What is sent.


async def test_the_bytes_of_the_body_and_the_key_are_sent(
    mocked: Mocked, session: aiohttp.ClientSession
) -> None:
    mocked.post(URL, body=b"data: x\n\n", content_type="text/event-stream")
    assert await ask(session) == b"data: x\n\n"
    (request,) = next(iter(mocked.requests.values()))
    headers = request.kwargs["headers"]
    assert request.kwargs["data"] == BODY
    assert headers["Authorization"] == f"Bearer {KEY}"
    assert headers["Content-Type"] == "application/json"
    assert headers["Accept"] == "text/event-stream"
    assert headers["Accept-Encoding"] == "identity"
    assert request.kwargs["allow_redirects"] is False
    assert request.kwargs["timeout"].total is None
    assert request.kwargs["timeout"].sock_connect == Timeouts().connect


async def test_without_a_key_no_authorization_is_sent(
    mocked: Mocked, session: aiohttp.ClientSession
) -> None:
    mocked.post(URL, body=b"")
    await ask(session, key="")
    (request,) = next(iter(mocked.requests.values()))
    assert "Authorization" not in request.kwargs["headers"]


async def test_the_profiles_headers_are_added_and_win(
    mocked: Mocked, session: aiohttp.ClientSession
) -> None:
    mocked.post(URL, body=b"")
    profile = profile_of(base_url=BASE + "/", headers={"X-Title": "t", "Authorization": "Key k"})
    await ask(session, profile)
    (request,) = next(iter(mocked.requests.values()))
    assert request.kwargs["headers"]["X-Title"] == "t"
    assert request.kwargs["headers"]["Authorization"] == "Key k"


# Refusals.


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        (400, BadRequestError, False), (401, RefusedKeyError, False), (402, BillingError, False),
        (403, RefusedError, False), (404, RefusedError, False), (422, BadRequestError, False),
        (429, RateLimitedError, True), (500, UpstreamServerError, True), (503, OverloadedError, True),
        (529, OverloadedError, True), (302, UpstreamError, None), (202, UpstreamError, None),
    ],
)  # fmt: skip
async def test_a_status_becomes_an_error(
    mocked: Mocked, session: aiohttp.ClientSession, status: int, kind: type, retryable: bool | None
) -> None:
    mocked.post(URL, status=status, payload={"error": {"message": "words of the provider"}})
    error = await failure(session)
    assert isinstance(error, kind)
    assert "words of the provider" in error.message
    if retryable is not None:
        assert error.retryable is retryable


async def test_a_providers_wait_is_kept(mocked: Mocked, session: aiohttp.ClientSession) -> None:
    mocked.post(URL, status=429, headers={"Retry-After": "7"}, body="")
    assert (await failure(session)).retry_after == 7


async def test_an_overflow_is_told_so_that_clients_compact(
    mocked: Mocked, session: aiohttp.ClientSession
) -> None:
    words = "This model's maximum context length is 100 tokens. However, you requested 200 tokens"
    mocked.post(URL, status=400, payload={"error": {"message": words}})
    error = await failure(session)
    assert isinstance(error, PromptTooLongError)
    assert error.message.startswith("prompt is too long")


async def test_a_page_is_not_shown_as_it_is(mocked: Mocked, session: aiohttp.ClientSession) -> None:
    mocked.post(
        URL, status=502, body="<html><head><style>x{}</style></head><h1>Bad Gateway</h1></html>"
    )
    error = await failure(session)
    assert "<" not in error.message
    assert error.retryable


async def test_a_key_that_the_provider_repeats_is_not_told(
    mocked: Mocked, session: aiohttp.ClientSession
) -> None:
    mocked.post(
        URL, status=401, payload={"error": {"message": f"Incorrect API key provided: {KEY}."}}
    )
    assert KEY not in (await failure(session)).message


async def test_a_fix_that_the_refusal_names_travels_with_it(
    mocked: Mocked, session: aiohttp.ClientSession
) -> None:
    words = "max_tokens is too large: 128000. This model supports at most 8192 completion tokens"
    mocked.post(URL, status=400, payload={"error": {"message": words}})
    error = await failure(session)
    assert error.fix is not None
    assert error.fix.max_tokens == 8192


# No answer at all.


def key() -> aiohttp.client_reqrep.ConnectionKey:
    return aiohttp.client_reqrep.ConnectionKey("p", 80, False, True, None, None, None)


@pytest.mark.parametrize(
    ("exception", "kind", "retryable", "words"),
    [
        (aiohttp.ClientConnectorError(key(), ConnectionRefusedError(111, "Connection refused")),
         UnreachableError, True, "Connection refused; is it running?"),
        (aiohttp.ClientConnectorDNSError(key(), OSError(-2, "Name or service not known")),
         UnreachableError, True, "no such host"),
        (aiohttp.ClientConnectorSSLError(key(), ssl.SSLError(1, "bad handshake")),
         UnreachableError, False, "TLS failed"),
        (aiohttp.ClientConnectorCertificateError(key(), ssl.CertificateError("self-signed")),
         UnreachableError, False, "SSL_CERT_FILE"),
        (aiohttp.ConnectionTimeoutError(), UnreachableError, True, "no connection in time"),
        (aiohttp.SocketTimeoutError(), StalledError, True, "did not answer in time"),
        (TimeoutError(), StalledError, True, "did not answer in time"),
        (aiohttp.ServerDisconnectedError(), UnreachableError, True, "broke before an answer began"),
        (aiohttp.ClientOSError(104, "Connection reset by peer"), UnreachableError, True, "reset by peer"),
        (ConnectionResetError(104, "Connection reset by peer"), UnreachableError, True, "reset by peer"),
        (aiohttp.ClientPayloadError("x"), UnreachableError, True, "broke before"),
        (aiohttp.InvalidURL("http://"), UnreachableError, False, "base_url is no URL"),
        (ValueError(f"Newline in header 'Bearer {KEY}'"), UnreachableError, None, "broke before"),
    ],
)  # fmt: skip
async def test_every_way_of_not_answering_has_words_of_its_own(
    mocked: Mocked,
    session: aiohttp.ClientSession,
    exception: Exception,
    kind: type,
    retryable: bool | None,
    words: str,
) -> None:
    mocked.post(URL, exception=exception)
    error = await failure(session)
    assert type(error) is kind
    assert words in error.message
    assert "Provider (model)" in error.message
    if retryable is not None:
        assert error.retryable is retryable
    assert error.status == (504 if kind is StalledError else 502)


# Against a real server.


async def test_a_stream_comes_as_it_is_sent(upstream: Any, session: aiohttp.ClientSession) -> None:
    sent: list[dict[str, Any]] = []
    next_part = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        sent.append(
            {"path": request.path, "headers": dict(request.headers), "body": await request.json()}
        )
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for raw in text("a", "b"):
            await response.write(raw)
            await next_part.wait()
            next_part.clear()
        return response

    backend = ChatBackend(session, profile_of(base_url=await upstream(answer)), KEY)
    raws = []
    async with backend.post(BODY, SOURCE) as stream:
        while raw := await stream.read():
            raws.append(raw)
            next_part.set()
    assert raws == text("a", "b")
    assert sent[0]["path"] == "/v1/chat/completions"
    assert sent[0]["body"] == {"model": "m"}
    assert sent[0]["headers"]["User-Agent"] == "fcc"


def streaming(then: Any) -> Any:
    """An upstream that sends a first chunk, and then does `then(request, response)`."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(text("a")[0])
        await then(request, response)
        return response

    return answer


async def cut(request: web.Request, _response: web.StreamResponse) -> None:
    request.transport.close()


async def reset(request: web.Request, _response: web.StreamResponse) -> None:
    raw = request.transport.get_extra_info("socket")
    with socket.socket(fileno=os.dup(raw.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    request.transport.abort()


async def half_close(request: web.Request, _response: web.StreamResponse) -> None:
    request.transport.write_eof()
    await asyncio.Event().wait()


@pytest.mark.parametrize("then", [cut, reset, half_close])
async def test_a_stream_that_breaks_is_a_cut(
    upstream: Any, session: aiohttp.ClientSession, then: Any
) -> None:
    url = await upstream(streaming(then), handler_cancellation=True)
    backend = ChatBackend(session, profile_of(base_url=url), KEY)
    async with backend.post(BODY, SOURCE) as stream:
        assert await stream.read() == text("a")[0]
        with pytest.raises(CutError, match="incomplete") as caught:
            while await stream.read():
                pass
    assert caught.value.retryable


async def test_a_stream_that_falls_silent_is_stalled(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    async def silence(*_args: object) -> None:
        await asyncio.Event().wait()

    url = await upstream(streaming(silence), handler_cancellation=True)
    profile = profile_of(base_url=url, timeouts=Timeouts(read=0.05))
    async with ChatBackend(session, profile, KEY).post(BODY, SOURCE) as stream:
        assert await stream.read()
        with pytest.raises(StalledError, match="fell silent in mid-answer"):
            await stream.read()


async def test_a_longer_patience_for_the_beginning_is_one_for_later_silences_too(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    """Some servers say the role at once, and then read the prompt."""

    async def late(_request: web.Request, response: web.StreamResponse) -> None:
        await asyncio.sleep(0.3)
        await response.write(text("b")[0])

    url = await upstream(streaming(late), handler_cancellation=True)
    profile = profile_of(base_url=url, timeouts=Timeouts(read=0.05, first_byte=30.0))
    assert (await ask(session, profile)).endswith(text("b")[0])


async def test_what_came_while_the_process_stood_still_is_read(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    async def steadily(_request: web.Request, response: web.StreamResponse) -> None:
        await asyncio.sleep(0.1)
        await response.write(text("b")[0])
        time.sleep(0.6)
        await asyncio.sleep(0.1)
        await response.write(text("c")[0])

    url = await upstream(streaming(steadily), handler_cancellation=True)
    profile = profile_of(base_url=url, timeouts=Timeouts(read=0.4))
    assert (await ask(session, profile)).endswith(text("c")[0])


async def test_a_connection_that_went_a_moment_ago_is_a_cut(
    upstream: Any, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(_content: aiohttp.StreamReader) -> bytes:
        raise RuntimeError("Connection closed.")

    url = await upstream(streaming(cut), handler_cancellation=True)
    async with ChatBackend(session, profile_of(base_url=url), KEY).post(BODY, SOURCE) as stream:
        monkeypatch.setattr(aiohttp.StreamReader, "readany", gone)
        with pytest.raises(CutError, match="broke in mid-stream"):
            await stream.read()
    # Nor does it matter to the end of a body that nobody waits for.
    (ending,) = [task for task in asyncio.all_tasks() if "_use_up" in repr(task.get_coro())]
    await ending


async def test_a_reader_that_takes_its_time_is_no_silence_of_the_providers(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    async def at_once(_request: web.Request, response: web.StreamResponse) -> None:
        await response.write(text("b")[0])

    url = await upstream(streaming(at_once), handler_cancellation=True)
    profile = profile_of(base_url=url, timeouts=Timeouts(read=0.1))
    async with ChatBackend(session, profile, KEY).post(BODY, SOURCE) as stream:
        read = await stream.read()
        await asyncio.sleep(0.3)
        while raw := await stream.read():
            read += raw
    assert read.endswith(text("b")[0])


async def test_a_server_that_accepts_and_never_answers_is_stalled(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    async def never(_request: web.Request) -> web.StreamResponse:
        await asyncio.Event().wait()
        raise AssertionError

    url = await upstream(never, handler_cancellation=True)
    error = await failure(session, profile_of(base_url=url, timeouts=Timeouts(read=0.05)))
    assert isinstance(error, StalledError)
    assert error.status == 504


async def test_a_port_where_nobody_listens_is_unreachable(session: aiohttp.ClientSession) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    error = await failure(session, profile_of(base_url=f"http://127.0.0.1:{port}/v1"))
    assert isinstance(error, UnreachableError)
    assert "is it running?" in error.message


@pytest.mark.parametrize("url", ["http://", "nonsense", "http://[::1/v1"])
async def test_an_address_that_is_no_url_is_told(session: aiohttp.ClientSession, url: str) -> None:
    assert isinstance(await failure(session, profile_of(base_url=url)), UnreachableError)


async def test_a_key_with_a_line_end_is_told_without_showing_it(
    session: aiohttp.ClientSession,
) -> None:
    with pytest.raises(UpstreamError) as caught:
        await ask(session, key="sk-first\nsk-second")
    assert "sk-" not in caught.value.message


async def test_a_redirect_is_not_followed_with_the_key(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    seen: list[str] = []

    async def answer(request: web.Request) -> web.StreamResponse:
        seen.append(request.path)
        raise web.HTTPFound("/v1/elsewhere")

    await failure(session, profile_of(base_url=await upstream(answer)))
    assert seen == ["/v1/chat/completions"]


async def test_of_an_endless_error_page_only_the_beginning_is_read(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(status=500)
        await response.prepare(request)
        sent = 0
        while sent < 200 * MAX_ERROR_BYTES:
            await response.write(b"x" * MAX_ERROR_BYTES)
            sent += MAX_ERROR_BYTES
        return response

    url = await upstream(answer, handler_cancellation=True)
    assert isinstance(await failure(session, profile_of(base_url=url)), UpstreamServerError)


async def test_an_error_body_that_breaks_off_still_has_its_status(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(status=429, headers={"Retry-After": "3"})
        await response.prepare(request)
        await response.write(json.dumps({"error": "half"}).encode())
        request.transport.close()
        return response

    error = await failure(session, profile_of(base_url=await upstream(answer)))
    assert isinstance(error, RateLimitedError)
    assert error.retry_after == 3


async def test_leaving_the_stream_closes_the_connection(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    closed = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(text("a")[0])
        try:
            await asyncio.Event().wait()
        finally:
            closed.set()
        return response

    url = await upstream(answer, handler_cancellation=True)
    async with ChatBackend(session, profile_of(base_url=url), KEY).post(BODY, SOURCE) as stream:
        await stream.read()
    async with asyncio.timeout(5):
        await closed.wait()


async def test_a_connection_is_used_again_though_the_bodys_end_comes_behind_the_answers(
    upstream: Any, session: aiohttp.ClientSession
) -> None:
    heard = asyncio.Event()
    clients = []

    async def answer(request: web.Request) -> web.StreamResponse:
        clients.append(request.transport.get_extra_info("peername"))
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"data: [DONE]\n\n")
        await heard.wait()
        return response

    backend = ChatBackend(session, profile_of(base_url=await upstream(answer)), KEY)
    for _ in range(2):
        heard.clear()
        async with backend.post(BODY, SOURCE) as stream:
            assert await stream.read() == b"data: [DONE]\n\n"
        # Nobody has waited for the end; the connection is let go with it.
        assert session.connector._acquired
        heard.set()
        async with asyncio.timeout(10):
            while session.connector._acquired:
                await asyncio.sleep(0)
    assert clients[0] == clients[1]


# What it says of its limits.


LEFT = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m30s"}


@pytest.mark.parametrize(
    ("status", "headers", "want"),
    [
        (200, LEFT, [Rate(remaining=0, reset=90.0)]),
        (429, LEFT, [Rate(remaining=0, reset=90.0)]),
        (500, LEFT, [Rate(remaining=0, reset=90.0)]),
        (200, {"Retry-After": "7"}, [Rate(remaining=0, reset=7.0)]),
        # A refusal is waited for in its own way.
        (429, {"Retry-After": "7"}, []),
        (200, {}, []),
    ],
)
async def test_what_the_head_says_of_limits_is_passed_on(
    mocked: Mocked, session: aiohttp.ClientSession, status: int, headers: Any, want: Any
) -> None:
    heard: list[Any] = []
    mocked.post(URL, status=status, headers=headers, body=b"")
    backend = ChatBackend(session, profile_of(base_url=BASE), KEY)
    try:
        async with backend.post(BODY, SOURCE, heard.append):
            pass
    except UpstreamError:
        assert status != 200
    assert heard == [want]
