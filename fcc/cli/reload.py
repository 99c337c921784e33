"""`fcc reload`: the daemon reads its configuration again."""

import os
import signal
import sys
import time

import click

from fcc.cli.daemon_options import needed, port_option
from fcc.settings.files import Providers, load_config
from fcc.settings.keys import Keys
from fcc.settings.running import alive

__all__ = ["reload"]

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
    running = needed(port)
    os.kill(running.pid, signal.SIGHUP)
    # A daemon that can't reload is ended by the signal: that must not look like success.
    time.sleep(0.2)
    if not alive(running):
        click.echo(f"fcc at {running.url} has ended instead: see fcc logs", err=True)
        sys.exit(1)
    click.echo(f"fcc at {running.url} reads its configuration again")


def _check() -> None:
    """Raises ConfigError for what the daemon could not use."""
    config, providers = load_config(), Providers()
    Keys()
    if config.provider:
        providers.get(config.provider)
