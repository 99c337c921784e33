"""GET /status: how the daemon is, and what it knows; nothing that is secret."""

import asyncio
import time
from typing import Any

import msgspec
from aiohttp import web

import fcc
from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.recent import LastError
from fcc.settings.profile import Profile
from fcc.upstream.lane import Door, Lane, fingerprint

__all__ = ["Status", "status", "status_of"]

_NO_KEY = fingerprint("")


class Target(msgspec.Struct, frozen=True):
    """Where one of Claude Code's families goes."""

    target: str
    """`provider/model`."""
    context_window: int | None
    max_output_tokens: int | None


class OneDoor(msgspec.Struct, frozen=True):
    """One key at work."""

    fingerprint: str
    """Six characters of its hash; empty: the provider is asked without a key."""
    open: int
    waiting: int
    available: int | None
    """How many requests could start at once; None: there is no limit."""
    rests_seconds: float
    """How long it is not asked, because it was refused or is used up."""


class Breaking(msgspec.Struct, frozen=True):
    """Whether the provider is asked at all."""

    state: str
    """closed, open or half_open."""
    seconds_left: float


class Learned(msgspec.Struct, frozen=True):
    """What refusals have taught of one model."""

    max_tokens: int | None
    without: tuple[str, ...]
    """Fields that are left out."""


class OneLane(msgspec.Struct, frozen=True):
    """One provider that was asked since the configuration was read."""

    provider: str
    title: str
    open: int
    waiting: int
    breaker: Breaking
    doors: tuple[OneDoor, ...]
    learned: dict[str, Learned]


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
    router, recent, observed = gateway.router, gateway.recent, gateway.config.observe
    lanes = tuple(_lane(lane, now) for lane in gateway.lanes)
    return Status(
        version=fcc.__version__,
        uptime_seconds=round(wall - gateway.started),
        provider=router.default.name,
        title=router.default.label,
        models=_models(gateway),
        open_requests=recent.open if observed else None,
        served_requests=recent.served if observed else None,
        waiting=sum(lane.waiting for lane in lanes),
        lanes=lanes,
        recent_requests=recent.count if observed else 0,
        cache_hit_ratio=recent.cache_hit_ratio if observed else None,
        last_error=recent.last_error if observed else None,
        probed=_probed(gateway),
        probe_problems=tuple(one.message for one in router.providers.probes.problems),
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


def _lane(lane: Lane, now: float) -> OneLane:
    profile, breaker = lane.profile, lane.breaker
    doors = tuple(_door(profile, door, now) for door in lane.doors)
    return OneLane(
        provider=profile.name,
        title=profile.label,
        open=sum(door.open for door in doors),
        waiting=sum(door.waiting for door in doors),
        breaker=Breaking(breaker.state.name.lower(), round(breaker.left(now), 1)),
        doors=doors,
        learned={
            model: Learned(known.max_tokens, known.dropped) for model, known in lane.lessons.items()
        },
    )


def _door(profile: Profile, door: Door, now: float) -> OneDoor:
    limiter, seats = door.limiter, profile.limits.concurrency
    free = [max(0, seats - limiter.open)] if seats else []
    turns = limiter.available()
    return OneDoor(
        fingerprint="" if door.name == _NO_KEY else door.name,
        open=limiter.open,
        waiting=limiter.waiting,
        available=min([*free, *([] if turns is None else [turns])], default=None),
        rests_seconds=round(max(0.0, door.rests_until - now), 1),
    )


def _probed(gateway: Gateway) -> dict[str, Probed]:
    """Of the providers that are in use, what is known at their present address."""
    found = {}
    for profile in gateway.router.profiles:
        for one, facts in gateway.router.providers.probes.applied(profile):
            found[f"{one.provider}/{one.model}"] = Probed(one.file, one.known.probed, facts)
    return found
