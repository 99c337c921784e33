"""POST /v1/messages: the client's request to an answer, streamed or whole."""

import asyncio
import secrets
from typing import Final

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError, TransferEncodingError
from loguru import logger

from fcc.errors import FccError, RequestError, RequestTooLargeError, UpstreamError
from fcc.server.answer import StreamedAnswer
from fcc.server.chain import Chain
from fcc.server.choice import choose
from fcc.server.documents import DOCUMENTS
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.local_answers import local_answer
from fcc.server.plan import Plan, new_plan
from fcc.server.problems import stopped
from fcc.server.record import RECORD
from fcc.settings.routing import Route
from fcc.translate.reply.message import Accumulator
from fcc.wire.events import Event, Message, MessageStart, encode
from fcc.wire.messages import MessagesRequest, decode_request

__all__ = ["BODY_SILENCE", "create", "read_body", "session_of"]

BODY_SILENCE: Final = 60.0
"""Seconds between two reads of a request's body: it comes from this machine or its network."""


async def create(request: web.Request) -> web.StreamResponse:
    """The answer to one Messages request."""
    gateway, record = request.app[GATEWAY], request[RECORD]
    raw = await read_body(request)
    if record.trace is not None:
        record.trace.asked(raw)
    asked = decode_request(raw)
    del raw
    record.asked, record.stream = asked.model, bool(asked.stream)
    local = local_answer(asked, gateway.config.local_answers)
    if local is not None:
        record.local = local.kind
        turn: _Asked | _Local = _Local(local.events(_message_id(), asked.model))
    else:
        await request.app[DOCUMENTS].read(asked, gateway.router.possible(asked.model))
        turn = _asked(gateway, asked, request)
    # The request's texts are of no use while its answer streams: 500 of them would be missed.
    del asked
    if record.stream:
        return await _stream(request, turn)
    return await _whole(request, turn)


async def read_body(request: web.Request) -> bytes:
    """The request's body. Raises RequestTooLargeError over `max_body_bytes`."""
    limit = request.app[GATEWAY].config.server.max_body_bytes
    body: bytes | None = None
    if (request.content_length or 0) <= limit:
        body = await _read(request, limit)
    if body is None:
        raise RequestTooLargeError(
            f"the request is larger than {limit} bytes (max_body_bytes in config.toml)"
        )
    return body


def session_of(request: web.Request) -> str:
    """Claude Code's session; empty for other clients."""
    return request.headers.get("x-claude-code-session-id", "")


async def _read(request: web.Request, limit: int) -> bytes | None:
    """The whole body; None as soon as it is larger than `limit` bytes."""
    reads: list[bytes] = []
    size, content, now = 0, request.content, asyncio.get_running_loop().time
    try:
        if content.is_eof():
            # All of it is here: there is nothing to wait for.
            raw = await content.readany()
            return raw if len(raw) <= limit else None
        async with asyncio.timeout(BODY_SILENCE) as silence:
            while raw := await content.readany():
                reads.append(raw)
                size += len(raw)
                if size > limit:
                    return None
                silence.reschedule(now() + BODY_SILENCE)
        return b"".join(reads)
    except TimeoutError as error:
        late = RequestError(f"the body stopped coming, and {BODY_SILENCE:.0f} s passed")
        late.status = 408
        raise late from error
    except (web.RequestPayloadError, ContentEncodingError, TransferEncodingError) as error:
        raise RequestError(f"the body can't be read: {error}") from error


class _Asked(msgspec.Struct):
    """An answer that providers are asked for."""

    chain: Chain

    @property
    def message(self) -> Message:
        """The message as message_start carries it."""
        return self.chain.first.message

    async def answer(self, sink: "StreamedAnswer | _Collected") -> None:
        """Send the answer to `sink`. Raises UpstreamError."""
        await self.chain.run(sink)


class _Local(msgspec.Struct):
    """An answer that fcc gives itself."""

    events: list[Event]

    @property
    def message(self) -> Message:
        """The message that the events begin."""
        first = self.events[0]
        assert isinstance(first, MessageStart)
        return first.message

    async def answer(self, sink: "StreamedAnswer | _Collected") -> None:
        """Send the answer to `sink`."""
        await sink.send(self.events)


class _Collected:
    """The sink of an answer that goes out whole. Until then everything can be tried again."""

    content = False

    def __init__(self) -> None:
        self._accumulator = Accumulator()

    @property
    def message(self) -> Message:
        """The whole message."""
        return self._accumulator.message

    def asking(self, commit_after: float) -> None:
        """Nothing to keep alive: the answer has no head before it is whole."""

    def waiting(self) -> None:
        """The same."""

    async def send(self, events: list[Event], failure: UpstreamError | None = None) -> None:
        """Another attempt begins anew; one that broke off is not sent at all."""
        if failure is not None:
            return
        if isinstance(events[0], MessageStart):
            self._accumulator = Accumulator()
        self._accumulator.feed(events)


def _asked(gateway: Gateway, asked: MessagesRequest, request: web.Request) -> _Asked:
    session = session_of(request)
    message_id, choice = _message_id(), choose(gateway, asked, session)
    routes = choice.routes

    def plan(route: Route) -> Plan:
        body = choice.body if route is routes[0] else None
        choice.body = None
        return new_plan(gateway, route, asked, message_id, body, session)

    request[RECORD].route = routes[0]
    return _Asked(Chain(routes, plan, request[RECORD], gateway.sticky, session))


async def _stream(request: web.Request, turn: _Asked | _Local) -> web.StreamResponse:
    record = request[RECORD]
    async with StreamedAnswer(request, turn.message, record) as answer:
        try:
            await turn.answer(answer)
        except FccError as error:
            if not answer.opened:
                raise
            record.failed(error)
            logger.debug("after the answer had begun: {}", error)
            await answer.fail(error)
        except asyncio.CancelledError:
            if not (answer.opened and request.app[GATEWAY].stopping):
                raise
            record.failed(stopped())
            await answer.fail(stopped())
        return answer.response


async def _whole(request: web.Request, turn: _Asked | _Local) -> web.Response:
    collected = _Collected()
    await turn.answer(collected)
    return web.Response(
        body=encode(collected.message),
        content_type="application/json",
        headers=request[RECORD].headers(),
    )


def _message_id() -> str:
    return f"msg_{secrets.token_hex(12)}"
