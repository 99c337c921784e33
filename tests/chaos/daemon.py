"""The daemon's application on a real socket, and what is left in it of answers that are over."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
from aiohttp import web

from fcc.server.gateway import GATEWAY, Gateway
from fcc.server.run import new_runner, open_socket
from fcc.settings.limits import Limits, Retry, Timeouts
from fcc.settings.profile import Profile
from tests.conftest import app_of, profile_of

__all__ = ["REQUESTS", "Left", "daemon", "left", "patient"]

REQUESTS = 1_000_000


def patient(base_url: str, *, attempts: int = 1, **timeouts: float) -> Profile:
    """A provider that gets the patience that every provider gets, if no `timeouts` are given."""
    return profile_of(
        base_url=base_url,
        retry=Retry(attempts=attempts, base=0.0),
        limits=Limits(concurrency=400, requests=REQUESTS, tokens=10**12, seconds=1e9),
        timeouts=Timeouts(**timeouts),
    )


@asynccontextmanager
async def daemon(profile: Profile) -> AsyncIterator[tuple[Gateway, int]]:
    """Its inside, and the port at which it listens."""
    runner = new_runner(app_of(profile))
    await runner.setup()
    listening = open_socket("127.0.0.1", 0)
    try:
        await web.SockSite(runner, listening, backlog=2048).start()
        assert isinstance(runner.app, web.Application)
        yield runner.app[GATEWAY], listening.getsockname()[1]
    finally:
        await runner.cleanup()


class Left(msgspec.Struct, frozen=True):
    """What answers take while they last."""

    answers: int = 0
    seats: int = 0
    waiting: int = 0
    connections: int = 0
    """To providers."""
    tasks: int = 0
    """More than there were."""


async def left(gateway: Gateway, tasks: int, patience: float = 10.0) -> Left:
    """What is left of the answers that are over; nothing is what is wanted, and waited for."""
    loop = asyncio.get_running_loop()
    until = loop.time() + patience
    while (now := _left(gateway, tasks)) != Left() and loop.time() < until:
        await asyncio.sleep(0.1)
    return now


def _left(gateway: Gateway, tasks: int) -> Left:
    limiters = [door.limiter for lane in gateway._lanes.values() for door in lane.doors]
    connector = gateway.session.connector
    assert connector is not None
    return Left(
        answers=gateway.open,
        seats=sum(limiter.open for limiter in limiters),
        waiting=sum(limiter.waiting for limiter in limiters),
        connections=len(connector._acquired),
        tasks=max(0, len(asyncio.all_tasks()) - tasks),
    )
