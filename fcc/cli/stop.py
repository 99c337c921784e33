"""`fcc stop`: the daemon's end; open answers may finish first."""

import os
import signal
import sys
import time

import click

from fcc.cli.daemon_options import needed, port_option
from fcc.cli.progress import doing
from fcc.settings.running import Running, alive

__all__ = ["stop"]

_EPILOG = """\b
Examples:
  fcc stop            open answers may finish, for drain_seconds (30) at most
  fcc stop --now      they are broken off
"""

_PATIENCE = 600.0
"""Seconds: drain_seconds is the person's."""


@click.command(epilog=_EPILOG)
@port_option
@click.option("--now", is_flag=True, help="Break open answers off.")
def stop(port: int | None, now: bool) -> None:
    """End the daemon; open answers may finish first."""
    running = needed(port)
    with doing(f"fcc at {running.url} ends; open answers may finish (fcc stop --now breaks them)"):
        ended = _ended(running, now=now)
    if not ended:
        click.echo(f"fcc at {running.url} (pid {running.pid}) does not end", err=True)
        sys.exit(1)
    click.echo(f"fcc at {running.url} has ended")


def _ended(running: Running, *, now: bool) -> bool:
    try:
        os.kill(running.pid, signal.SIGTERM)
        if now and not _gone(running, 0.2):
            # The second signal is the daemon's word for "at once".
            os.kill(running.pid, signal.SIGTERM)
    except ProcessLookupError:
        return True
    return _gone(running, _PATIENCE)


def _gone(running: Running, patience: float) -> bool:
    limit = time.monotonic() + patience
    while alive(running):
        if time.monotonic() > limit:
            return False
        time.sleep(0.05)
    return True
