"""`fcc statusline`: one line for Claude Code's status line, at once.

Claude Code runs the command that its settings name under `statusLine`, gives it JSON on standard
input, and shows its first line (https://docs.anthropic.com/en/docs/claude-code/statusline).
"""

import os
import sys
from typing import Any

import click
import msgspec

from fcc.cli.local import NotFccError, asked_status, health, reachable
from fcc.cli.status_rows import duration, seconds_since
from fcc.cli.table import paint
from fcc.errors import ConfigError
from fcc.settings.running import Running, daemons

__all__ = ["statusline"]

_EPILOG = """\b
In ~/.claude/settings.json:
  "statusLine": {"type": "command", "command": "fcc statusline"}
\b
Example:
  echo '{}' | fcc statusline
"""

_PATIENCE = 0.1
"""Seconds: the line is shown after every answer, and nobody waits for it."""

_OLDEST_ERROR = 300.0
"""Seconds for which an error is news."""

_LONGEST = 60
"""Characters of an error: the line is one line."""


@click.command(epilog=_EPILOG)
@click.option("--setup", is_flag=True, help="Print the setting for settings.json.")
def statusline(setup: bool) -> None:
    """Print provider, model, queue, last error and cache hits of the daemon."""
    if setup:
        command = {"type": "command", "command": "fcc statusline"}
        click.echo(msgspec.json.format(msgspec.json.encode({"statusLine": command})))
        return
    session = _session()
    # Claude Code shows colours, though it is no terminal.
    click.echo("  ".join(_parts(session)), color=True)


def _session() -> dict[str, Any]:
    """What Claude Code says; {} where it says nothing that is JSON."""
    try:
        said = msgspec.json.decode(sys.stdin.buffer.read()) if not sys.stdin.isatty() else {}
    except msgspec.DecodeError:
        return {}
    return said if isinstance(said, dict) else {}


def _parts(session: dict[str, Any]) -> list[str]:
    url = os.environ.get("ANTHROPIC_BASE_URL", "").rstrip("/").removesuffix("/v1")
    running = _daemon(url)
    url = reachable(running.url) if running else url
    if not url:
        return [paint("fcc does not run", "red")]
    more = asked_status(url, _token(), _PATIENCE)
    if more is not None:
        return [_model(session, running, more), *_queue(more), *_cache(more), *_error(more)]
    try:
        said = health(url, _PATIENCE)
    except NotFccError:
        return [paint(f"not through fcc, but {url}", "yellow")]
    if said is None:
        return [paint(f"fcc does not run at {url}", "red")]
    return [_model(session, running, said), f"{said['open_requests']} open"]


def _daemon(url: str) -> Running | None:
    """The daemon that this Claude Code talks to; without an address the only one."""
    try:
        running = list(daemons())
    except (ConfigError, OSError):
        return None
    fitting = [one for one in running if not url or reachable(one.url) == url]
    return fitting[0] if fitting else None


def _token() -> str:
    """What Claude Code has been given; by hand, what the configuration says."""
    given = os.environ.get("ANTHROPIC_AUTH_TOKEN", "")
    if given:
        return given
    from fcc.cli.configured import config_of

    try:
        return config_of(None).auth_token
    except ConfigError:
        return ""


def _model(session: dict[str, Any], running: Running | None, said: dict[str, Any]) -> str:
    model = session.get("model")
    asked = str(model.get("id", "")) if isinstance(model, dict) else ""
    asked = asked.removesuffix("[1m]").removeprefix("anthropic/")
    tiers = running.tiers if running else {}
    family = next((name for name in tiers if name in asked), "")
    shown = tiers[family].target if family and asked.startswith("claude") else asked
    return paint(shown or str(said["provider"]), "cyan")


def _queue(more: dict[str, Any]) -> list[str]:
    parts = [] if more["open_requests"] is None else [f"{more['open_requests']} open"]
    if more["waiting"]:
        parts.append(paint(f"{more['waiting']} waiting", "yellow"))
    resting = [lane["provider"] for lane in more["lanes"] if lane["breaker"]["state"] == "open"]
    return parts + [paint(f"{name} rests", "yellow") for name in resting]


def _cache(more: dict[str, Any]) -> list[str]:
    ratio = more["cache_hit_ratio"]
    return [] if ratio is None else [f"cache {ratio:.0%}"]


def _error(more: dict[str, Any]) -> list[str]:
    error = more["last_error"]
    if error is None or (ago := seconds_since(error["at"])) > _OLDEST_ERROR:
        return []
    words = error["message"] or error["type"]
    short = words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
    return [paint(f"{short} ({duration(ago)} ago)", "red")]
