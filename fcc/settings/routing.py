"""The client's model name -> a provider and its model.

The first that applies: `provider/model` typed by the client; `--model`; the patterns of
config.toml; the patterns of the default provider's profile; its default model; and, for a name
that is no Claude's, the name itself. Where a request goes for its length or its images is told
here, and decided in `server/choice.py`.
"""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import msgspec

from fcc.errors import ConfigError, NotFoundError
from fcc.settings.files import Providers
from fcc.settings.profile import Model, Profile
from fcc.settings.targets import Routes, Target, target_of

__all__ = ["TIERS", "Route", "Router"]

TIERS = ("opus", "sonnet", "haiku", "fable")
"""Claude Code's families: as a key of `models` each means every name that contains it."""

_DISCOVERY = ("anthropic/", "claude/")
"""What /v1/models puts before an id, as Claude Code's picker only shows ids with these words."""

_MILLION = "[1m]"
"""What Claude Code puts behind a name to have a context window of a million tokens."""

_ALIKE = 0.9
"""How like a provider's name a typing error is. `mistralai/`, `x-ai/` and `deepseek-ai/`, which begin
names of models, are less like it."""


class Route(msgspec.Struct, frozen=True):
    """Where a request goes."""

    asked: str
    """The model as the client named it: the answer carries it too."""
    profile: Profile
    model: Model
    why: str = ""
    """What decided it: a key of config.toml or of a profile, an option, or the client."""
    typed: bool = False
    """The client named provider and model."""

    @property
    def target(self) -> str:
        """`provider/model`."""
        return f"{self.profile.name}/{self.model.name}"


