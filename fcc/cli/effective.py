"""Which value of each option counts, and who said so?"""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from fcc.cli.options import said_by
from fcc.errors import NotFoundError
from fcc.settings.config import Config
from fcc.settings.files import Providers, config_dir, config_file, load_config
from fcc.settings.keys import Keys
from fcc.settings.probed import Probes
from fcc.settings.profile import Profile
from fcc.settings.routing import TIERS, Router
from fcc.settings.toml import read_table

__all__ = ["Value", "values"]

_VARIABLES = {
    "provider": "FCC_PROVIDER",
    "auth_token": "FCC_AUTH_TOKEN",
    "log_level": "FCC_LOG_LEVEL",
    "server.host": "FCC_HOST",
    "server.port": "FCC_PORT",
    "tool_calls.dialects": "FCC_DIALECTS",
    "tool_calls.repair": "FCC_REPAIR",
    "recorder.bodies": "FCC_RECORD",
}
"""Options that the environment may set."""

_SECRET = frozenset({"auth_token"})


class Value(msgspec.Struct, frozen=True):
    """An option as it counts."""

    name: str
    value: Any
    origin: str
    """default, a variable, or a file."""


def values(environ: Mapping[str, str], probes: Probes) -> Iterator[Value]:
    """All options, then the key, where Claude Code's families go, and what the doctor found.

    Raises ConfigError.
    """
    config, keys, file = load_config(), Keys(environ), config_file()
    said = dict(_flat(read_table(file))) if file.is_file() else {}
    for name, value in _flat(msgspec.to_builtins(config)):
        option = _option(name, value, str(file) if name in said else "default", environ)
        yield _kept_secret(option) if name in _SECRET else option
    yield from _of_provider(config, keys, environ, probes)


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _option(name: str, value: Any, origin: str, environ: Mapping[str, str]) -> Value:
    variable = _VARIABLES.get(name, "")
    if environ.get(variable):
        return Value(name, environ[variable], f"{variable} in the environment")
    # Of the env file the daemon reads this one by itself; the rest is systemd's business.
    kept = Keys(environ).variable(variable) if name in _SECRET else ""
    return Value(name, kept, str(config_dir() / "fcc.env")) if kept else Value(name, value, origin)


def _kept_secret(option: Value) -> Value:
    return Value(option.name, "***" if option.value else "", option.origin)


def _of_provider(
    config: Config, keys: Keys, environ: Mapping[str, str], probes: Probes
) -> Iterator[Value]:
    name, providers = environ.get("FCC_PROVIDER", ""), Providers(probes=probes)
    name = name or providers.default(config)
    if not name:
        return
    providers.check(name, said_by("FCC_PROVIDER", name))
    profile = providers.get(name)
    yield Value(f"{name}.base_url", profile.base_url, str(providers.path(name)))
    if profile.api_key_env:
        yield _key(profile, keys, environ)
    model = environ.get("FCC_MODEL", "")
    router = Router(providers, profile, config.models, model=model)
    for tier in TIERS:
        try:
            route = router.route(f"claude-{tier}")
        except NotFoundError:
            continue
        chosen = router.pattern_for(f"claude-{tier}")
        origin = config_file() if chosen else providers.path(name)
        target = f"{route.profile.name}/{route.model.name}"
        yield Value(f"{tier} ->", target, "FCC_MODEL in the environment" if model else str(origin))
    for used in router.profiles:
        for found, facts in probes.applied(used):
            for key, value in facts.items():
                yield Value(f"{used.name}/{found.model} {key}", value, found.file)


def _key(profile: Profile, keys: Keys, environ: Mapping[str, str]) -> Value:
    name = profile.api_key_env
    if environ.get(name):
        return Value(name, "***", "the environment")
    if keys.get(profile):
        return Value(name, "***", str(config_dir() / "fcc.env"))
    return Value(name, "", "not needed" if profile.api_key_optional else "not set")
