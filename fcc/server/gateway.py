"""All that lives as long as the daemon: providers with their limiters, routes, token ratios."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiohttp import web

from fcc.errors import ConfigError, RefusedKeyError
from fcc.server.sticky import Sticky
from fcc.settings.config import Config
from fcc.settings.keys import Keys
from fcc.settings.profile import Profile
from fcc.settings.routing import Route, Router
from fcc.translate.tokens import Ratio
from fcc.upstream.backend import Backend, ChatBackend
from fcc.upstream.catalog import Catalog
from fcc.upstream.demo import DemoBackend
from fcc.upstream.lane import Door, Lane, fingerprint
from fcc.upstream.limiter import Limiter

__all__ = ["GATEWAY", "Gateway"]


class Gateway:
    """What every request shares."""

    def __init__(
        self, config: Config, router: Router, keys: Keys, session: aiohttp.ClientSession
    ) -> None:
        self.config = config
        self.router = router
        self.keys = keys
        self.session = session
        self.started = time.time()
        self.stopping = False
        """Whether the daemon is about to end, and answers with it."""
        self._answers: set[asyncio.Task[object]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.served = 0
        """Requests answered, well or not."""
        self.sticky = Sticky()
        self._lanes: dict[str, Lane] = {}
        self._ratios: dict[tuple[str, str], Ratio] = {}

    @property
    def open(self) -> int:
        """Requests being answered."""
        return len(self._answers)

    @contextmanager
    def answering(self) -> Iterator[None]:
        """The running task answers a request for as long as the block runs."""
        task = asyncio.current_task()
        assert task is not None
        self._answers.add(task)
        self._idle.clear()
        try:
            yield
        finally:
            self._answers.discard(task)
            self.served += 1
            if not self._answers:
                self._idle.set()

    async def idle(self) -> None:
        """Until no request is being answered."""
        await self._idle.wait()

    def end_all(self) -> None:
        """End the answers that are open; each says so to its client."""
        self.stopping = True
        for task in self._answers:
            task.cancel()

    def replace(self, config: Config, router: Router, keys: Keys) -> None:
        """Another configuration, from the next request on; open answers don't notice.

        A provider whose profile and keys are the same keeps its limiter and all it has learned.
        """
        kept = {}
        for name, lane in self._lanes.items():
            same = router.known(name) == lane.profile
            if same and keys.all(lane.profile) == self.keys.all(lane.profile):
                kept[name] = lane
        self.config, self.router, self.keys, self._lanes = config, router, keys, kept

    def lane(self, profile: Profile) -> Lane:
        """The provider at work. Raises RefusedKeyError where its key is missing."""
        lane = self._lanes.get(profile.name)
        if lane is None:
            lane = self._lanes[profile.name] = self._new_lane(profile)
        return lane

    def ratio(self, route: Route) -> Ratio:
        """What is learned of the route's tokenizer."""
        key = (route.profile.name, route.model.name)
        return self._ratios.setdefault(key, Ratio())

    def _new_lane(self, profile: Profile) -> Lane:
        try:
            self.keys.require(profile)
        except ConfigError as error:
            raise RefusedKeyError(str(error)) from error
        keys = self.keys.all(profile) or [""]
        doors = [self._door(profile, key) for key in keys]
        return Lane(profile, doors, Catalog(self.session, profile, keys[0]))

    def _door(self, profile: Profile, key: str) -> Door:
        backend: Backend = (
            DemoBackend() if profile.embedded else ChatBackend(self.session, profile, key)
        )
        return Door(backend, Limiter(profile.limits), fingerprint(key))


GATEWAY = web.AppKey("gateway", Gateway)
