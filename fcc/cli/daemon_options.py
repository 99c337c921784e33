"""How do commands find the daemon that is meant?"""

import sys
from collections.abc import Callable
from typing import Any

import click

from fcc.cli.configured import config_of
from fcc.cli.local import NotFccError, running_daemon
from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.running import Running, find

__all__ = ["NOT_RUNNING", "found", "needed", "port_option"]

NOT_RUNNING = 3
"""Exit code, as systemctl's."""


def port_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--port, for when several daemons run."""
    return click.option(
        "--port",
        type=click.IntRange(1, 65535),
        help="Which daemon, where several run (the only one, or that of config.toml).",
    )(command)


def found(port: int | None) -> tuple[Config, Running | None]:
    """The configuration and the daemon that is meant, if it runs. Raises ConfigError.

    A daemon that left word of itself is found where the configuration can't be read, too: it
    must be possible to look at it and to end it.
    """
    try:
        config = config_of(None)
    except ConfigError as error:
        running = find(port, Config().server.port)
        if running is None:
            raise
        click.echo(f"fcc: {error.message}", err=True)
        return Config(), running
    try:
        return config, running_daemon(config, port)
    except NotFccError as error:
        raise ConfigError(str(error)) from error


def needed(port: int | None) -> Running:
    """The daemon that is meant; ends the command with NOT_RUNNING where there is none.

    Raises ConfigError for one that left no word of its process.
    """
    _, running = found(port)
    if running is None:
        click.echo("fcc does not run (start it with fcc serve, fcc claude or fcc service start)")
        sys.exit(NOT_RUNNING)
    if not running.pid:
        raise ConfigError(
            f"the fcc at {running.url} left no word of its process here: it belongs to another "
            "user, or runs in a container"
        )
    return running
