"""`fcc reload`: the daemon reads its configuration again."""

import os
import signal
import sys
import time
from typing import Any

import click

from fcc.cli.daemon_options import found, needed, port_option
from fcc.cli.local import asked_status, reachable
from fcc.settings.files import Providers, load_config
from fcc.settings.keys import Keys
from fcc.settings.running import Running, alive

__all__ = ["reload"]

_READS = "reads its configuration again"

_PATIENCE = 5.0
"""Seconds for a daemon to read a few files."""

_PAUSE = 0.2
"""Seconds after which a daemon has ended that a SIGHUP ends."""

_EPILOG = """\b
Example:
  fcc config edit && fcc reload
\b
A configuration that can't be used is told here, and the daemon keeps the one it has.
"""


@click.command(epilog=_EPILOG)
@port_option
def reload(port: int | None) -> None:
    """Let the daemon read its configuration again."""
    _check()
    config, running = found(port)
    running = needed(port) if running is None or not running.pid else running
    url, token = reachable(running.url), config.auth_token
    before = asked_status(url, token)
    os.kill(running.pid, signal.SIGHUP)
    after = _taken(running, url, token, before)
    if after is not None and after["reload_error"]:
        click.echo(f"fcc at {running.url} keeps what it had: {after['reload_error']}", err=True)
        sys.exit(1)
    click.echo(f"fcc at {running.url} {_READS if after is None else 'has read its configuration'}")


def _taken(
    running: Running, url: str, token: str, before: dict[str, Any] | None
) -> dict[str, Any] | None:
    """GET /status after the daemon has read; None where it does not say.

    A daemon that can't reload is ended by the signal: then this ends the command.
    """
    limit = time.monotonic() + (_PATIENCE if before else _PAUSE)
    while time.monotonic() < limit:
        time.sleep(0.02)
        if not alive(running):
            click.echo(f"fcc at {running.url} has ended instead: see fcc logs", err=True)
            sys.exit(1)
        after = asked_status(url, token) if before else None
        if before and after and after["reloads"] > before["reloads"]:
            return after
    return None


def _check() -> None:
    """Raises ConfigError for what the daemon could not use."""
    config, providers = load_config(), Providers()
    Keys()
    if name := providers.default(config):
        providers.get(name)
