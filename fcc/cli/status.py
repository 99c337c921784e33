"""`fcc status`: does the daemon run, with what, and how busy is it?"""

import sys
from typing import Any

import click
import msgspec

from fcc.cli.daemon_options import NOT_RUNNING, found, port_option
from fcc.cli.local import asked_status, health, reachable
from fcc.cli.say_json import say_json
from fcc.cli.status_rows import duration, rows
from fcc.cli.table import paint, wrapped
from fcc.settings.running import Running

__all__ = ["status"]

_EPILOG = """\b
Examples:
  fcc status
  fcc status --json | jq .status.last_error
\b
Exit code: 0 it runs, 3 it does not, 1 it runs and does not answer.
"""


@click.command(epilog=_EPILOG)
@port_option
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
def status(port: int | None, as_json: bool) -> None:
    """Show whether the daemon runs, and how busy it is."""
    config, running = found(port)
    if running is None:
        if as_json:
            say_json({"running": False}, indent=None)
        else:
            click.echo("fcc does not run")
        sys.exit(NOT_RUNNING)
    url = reachable(running.url)
    said = health(url)
    more = asked_status(url, config.auth_token) if said else None
    if as_json:
        known = {"running": True, **msgspec.to_builtins(running), "health": said, "status": more}
        say_json(known)
    else:
        _show(running, said, more)
    sys.exit(0 if said else 1)


def _show(running: Running, said: dict[str, Any] | None, more: dict[str, Any] | None) -> None:
    shown = [("daemon", _daemon(running))]
    if said is None:
        shown.append(("state", paint("it does not answer", "red")))
    else:
        shown.append(("provider", _provider(said, more)))
    shown += [(name, _tier(running, name)) for name in running.tiers]
    if more is not None:
        shown += rows(more)
    elif said is not None:
        since = duration(said["uptime_seconds"])
        shown.append(("requests", f"{said['open_requests']} open in {since}"))
    if running.log:
        shown.append(("log", f"{running.log} (fcc logs -f)"))
    width = max(len(name) for name, _ in shown)
    for name, value in shown:
        click.echo(f"{paint(name.ljust(width), 'cyan')}  {wrapped(value, width + 2)}")


def _daemon(running: Running) -> str:
    by = f", a {running.service} service" if running.service else ""
    pid = f" (pid {running.pid}{by})" if running.pid else ""
    return f"fcc {running.version} at {running.url}{pid}"


def _provider(said: dict[str, Any], more: dict[str, Any] | None) -> str:
    name = str(said["provider"])
    title = more["title"] if more else name
    return name if title == name else f"{title} ({name})"


def _tier(running: Running, name: str) -> str:
    tier = running.tiers[name]
    window = f"  {tier.context_window:,} tokens" if tier.context_window else ""
    return f"{tier.target}{window}"
