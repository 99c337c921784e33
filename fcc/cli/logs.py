"""`fcc logs`: what the daemon said."""

import os
import sys
import time
from collections import deque
from pathlib import Path
from typing import IO

import click

from fcc.cli.daemon_options import found, port_option
from fcc.settings.places import log_file
from fcc.settings.running import Running, alive

__all__ = ["logs"]

_EPILOG = """\b
Examples:
  fcc logs
  fcc logs -f -n 5
"""


@click.command(epilog=_EPILOG)
@port_option
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C, or the daemon's end.")
@click.option("--lines", "-n", type=click.IntRange(0), default=50, help="How many (50).")
def logs(port: int | None, follow: bool, lines: int) -> None:
    """Show what the daemon said."""
    _, running = found(port)
    if running is not None and running.service:
        _journal(running.service, follow=follow, lines=lines)
    path = Path(running.log) if running is not None and running.log else log_file()
    if running is not None and running.pid and not running.log:
        click.echo(f"the fcc at {running.url} was started by hand: its terminal has its log")
        return
    if not path.is_file():
        click.echo(f"there is no log yet at {path}")
        return
    with _opened(path) as log:
        click.echo("".join(_last(log, path, lines)), nl=False)
        goes_on = follow and _follow(log, path, running)
    while goes_on:
        with _opened(path) as log:
            goes_on = _follow(log, path, running)


def _opened(path: Path) -> IO[str]:
    return path.open(encoding="utf-8", errors="replace")


def _last(log: IO[str], path: Path, lines: int) -> list[str]:
    """The last lines; of the file before it too, where the log has just been begun anew."""
    shown = list(deque(log, maxlen=lines))
    before = Path(f"{path}.1")
    if len(shown) < lines and before.is_file():
        with _opened(before) as older:
            shown = [*deque(older, maxlen=lines - len(shown)), *shown]
    return shown


def _follow(log: IO[str], path: Path, running: Running | None) -> bool:
    """Show what comes, to the daemon's end; True where the log goes on in another file."""
    while True:
        # Looked at first: what is written before a file gets another name is in it.
        begun_anew = _begun_anew(log, path)
        said = log.read()
        if said:
            click.echo(said, nl=False)
        elif begun_anew:
            return True
        elif running is None or not alive(running):
            return False
        else:
            time.sleep(0.1)


def _begun_anew(log: IO[str], path: Path) -> bool:
    try:
        return not os.path.samestat(os.fstat(log.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _journal(service: str, *, follow: bool, lines: int) -> None:
    """Go over to journalctl, which has what a service says."""
    import shutil

    binary = shutil.which("journalctl")
    whose = ["--user"] if service == "user" else []
    command = ["journalctl", *whose, "-u", "fcc", "-n", str(lines), *(["-f"] if follow else [])]
    if binary is None:
        click.echo(f"the service's log is where its service manager keeps it ({' '.join(command)})")
        sys.exit(1)
    os.execv(binary, command)  # noqa: S606 - found on the PATH, as a shell would
