"""GET /fcc/traces and /fcc/traces/ID: what the flight recorder has, for `fcc trace`."""

from typing import Any

import msgspec
from aiohttp import web
from msgspec.structs import replace

from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config
from fcc.settings.recorder import RecorderOptions

__all__ = ["TRACES_PATH", "list_traces", "one_trace"]

TRACES_PATH = "/fcc/traces"


async def list_traces(request: web.Request) -> web.Response:
    """A summary of each trace, the oldest first, and how the recorder is set."""
    gateway = request.app[GATEWAY]
    gateway.watch.tell()
    return _json(
        {
            "recorder": _in_force(gateway.config),
            "traces": await gateway.recorder.summaries(),
        }
    )


async def one_trace(request: web.Request) -> web.Response:
    """All of one. Raises NotFoundError."""
    gateway = request.app[GATEWAY]
    gateway.watch.tell()
    return _json(await gateway.recorder.trace(request.match_info["id"]))


def _in_force(config: Config) -> RecorderOptions:
    return config.recorder if config.observe else replace(config.recorder, keep=0)


def _json(value: Any) -> web.Response:
    headers = {"Cache-Control": "no-store"}
    body = msgspec.json.encode(value)
    return web.Response(body=body, content_type="application/json", headers=headers)
