"""POST /v1/messages: the client's request to an answer, streamed or whole."""

import secrets

import msgspec
from aiohttp import web
from loguru import logger

from fcc.errors import RequestTooLargeError, UpstreamError
from fcc.server.answer import StreamedAnswer
from fcc.server.exchange import Exchange
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.local_answers import local_answer
from fcc.server.record import RECORD
from fcc.settings.routing import Route
from fcc.translate.context import Context
from fcc.translate.reply.blocks import Sign
from fcc.translate.reply.message import Accumulator
from fcc.translate.reply.reader import Reader
from fcc.translate.reply.translation import Translation
from fcc.translate.request.body import translate
from fcc.translate.tokens import Ratio, estimate
from fcc.wire.events import Event, Message, MessageStart, MessageUsage, encode
from fcc.wire.messages import MessagesRequest, decode_request

__all__ = ["create", "read_body"]


async def create(request: web.Request) -> web.StreamResponse:
    """The answer to one Messages request."""
    gateway, record = request.app[GATEWAY], request[RECORD]
    asked = decode_request(await read_body(request))
    stream = bool(asked.stream)
    local = local_answer(asked, gateway.config.local_answers)
    if local is not None:
        record.local = local.kind
        turn: _Turn | _Local = _Local(local.events(_message_id(), asked.model))
    else:
        record.route = gateway.router.route(asked.model)
        turn = _turn(gateway, record.route, asked, request)
    # The request's texts are of no use while its answer streams: 500 of them would be missed.
    del asked
    if stream:
        return await _stream(request, turn)
    return await _whole(request, turn)


async def read_body(request: web.Request) -> bytes:
    """The request's body. Raises RequestTooLargeError over `max_body_bytes`."""
    limit = request.app[GATEWAY].config.server.max_body_bytes
    body = bytearray()
    if (request.content_length or 0) <= limit:
        while raw := await request.content.readany():
            body += raw
            if len(body) > limit:
                break
        else:
            return bytes(body)
    raise RequestTooLargeError(
        f"the request is larger than {limit} bytes (max_body_bytes in config.toml)"
    )


class _Turn(msgspec.Struct):
    """All that answering takes."""

    exchange: Exchange
    message: Message
    commit_after: float
    estimated: int
    ratio: Ratio

    async def answer(self, sink: "StreamedAnswer | _Collected") -> None:
        """Send the answer to `sink`. Raises UpstreamError."""
        translation = await self.exchange.run(sink)
        usage = translation.usage
        if usage is not None:
            cached = usage.cache_read_input_tokens + usage.cache_creation_input_tokens
            self.ratio.learn(self.estimated, usage.input_tokens + cached)


class _Local(msgspec.Struct):
    """An answer that fcc gives itself."""

    events: list[Event]
    commit_after: float = 1.0

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

    def asking(self) -> None:
        """Nothing to keep alive: the answer has no head before it is whole."""

    def waiting(self) -> None:
        """The same."""

    async def send(self, events: list[Event]) -> None:
        """Another attempt begins anew."""
        if isinstance(events[0], MessageStart):
            self._accumulator = Accumulator()
        self._accumulator.feed(events)


def _turn(gateway: Gateway, route: Route, asked: MessagesRequest, request: web.Request) -> _Turn:
    lane = gateway.lane(route.profile)
    body = translate(asked, route.model)
    for note in body.declined:
        logger.debug("declined: {}", note)
    estimated, ratio = estimate(body.data), gateway.ratio(route)
    input_tokens = max(1, round(estimated * ratio.value))
    message = Message(_message_id(), route.asked, MessageUsage(input_tokens, output_tokens=1))
    source, reply = lane.source(route.model.name), route.model.reply
    context = Context(
        tools=body.tools,
        names=body.names,
        used_ids=body.used_ids,
        stop_sequences=frozenset(asked.stop_sequences or ()),
        prefill=body.prefill,
        foreground=route.profile.foreground_subagents,
    )

    def fresh() -> Translation:
        sign: Sign = lambda _details: f"fcc1.{route.profile.name}"  # noqa: E731
        return Translation(Reader(source, reply, context), message, sign=sign, context=context)

    exchange = Exchange(lane, source, body.data, fresh, request[RECORD])
    return _Turn(exchange, message, route.profile.timeouts.commit_after, estimated, ratio)


async def _stream(request: web.Request, turn: _Turn | _Local) -> web.StreamResponse:
    record = request[RECORD]
    async with StreamedAnswer(
        request, turn.message, request_id=record.request_id, commit_after=turn.commit_after
    ) as answer:
        try:
            await turn.answer(answer)
        except UpstreamError as error:
            if not answer.opened:
                raise
            record.outcome = error.error_type
            logger.debug("after the answer had begun: {}", error)
            await answer.fail(error)
        return answer.response


async def _whole(request: web.Request, turn: _Turn | _Local) -> web.Response:
    collected = _Collected()
    await turn.answer(collected)
    return web.Response(
        body=encode(collected.message),
        content_type="application/json",
        headers={"request-id": request[RECORD].request_id},
    )


def _message_id() -> str:
    return f"msg_{secrets.token_hex(12)}"
