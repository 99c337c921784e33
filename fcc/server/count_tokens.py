"""POST /v1/messages/count_tokens: an estimate, offline, in the time that a request takes."""

from aiohttp import web

from fcc.server.choice import choose
from fcc.server.documents import DOCUMENTS
from fcc.server.gateway import GATEWAY
from fcc.server.messages import read_body, session_of
from fcc.translate.request.body import translate
from fcc.translate.request.size import counted
from fcc.wire.messages import decode_count_tokens

__all__ = ["count_tokens"]


async def count_tokens(request: web.Request) -> web.Response:
    """`{"input_tokens": n}` by what the route's model has been seen to count."""
    gateway = request.app[GATEWAY]
    asked = decode_count_tokens(await read_body(request))
    await request.app[DOCUMENTS].read(asked, gateway.router.possible(asked.model))
    session = session_of(request)
    choice = choose(gateway, asked, session)
    route = choice.routes[0]
    body = choice.body or translate(asked, route.model)
    tokens = gateway.ratio(route).tokens(counted(asked, body), session)
    return web.json_response({"input_tokens": tokens})
