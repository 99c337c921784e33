"""All that lives as long as the daemon: providers with their limiters, routes, token ratios."""

import time

import aiohttp
from aiohttp import web

from fcc.diagnosis.verdict import Source
from fcc.errors import ConfigError, RefusedKeyError
from fcc.settings.config import Config
from fcc.settings.keys import Keys
from fcc.settings.profile import Profile
from fcc.settings.routing import Route, Router
from fcc.translate.tokens import Ratio
from fcc.upstream.backend import Backend, ChatBackend
from fcc.upstream.catalog import Catalog
from fcc.upstream.demo import DemoBackend
from fcc.upstream.learned import Learned
from fcc.upstream.limiter import Limiter

__all__ = ["GATEWAY", "Gateway", "Lane"]


class Lane:
    """One provider at work: nothing it does delays another's."""

    def __init__(self, profile: Profile, backend: Backend, catalog: Catalog) -> None:
        self.profile = profile
        self.backend = backend
        self.catalog = catalog
        self.limiter = Limiter(profile.limits)
        self._learned: dict[str, Learned] = {}

    def source(self, model: str) -> Source:
        """Who answers, for the words of messages."""
        return Source(
            self.profile.label,
            model,
            self.profile.api_key_env,
            self.profile.base_url,
            self.profile.empty_refusal_is_overflow,
        )

    def learned(self, model: str) -> Learned:
        """What the provider has refused of this model's requests."""
        return self._learned.setdefault(model, Learned())


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
        self.open = 0
        """Requests being answered."""
        self.served = 0
        """Requests answered, well or not."""
        self._lanes: dict[str, Lane] = {}
        self._ratios: dict[tuple[str, str], Ratio] = {}

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
            key = self.keys.require(profile)
        except ConfigError as error:
            raise RefusedKeyError(str(error)) from error
        backend: Backend = (
            DemoBackend() if profile.embedded else ChatBackend(self.session, profile, key)
        )
        return Lane(profile, backend, Catalog(self.session, profile, key))


GATEWAY = web.AppKey("gateway", Gateway)
