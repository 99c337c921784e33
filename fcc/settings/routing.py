"""The client's model name -> a provider and its model.

The first that applies: `provider/model` typed by the client; `--model`; the patterns of
config.toml; the patterns of the default provider's profile; its default model; and, for a name
that is no Claude's, the name itself.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import chain

import msgspec

from fcc.errors import ConfigError, NotFoundError
from fcc.settings.files import Providers
from fcc.settings.profile import Model, Profile

__all__ = ["TIERS", "Route", "Router"]

TIERS = ("opus", "sonnet", "haiku", "fable")
"""Claude Code's families: as a key of `models` each means every name that contains it."""

_DISCOVERY = ("anthropic/", "claude/")
"""What /v1/models puts before an id, as Claude Code's picker only shows ids with these words."""


class Route(msgspec.Struct, frozen=True):
    """Where a request goes."""

    asked: str
    """The model as the client named it: the answer carries it too."""
    profile: Profile
    model: Model


class Router:
    """`route(name)`; profiles are read once."""

    def __init__(
        self,
        providers: Providers,
        default: Profile,
        models: Mapping[str, str] | None = None,
        *,
        model: str = "",
        fallback: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._providers = providers
        self._default = default
        self._model = model
        self._patterns = {_pattern(key): target for key, target in (models or {}).items()}
        self._fallback = {_pattern(key): targets for key, targets in (fallback or {}).items()}
        self._profiles = {default.name: default}
        providers.load()
        self._routes: dict[str, Route] = {}
        for target in (*self._patterns.values(), *chain.from_iterable(self._fallback.values())):
            self._target(target)

    @property
    def default(self) -> Profile:
        """The default provider."""
        return self._default

    @property
    def profiles(self) -> list[Profile]:
        """All that have been read."""
        return list(self._profiles.values())

    def profile(self, name: str) -> Profile:
        """The profile `name`. Raises ConfigError."""
        if name not in self._profiles:
            self._profiles[name] = self._providers.get(name)
        return self._profiles[name]

    def known(self, name: str) -> Profile | None:
        """The profile `name`, or None where it is unknown or can't be read."""
        try:
            return self.profile(name)
        except ConfigError:
            return None

    def route(self, asked: str) -> Route:
        """Raises NotFoundError for a Claude name that nothing maps, with what to set."""
        route = self._routes.get(asked)
        if route is None:
            profile, name = self._find(asked.removesuffix("[1m]"))
            route = Route(asked, profile, profile.model(name))
            if len(self._routes) < 256:
                self._routes[asked] = route
        return route

    def chain(self, asked: str) -> list[Route]:
        """The route, and those of the first fallback that fits the name, each once.

        Raises NotFoundError.
        """
        routes = [self.route(asked)]
        plain = asked.removesuffix("[1m]").lower()
        fits = (
            targets for pattern, targets in self._fallback.items() if fnmatchcase(plain, pattern)
        )
        for target in next(fits, ()):
            profile, name = self._target(target)
            if all((profile.name, name) != (r.profile.name, r.model.name) for r in routes):
                routes.append(Route(asked, profile, profile.model(name)))
        return routes

    def pattern_for(self, asked: str) -> str | None:
        """The pattern of config.toml that decides about `asked`, if one does."""
        fits = (pattern for pattern in self._patterns if fnmatchcase(asked.lower(), pattern))
        return None if self._model else next(fits, None)

    def mapping(self) -> list[tuple[str, str]]:
        """For each of Claude Code's families where it goes, as `provider/model`."""
        rows = []
        for tier in TIERS:
            try:
                route = self.route(f"claude-{tier}")
            except NotFoundError:
                continue
            rows.append((tier, f"{route.profile.name}/{route.model.name}"))
        return rows

    def _find(self, asked: str) -> tuple[Profile, str]:
        typed = self._typed(asked)
        if typed:
            return typed
        if self._model:
            return self._default, self._model
        for pattern, target in self._patterns.items():
            if fnmatchcase(asked.lower(), pattern):
                return self._target(target)
        for pattern, name in self._default.models.items():
            if fnmatchcase(asked.lower(), pattern.lower()):
                return self._default, name
        if self._default.default_model:
            return self._default, self._default.default_model
        if asked and not asked.lower().startswith("claude"):
            return self._default, asked
        raise NotFoundError(
            f"no model of {self._default.label} is set for {asked!r}: start fcc with --model, "
            "or set 'models' in config.toml"
        )

    def _typed(self, asked: str) -> tuple[Profile, str] | None:
        for prefix in _DISCOVERY:
            rest = asked.removeprefix(prefix)
            name, slash, model = rest.partition("/")
            if slash and model and rest != asked and name in self._providers:
                return self._profile_or_not_found(name), model
        name, slash, model = asked.partition("/")
        if slash and model and name in self._providers:
            return self._profile_or_not_found(name), model
        return None

    def _profile_or_not_found(self, name: str) -> Profile:
        try:
            return self.profile(name)
        except ConfigError as error:
            raise NotFoundError(str(error)) from error

    def _target(self, target: str) -> tuple[Profile, str]:
        name, slash, model = target.partition("/")
        if slash and name in self._providers:
            if not model:
                raise ConfigError(f"{target!r} names a provider and no model: write {name}/MODEL")
            return self.profile(name), model
        return self._default, target


def _pattern(key: str) -> str:
    return f"*{key}*" if key in TIERS else key.lower()
