"""GET /health and GET /: whether fcc is there, and what it is."""

import time

from aiohttp import web

import fcc
from fcc.server.gateway import GATEWAY

__all__ = ["about", "health", "nothing"]


async def health(request: web.Request) -> web.Response:
    """Alive, and how busy: of HTTP requests of every kind, but this one; /status counts messages."""
    gateway = request.app[GATEWAY]
    being_answered = gateway.open - 1
    return web.json_response(
        {
            "status": "ok",
            "version": fcc.__version__,
            "uptime_seconds": round(time.time() - gateway.started),
            "open_http_requests": being_answered,
            "served_http_requests": gateway.served,
            "open_requests": being_answered,  # what `fcc status` reads of a daemon of any version
            "provider": gateway.router.default.name,
        }
    )


async def about(request: web.Request) -> web.Response:
    """A few words for a person who opens the address."""
    gateway = request.app[GATEWAY]
    rows = "".join(f"  {tier:8} -> {target}\n" for tier, target in gateway.router.mapping())
    return web.Response(
        text=f"fcc {fcc.__version__}: Claude Code on {gateway.router.default.label}\n\n{rows}\n"
        "POST /v1/messages, POST /v1/messages/count_tokens, GET /v1/models, GET /health, "
        "GET /status, GET /metrics\n"
    )


async def nothing(_request: web.Request) -> web.Response:
    """The answer to a probe that only wants to know whether anybody is there."""
    return web.Response(status=204)
