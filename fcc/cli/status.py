"""`fcc status`: does the daemon run, with what, and how busy is it?"""

import json
import sys
from typing import Any

import click
import msgspec

from fcc.cli.daemon_options import NOT_RUNNING, found, port_option
from fcc.cli.local import NotFccError, ask, health, reachable
from fcc.cli.table import paint
from fcc.settings.config import Config
from fcc.settings.running import Running

__all__ = ["duration", "status"]

_EPILOG = """\b
Examples:
  fcc status
  fcc status --json | jq .health.open_requests
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
        click.echo(json.dumps({"running": False}) if as_json else "fcc does not run")
        sys.exit(NOT_RUNNING)
    url = reachable(running.url)
    said = health(url)
    more = _status(url, config)
    if as_json:
        known = {"running": True, **msgspec.to_builtins(running), "health": said, "status": more}
        click.echo(json.dumps(known, indent=2))
    else:
        _show(running, said, more)
    sys.exit(0 if said else 1)


def _status(url: str, config: Config) -> dict[str, Any] | None:
    """GET /status; None for a daemon that has none."""
    try:
        code, said = ask(url, "/status", token=config.auth_token)
    except (OSError, NotFccError):
        return None
    return said if code == 200 and isinstance(said, dict) else None


def _show(running: Running, said: dict[str, Any] | None, more: dict[str, Any] | None) -> None:
    rows = [("daemon", _daemon(running))]
    if said:
        rows.append(("provider", str(said["provider"])))
        rows.append(("requests", _requests(said)))
    else:
        rows.append(("state", paint("it does not answer", "red")))
    rows += [(name, _tier(running, name)) for name in running.tiers]
    rows += [(name, _words(value)) for name, value in (more or {}).items() if _new(name, said)]
    if running.log:
        rows.append(("log", f"{running.log} (fcc logs -f)"))
    width = max(len(name) for name, _ in rows)
    click.echo("\n".join(f"{paint(name.ljust(width), 'cyan')}  {value}" for name, value in rows))


def _daemon(running: Running) -> str:
    by = f", a {running.service} service" if running.service else ""
    pid = f" (pid {running.pid}{by})" if running.pid else ""
    return f"fcc {running.version} at {running.url}{pid}"


def _requests(said: dict[str, Any]) -> str:
    since = said.get("uptime_seconds", 0)
    return (
        f"{said.get('open_requests', '?')} open, {said.get('served_requests', '?')} served "
        f"in {duration(since)}"
    )


def duration(seconds: float) -> str:
    """Two units at most: `3 h 5 min`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min"
    if whole < 86400:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 86400} d {whole % 86400 // 3600} h"


def _tier(running: Running, name: str) -> str:
    tier = running.tiers[name]
    window = f"  {tier.context_window:,} tokens" if tier.context_window else ""
    return f"{tier.target}{window}"


def _new(name: str, said: dict[str, Any] | None) -> bool:
    return name not in (said or {}) and name not in ("pid", "url")


def _words(value: Any) -> str:
    """A value of any shape on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(map(_words, value)) or "none"
    return str(value)
