"""GET /status: how the daemon is, and what it knows; nothing that is secret."""

import asyncio
import time
from typing import Any

import msgspec
from aiohttp import web

import fcc
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.lanes import OneLane, lane_of
from fcc.server.recent import LastError

__all__ = ["Status", "Target", "status", "status_of"]


class Target(msgspec.Struct, frozen=True):
    """Where one of Claude Code's families goes."""

    target: str
    """`provider/model`."""
    context_window: int | None
    max_output_tokens: int | None


class Probed(msgspec.Struct, frozen=True):
    """What the doctor found out of one model, as the daemon uses it."""

    file: str
    probed: str
    facts: dict[str, Any]


class Repair(msgspec.Struct, frozen=True):
    """How often one kind of repair was needed."""

    provider: str
    model: str
    kind: str
    count: int


class Fallback(msgspec.Struct, frozen=True):
    """How often requests went on from one route to another for the same error."""

    failed: str
    """`provider/model`; `provider/other` where there are too many to tell apart."""
    to: str
    """The route that was asked behind it."""
    why: str
    """The error's status and type."""
    count: int


class Status(msgspec.Struct, frozen=True):
    """All of it."""

    version: str
    uptime_seconds: int
    provider: str
    title: str
    models: dict[str, Target]
    open_requests: int | None
    """Requests to models; None: observe = false, so that nobody counts them."""
    served_requests: int | None
    """Requests to models, answered well or not; /health counts every HTTP request."""
    waiting: int
    lanes: tuple[OneLane, ...]
    recent_requests: int
    """How many requests the next two are of."""
    cache_hit_ratio: float | None
    last_error: LastError | None
    probed: dict[str, Probed]
    """`provider/model` -> what was found out."""
    probe_problems: tuple[str, ...]
    """Capability files that could not be used."""
    fallbacks: tuple[Fallback, ...]
    repairs: tuple[Repair, ...]
    reloads: int
    """How often the configuration was to be read again."""
    reload_error: str
    """Why it was not taken the last time; empty: it was."""


async def status(request: web.Request) -> web.Response:
    """The state of things at this moment."""
    found = status_of(request.app[GATEWAY], asyncio.get_running_loop().time(), time.time())
    return web.Response(body=msgspec.json.encode(found), content_type="application/json")


def status_of(gateway: Gateway, now: float, wall: float) -> Status:
    """`now` is the loop's time in seconds, `wall` that of the world."""
    gateway.watch.tell()
    router, recent, observed = gateway.router, gateway.recent, gateway.config.observe
    lanes = tuple(lane_of(lane, now) for lane in gateway.lanes)
    return Status(
        version=fcc.__version__,
        uptime_seconds=round(wall - gateway.started),
        provider=router.default.name,
        title=router.default.label,
        models=_models(gateway),
        open_requests=gateway.watch.count if observed else None,
        served_requests=recent.served if observed else None,
        waiting=sum(lane.waiting for lane in lanes),
        lanes=lanes,
        recent_requests=recent.count if observed else 0,
        cache_hit_ratio=recent.cache_hit_ratio if observed else None,
        last_error=recent.last_error if observed else None,
        probed=_probed(gateway),
        probe_problems=tuple(one.message for one in router.providers.probes.problems),
        fallbacks=tuple(Fallback(*one) for one in gateway.fallbacks.totals()),
        repairs=tuple(Repair(*one) for one in gateway.repairs.totals()),
        reloads=gateway.reloads,
        reload_error=gateway.reload_error,
    )


def _models(gateway: Gateway) -> dict[str, Target]:
    models = {}
    for tier, target in gateway.router.mapping():
        model = gateway.router.route(f"claude-{tier}").model
        models[tier] = Target(target, model.context_window, model.max_output_tokens)
    return models


def _probed(gateway: Gateway) -> dict[str, Probed]:
    """Of the providers that are in use, what is known at their present address."""
    found = {}
    for profile in gateway.router.profiles:
        for one, facts in gateway.router.providers.probes.applied(profile):
            found[f"{one.provider}/{one.model}"] = Probed(one.file, one.known.probed, facts)
    return found