class Router:
    """`route(name)`; profiles are read once."""

    def __init__(
        self,
        providers: Providers,
        default: Profile,
        models: Mapping[str, str | Target] | None = None,
        *,
        model: str = "",
        fallback: Mapping[str, Sequence[str | Target]] | None = None,
        routes: Routes | None = None,
    ) -> None:
        self._providers = providers
        self._default = default
        self._model = model
        self._profiles = {default.name: default}
        providers.load()
        self._models = {
            _pattern(key): self._aimed(target, f"models.{key}")
            for key, target in (models or {}).items()
        }
        self._fallback = {
            _pattern(key): [self._aimed(target, f"fallback.{key}") for target in targets]
            for key, targets in (fallback or {}).items()
        }
        routes = routes or Routes()
        far, seeing = routes.long_context, routes.image
        self._long = self._aimed(far, "routes.long_context") if far else None
        self._image = self._aimed(seeing, "routes.image") if seeing else None
        self.above = far.above if far else 0
        """Tokens: a request of more is a long one, where there is a route for those."""
        self._routes: dict[str, Route] = {}

    @property
    def default(self) -> Profile:
        """The default provider."""
        return self._default

    @property
    def providers(self) -> Providers:
        """Where profiles come from, with what probes found."""
        return self._providers

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
            route = msgspec.structs.replace(self._find(_plain(asked)), asked=asked)
            if len(self._routes) < 256:
                self._routes[asked] = route
        return route

    def chain(self, asked: str, first: Route | None = None) -> list[Route]:
        """The route, or the one that is `first` in its place, and those of the first fallback
        that fits the name, each once.

        Raises NotFoundError.
        """
        routes = [first or self.route(asked)]
        for target in self._fallback_of(asked):
            if all(target.target != route.target for route in routes):
                routes.append(msgspec.structs.replace(target, asked=asked))
        return routes

    def long_context(self, asked: str) -> Route | None:
        """Where a request of more than `above` tokens goes; None: where the others go."""
        if self._long is None or self.route(asked).typed:
            return None
        return msgspec.structs.replace(self._long, asked=asked)

    def longest(self, asked: str) -> Route:
        """Where the longest requests go, whose window is the one that counts."""
        return self.long_context(asked) or self.route(asked)

    def image(self, asked: str) -> Route | None:
        """Where a request with images goes whose own model sees none, if anywhere."""
        return self._image and msgspec.structs.replace(self._image, asked=asked)

    def possible(self, asked: str) -> list[Route]:
        """Every route that a request for `asked` may take. Raises NotFoundError."""
        special = (self.long_context(asked), self.image(asked))
        return [*self.chain(asked), *(route for route in special if route is not None)]

    def pattern_for(self, asked: str) -> str | None:
        """The pattern of config.toml that decides about `asked`, if one does."""
        fits = (pattern for pattern in self._models if fnmatchcase(asked.lower(), pattern))
        return None if self._model else next(fits, None)

    def mapping(self) -> list[tuple[str, str]]:
        """For each of Claude Code's families where it goes, as `provider/model`."""
        rows = []
        for tier in TIERS:
            try:
                rows.append((tier, self.route(f"claude-{tier}").target))
            except NotFoundError:
                continue
        return rows

    def _fallback_of(self, asked: str) -> Sequence[Route]:
        plain = _plain(asked).lower()
        fits = (routes for pattern, routes in self._fallback.items() if fnmatchcase(plain, pattern))
        return next(fits, ())

    def _find(self, asked: str) -> Route:
        typed = self._typed(asked)
        if typed:
            return typed
        if self._model:
            return self._own(self._model, "--model")
        for pattern, route in self._models.items():
            if fnmatchcase(asked.lower(), pattern):
                return route
        for pattern, name in self._default.models.items():
            if fnmatchcase(asked.lower(), pattern.lower()):
                return self._own(name, f"models.{pattern} of the profile")
        if self._default.default_model:
            return self._own(self._default.default_model, "default_model of the profile")
        if asked and not asked.lower().startswith("claude"):
            return self._own(asked, "the name asked for")
        raise NotFoundError(
            f"no model of {self._default.label} is set for {asked!r}: start fcc with --model, "
            "or set 'models' in config.toml"
        )

    def _own(self, model: str, why: str) -> Route:
        return Route("", self._default, self._default.model(model), why)

    def _typed(self, asked: str) -> Route | None:
        rests = [asked.removeprefix(prefix) for prefix in _DISCOVERY if asked.startswith(prefix)]
        for rest in (*rests, asked):
            name, slash, model = rest.partition("/")
            if slash and model and name in self._providers:
                profile = self._profile_or_not_found(name)
                return Route("", profile, profile.model(model), "the client named it", typed=True)
        return None

    def _profile_or_not_found(self, name: str) -> Profile:
        try:
            return self.profile(name)
        except ConfigError as error:
            raise NotFoundError(str(error)) from error

    def _aimed(self, target: str | Target, why: str) -> Route:
        """The route to a target of config.toml, in whose key `why` it stands."""
        if not target:
            raise ConfigError(f'{why} is empty: write "provider/model", or take the line out')
        aim = target_of(target)
        profile, name = self._split(aim.model, why)
        model = msgspec.structs.replace(
            profile.model(name), effort=aim.effort, max_tokens=aim.max_tokens
        )
        return Route("", profile, model, why)

    def _split(self, target: str, why: str) -> tuple[Profile, str]:
        name, slash, model = target.partition("/")
        if not slash:
            return self._default, target
        if name in self._providers:
            if not model:
                raise ConfigError(
                    f"{why}: {target!r} names a provider and no model: write {name}/MODEL"
                )
            return self.profile(name), model
        from difflib import get_close_matches  # noqa: PLC0415 - 2 ms, for few targets

        for meant in get_close_matches(name, self._providers.names, n=1, cutoff=_ALIKE):
            raise ConfigError(
                f"{why}: unknown provider {name!r}, did you mean {meant!r}? If it is part of the "
                f"model's name: {self._default.name}/{target}"
            )
        return self._default, target


def _pattern(key: str) -> str:
    return f"*{key}*" if key in TIERS else key.lower()


def _plain(asked: str) -> str:
    return asked[: -len(_MILLION)] if asked.lower().endswith(_MILLION) else asked
