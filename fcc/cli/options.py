"""Options that several commands share, and what is made of them together."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource

from fcc.errors import ConfigError
from fcc.overriding import override
from fcc.settings.config import Config
from fcc.settings.files import Providers, load_config
from fcc.settings.keys import Keys
from fcc.settings.probed import Probes
from fcc.settings.profile import Profile
from fcc.settings.routing import Router

__all__ = [
    "Choice",
    "checked_url",
    "choose",
    "chosen_provider",
    "own_name",
    "provider_options",
    "said_by",
    "variable_option",
]


class _Option(click.Option):
    """One that a variable may set: an error names the one that is wrong."""

    @override
    def get_error_hint(self, ctx: click.Context | None) -> str:
        if ctx and ctx.get_parameter_source(str(self.name)) is ParameterSource.ENVIRONMENT:
            return f"{self.envvar} in the environment"
        return super().get_error_hint(ctx)


def variable_option(
    variable: str, *names: str, **more: Any
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """An option that a variable of the environment may set in its place."""
    return click.option(*names, cls=_Option, envvar=variable, **more)


def said_by(variable: str, value: str) -> str:
    """`NAME in the environment` where that is what says `value`; "" where it is somebody else."""
    return f"{variable} in the environment" if os.environ.get(variable) == value else ""


def provider_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--model, --base-url and --config, each with its environment variable."""
    for option in (
        variable_option("FCC_MODEL", "--model", "-m", help="The model for every request."),
        variable_option(
            "FCC_BASE_URL",
            "--base-url",
            metavar="URL",
            help="Where the provider is, up to and without /chat/completions.",
        ),
        variable_option(
            "FCC_CONFIG",
            "--config",
            "config_path",
            type=click.Path(dir_okay=False, path_type=Path),
            help="A config.toml in place of the usual one.",
        ),
    ):
        command = option(command)
    return command


class Choice(msgspec.Struct, frozen=True):
    """What a command works with."""

    config: Config
    providers: Providers
    keys: Keys
    profile: Profile
    model: str
    notice: str = ""
    """Why this provider, where nobody chose it."""

    def router(self) -> Router:
        """Raises ConfigError for a target in `models` that can't be read."""
        return Router(
            self.providers,
            self.profile,
            self.config.models,
            model=self.model,
            fallback=self.config.fallback,
            routes=self.config.routes,
        )


def choose(
    provider: str | None, model: str | None, base_url: str | None, config_path: Path | None
) -> Choice:
    """The provider of the option, of config.toml, the first that is ready, or the demo.

    Raises ConfigError.
    """
    config = load_config(config_path)
    providers, keys = Providers(probes=Probes.read()), Keys()
    token = keys.variable("FCC_AUTH_TOKEN")
    if token:
        config = msgspec.structs.replace(config, auth_token=token)
    name = provider or providers.default(config, config_path)
    profile, notice = chosen_provider(providers, keys, name, base_url)
    keys.require(profile)
    return Choice(config, providers, keys, profile, model or "", notice)


def chosen_provider(
    providers: Providers, keys: Keys, name: str, base_url: str | None
) -> tuple[Profile, str]:
    """The profile, at `base_url` if that is given, and why it is this one if nobody said.

    Raises ConfigError.
    """
    notice = ""
    if not name and base_url:
        name = "custom"
    elif not name:
        from fcc.cli.ready import first_ready

        name, notice = first_ready(providers, keys)
    providers.check(name, said_by("FCC_PROVIDER", name))
    profile = providers.get(name, checked_url(base_url) if base_url else "")
    if not profile.base_url and not profile.embedded:
        raise ConfigError(f"{name} needs --base-url (for example http://localhost:8000/v1)")
    return profile, notice


def own_name() -> str:
    """How a person starts fcc from here: by its name where that is on the PATH."""
    import shutil

    own = Path(sys.executable).parent / "fcc"
    if shutil.which("fcc") or not own.is_file():
        return "fcc"
    return str(own.relative_to(Path.cwd()) if own.is_relative_to(Path.cwd()) else own)


def checked_url(base_url: str) -> str:
    """A base URL as profiles have it. Raises ConfigError."""
    scheme, _, rest = base_url.partition("://")
    if scheme not in ("http", "https") or not rest.strip("/"):
        where = said_by("FCC_BASE_URL", base_url) or "--base-url"
        raise ConfigError(f"{where} must begin with http:// or https://, not {base_url!r}")
    return base_url.rstrip("/").removesuffix("/chat/completions")
