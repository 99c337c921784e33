"""POST /v1/messages/count_tokens: an estimate, offline, in the time that a request takes."""

from collections.abc import Iterator

from aiohttp import web

from fcc.server.documents import DOCUMENTS
from fcc.server.gateway import GATEWAY
from fcc.server.messages import read_body
from fcc.translate.request.body import translate
from fcc.translate.tokens import estimate
from fcc.wire.events import encode
from fcc.wire.messages import Message, decode_count_tokens

__all__ = ["count_tokens"]


async def count_tokens(request: web.Request) -> web.Response:
    """`{"input_tokens": n}` by what the route's model has been seen to count."""
    gateway = request.app[GATEWAY]
    asked = decode_count_tokens(await read_body(request))
    route = gateway.router.route(asked.model)
    await request.app[DOCUMENTS].read(asked, [route])
    body = translate(asked, route.model)
    counted = estimate(body.data, *_unsent(asked.messages, body.data))
    tokens = round(counted * gateway.ratio(route).value)
    return web.json_response({"input_tokens": max(1, tokens)})


def _unsent(messages: list[Message], body: bytes) -> Iterator[bytes]:
    """The history's thinking, where the provider does not get it: the count grows with it."""
    for message in messages:
        for block in message.content if isinstance(message.content, list) else ():
            thinking = encode(block.thinking or "")[1:-1]
            if thinking and thinking not in body:
                yield thinking
