"""`fcc serve`: start the daemon and say what Claude Code needs."""

import asyncio
from pathlib import Path

import click
import msgspec

from fcc import log
from fcc.cli.options import Choice, choose, provider_options
from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.routing import Router

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
    choice = choose(provider, model, base_url, config_path)
    config = _with(choice.config, host, port, log_level)
    log.set_up(config.log_level)
    choice = _with_a_model(msgspec.structs.replace(choice, config=config))
    router = choice.router()
    from fcc.server import run

    asyncio.run(run.serve(config, router, choice.keys, lambda url: _greet(url, choice, router)))


def _with(config: Config, host: str | None, port: int | None, log_level: str | None) -> Config:
    changes = {"host": host, "port": port}
    set_ = {key: value for key, value in changes.items() if value is not None}
    server = msgspec.structs.replace(config.server, **set_)
    level = log_level.lower() if log_level else config.log_level
    return msgspec.convert(
        {**msgspec.structs.asdict(config), "server": server, "log_level": level}, Config
    )


def _with_a_model(choice: Choice) -> Choice:
    """A local server without a model in its profile serves the first that it offers."""
    profile = choice.profile
    if choice.model or profile.default_model or profile.models or choice.config.models:
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
