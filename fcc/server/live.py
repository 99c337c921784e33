"""GET /fcc/live: what happens, as server-sent events, for the page.

While nobody looks, requests that end are kept in a list, and nothing else is done.
"""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from aiohttp import web

from fcc.errors import FccError, RequestError
from fcc.server.gateway import Gateway
from fcc.server.page.changes import Changes
from fcc.server.page.history import History
from fcc.server.page.shown import parts_of

__all__ = ["LIVE", "LIVE_PATH", "Live", "live", "stop_watching"]

LIVE_PATH: Final = "/fcc/live"

EVERY: Final = 0.5
"""Seconds between two looks: soon enough for a person, and seldom enough to cost little."""

MOST_WATCHERS: Final = 16
"""Pages: more are forgotten ones, or somebody's mistake."""

_PATIENCE: Final = 20.0
"""Seconds for a page to take what it is told; one that doesn't is cut off."""

_HEADERS: Final = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Live:
    """What pages are told; lives as long as the gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        self._history = History()
        self._began = asyncio.get_running_loop().time()
        self._over = asyncio.Event()
        self.watchers = 0
        """Pages that are open."""
        gateway.watch.add(self._history)

    @contextmanager
    def watching(self) -> Iterator[Changes]:
        """A page looks for as long as the block runs. Raises FccError where too many do."""
        if self.watchers >= MOST_WATCHERS:
            error = FccError(f"{self.watchers} pages watch this fcc already: close one of them")
            error.status = 503
            raise error
        self.watchers += 1
        try:
            yield Changes()
        finally:
            self.watchers -= 1

    def event(self, changes: Changes) -> bytes:
        """What is different for this page; empty: nothing."""
        now = asyncio.get_running_loop().time()
        parts = parts_of(self._gateway, self._history, self._began, now, time.time())
        return changes.feed(now, parts, self._history)

    async def goes_on(self) -> bool:
        """Whether there is another look, when it is time for it."""
        try:
            async with asyncio.timeout(EVERY):
                await self._over.wait()
        except TimeoutError:
            return True
        return False

    def end(self) -> None:
        """No further look."""
        self._over.set()


LIVE = web.AppKey("live", Live)


async def stop_watching(app: web.Application) -> None:
    """The last answer has ended: the daemon doesn't wait for pages."""
    app[LIVE].end()


async def live(request: web.Request) -> web.StreamResponse:
    """A snapshot, then changes, until the page is closed or the daemon ends."""
    _check_site(request)
    live = request.app[LIVE]
    with live.watching() as changes:
        response = web.StreamResponse(headers=_HEADERS)
        await response.prepare(request)
        try:
            await _tell(response, live, changes)
        except TimeoutError:
            if request.transport is not None:
                request.transport.abort()
    return response


async def _tell(response: web.StreamResponse, live: Live, changes: Changes) -> None:
    going = True
    while going:
        if event := live.event(changes):
            async with asyncio.timeout(_PATIENCE):
                await response.write(event)
        going = await live.goes_on()


def _check_site(request: web.Request) -> None:
    """A page of elsewhere can't read this, but it could take all places.

    Browsers say who asks: https://www.w3.org/TR/fetch-metadata/.
    """
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        error = RequestError("only fcc's own page may watch it")
        error.status = 403
        raise error
