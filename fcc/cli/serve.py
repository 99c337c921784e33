"""`fcc serve`: start the daemon and say what Claude Code needs."""

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
import msgspec
from loguru import logger

import fcc
from fcc import log
from fcc.cli.link import tiers_of
from fcc.cli.options import Choice, choose, provider_options
from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.files import load_config
from fcc.settings.routing import Router
from fcc.settings.running import Running, announced

if TYPE_CHECKING:
    from fcc.server.run import Setup

__all__ = ["serve"]

_EPILOG = """\b
Examples:
  fcc serve --provider nim
  fcc serve --provider openrouter --model qwen/qwen3-coder
  fcc serve --provider lmstudio --port 9000
  fcc serve --provider custom --base-url http://gpu-box:8000/v1 --model my-model
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--provider", "-p", envvar="FCC_PROVIDER", metavar="NAME", help="See `fcc providers`."
)
@provider_options
@click.option("--host", envvar="FCC_HOST", help="Where to listen (127.0.0.1).")
@click.option("--port", envvar="FCC_PORT", type=click.IntRange(0, 65535), help="(8082)")
@click.option(
    "--log-level",
    envvar="FCC_LOG_LEVEL",
    type=click.Choice(["debug", "info", "warning", "error"], case_sensitive=False),
    help="(info)",
)
def serve(
    provider: str | None,
    model: str | None,
    base_url: str | None,
    config_path: Path | None,
    host: str | None,
    port: int | None,
    log_level: str | None,
) -> None:
    """Start the gateway. Ctrl-C or SIGTERM ends it; open answers may finish first."""
    asked = _Asked(provider, model, base_url, config_path, host, port, log_level)
    choice = _with_a_model(asked.choice())
    log.set_up(choice.config.log_level)
    from fcc.server import run

    with ExitStack() as stack:
        daemon = _Daemon(asked, choice, stack)
        router, keys = choice.router(), choice.keys
        asyncio.run(run.serve(choice.config, router, keys, daemon.ready, daemon.reload))


class _Asked(msgspec.Struct, frozen=True):
    """The options: they win over the files, at every reload too."""

    provider: str | None
    model: str | None
    base_url: str | None
    config_path: Path | None
    host: str | None
    port: int | None
    log_level: str | None

    def choice(self, usual: str = "") -> Choice:
        """`usual` is the provider where neither option nor file names one. Raises ConfigError."""
        named = self.provider or load_config(self.config_path).provider or usual
        choice = choose(named, self.model, self.base_url, self.config_path)
        config = _with(choice.config, self.host, self.port, self.log_level)
        return msgspec.structs.replace(choice, config=config)


class _Daemon:
    """What happens when the daemon is ready, and when it reads its configuration again."""

    def __init__(self, asked: _Asked, choice: Choice, stack: ExitStack) -> None:
        self._asked = asked
        self._choice = choice
        self._stack = stack
        self._url = ""

    def ready(self, url: str) -> None:
        """Tell the person, and other commands until the stack is left."""
        self._url = url
        self._announce(self._choice.router())
        _greet(url, self._choice, self._choice.router())

    def reload(self) -> "Setup":
        """What the files say by now; where nobody named a provider it stays the one it is.

        Raises ConfigError.
        """
        from fcc.server.run import Setup

        before = self._choice
        choice = self._asked.choice(before.profile.name)
        if choice.profile.name == before.profile.name and not choice.model:
            # Asking the server again which model is loaded would hold every answer up.
            choice = msgspec.structs.replace(
                choice, model="" if _models_of(choice) else before.model
            )
        self._choice = choice
        router = choice.router()
        self._announce(router)
        log.set_up(choice.config.log_level)
        return Setup(choice.config, router, choice.keys)

    def _announce(self, router: Router) -> None:
        self._stack.close()
        try:
            self._stack.enter_context(announced(_running(self._url, self._choice, router)))
        except ConfigError as error:
            # A container may have no place to write: serving matters more than being found.
            logger.warning("{}; fcc status and fcc stop won't find this daemon", error)


def _running(url: str, choice: Choice, router: Router) -> Running:
    return Running(
        pid=os.getpid(),
        url=url,
        version=fcc.__version__,
        provider=choice.profile.name,
        tiers=tiers_of(router),
        log=os.environ.get("FCC_LOG_FILE", ""),
        service=_service(),
    )


def _service() -> Literal["", "user", "system"]:
    """Set by fcc's own unit: what systemd sets is inherited by every shell of a desktop too."""
    match os.environ.get("FCC_SERVICE"):
        case "user":
            return "user"
        case "system":
            return "system"
        case _:
            return ""


def _with(config: Config, host: str | None, port: int | None, log_level: str | None) -> Config:
    changes = {"host": host, "port": port}
    set_ = {key: value for key, value in changes.items() if value is not None}
    server = msgspec.structs.replace(config.server, **set_)
    level = log_level.lower() if log_level else config.log_level
    return msgspec.convert(
        {**msgspec.structs.asdict(config), "server": server, "log_level": level}, Config
    )


def _models_of(choice: Choice) -> bool:
    """Whether files say which models to use."""
    return bool(choice.profile.default_model or choice.profile.models or choice.config.models)


def _with_a_model(choice: Choice) -> Choice:
    """A local server without a model in its profile serves the first that it offers."""
    profile = choice.profile
    if choice.model or _models_of(choice):
        return choice
    from fcc.cli.offered import offered_models

    models = offered_models(profile, choice.keys.get(profile))
    if not models:
        raise ConfigError(
            f"{profile.label} at {profile.base_url} offers no model that fcc can see: "
            "load one there, or name it with --model"
        )
    return msgspec.structs.replace(choice, model=models[0])


def _greet(url: str, choice: Choice, router: Router) -> None:
    profile, config = choice.profile, choice.config
    reason = f" ({choice.notice})" if choice.notice else ""
    token = "the auth_token you set" if config.auth_token else "fcc"
    lines = [f"fcc listens on {url}, provider {profile.name}{reason}", ""]
    lines += [f"  {tier:8} -> {target}" for tier, target in router.mapping()]
    lines += [
        "",
        "Start Claude Code with:",
        "",
        f"  export ANTHROPIC_BASE_URL={url}",
        f"  export ANTHROPIC_AUTH_TOKEN={'...' if config.auth_token else token}",
        "  claude",
        "",
    ]
    if profile.embedded:
        lines += ["For a real model: fcc providers, then fcc serve --provider NAME.", ""]
    click.echo("\n".join(lines))
