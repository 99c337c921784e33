"""All that lives as long as the daemon: providers with their limiters, routes, token ratios."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import aiohttp
from aiohttp import web

from fcc.errors import ConfigError, RefusedKeyError
from fcc.observe.metrics import Metrics
from fcc.observe.recorder import Recorder
from fcc.observe.watch import Watch
from fcc.server.accounts import Accounts
from fcc.server.fallbacks import Fallbacks
from fcc.server.lag import Lag
from fcc.server.recent import Recent
from fcc.server.recorded import known_secrets
from fcc.server.repairs import Repairs
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


MAX_RATIOS: Final = 1000
"""Models: clients name them as they like. The one that was met first is forgotten first."""


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
        self.reloads = 0
        """How often the configuration was to be read again."""
        self.reload_error = ""
        """Why it was not taken the last time; empty: it was."""
        self._answers: set[asyncio.Task[object]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self.served = 0
        """Requests answered, well or not."""
        self.sticky = Sticky()
        self.recent = Recent()
        self.metrics = Metrics()
        self.accounts = Accounts(self, self.metrics)
        self.recorder = Recorder(config.recorder, self._secrets)
        self.fallbacks = Fallbacks()
        self.watch = Watch()
        for observer in (self.recent, self.metrics, self.accounts, self.recorder, self.fallbacks):
            self.watch.add(observer)
        self.lag = Lag()
        self.repairs = Repairs()
        self._lanes: dict[str, Lane] = {}
        self._known_secrets: frozenset[str] | None = None
        """What no trace may carry; None until it is asked for."""
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
        # What has ended had the prices and the keys that are in force until here.
        self.watch.tell()
        self.recorder.remember()
        kept = {}
        for name, lane in self._lanes.items():
            same = router.known(name) == lane.profile
            if same and keys.all(lane.profile) == self.keys.all(lane.profile):
                kept[name] = lane
        self.config, self.router, self.keys, self._lanes = config, router, keys, kept
        self.recorder.options = config.recorder
        self._known_secrets = None

    def lane(self, profile: Profile) -> Lane:
        """The provider at work. Raises RefusedKeyError where its key is missing."""
        lane = self._lanes.get(profile.name)
        if lane is None:
            lane = self._new_lane(profile)
            # A request from before a reload may still fall back to what was in force then.
            if self.router.known(profile.name) == profile:
                self._lanes[profile.name] = lane
                self._known_secrets = None
        return lane

    @property
    def lanes(self) -> list[Lane]:
        """The providers that were asked since the configuration was read."""
        return list(self._lanes.values())

    def ratio(self, route: Route) -> Ratio:
        """What is learned of the route's tokenizer."""
        key = (route.profile.name, route.model.name)
        if key not in self._ratios and len(self._ratios) >= MAX_RATIOS:
            del self._ratios[next(iter(self._ratios))]
        return self._ratios.setdefault(key, Ratio())

    def _secrets(self) -> frozenset[str]:
        if self._known_secrets is None:
            self._known_secrets = known_secrets(self.config, self.router, self.keys)
        return self._known_secrets

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
