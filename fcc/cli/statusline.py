"""`fcc statusline`: one line for Claude Code's status line, at once.

Claude Code runs the command that its settings name under `statusLine`, gives it JSON on standard
input, and shows its first line (https://docs.anthropic.com/en/docs/claude-code/statusline).
"""

import os
import sys
from typing import Any

import click
import msgspec

from fcc.cli.local import NotFccError, ask, health, reachable
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
    try:
        said, more = health(url, _PATIENCE), _status(url)
    except NotFccError:
        return [paint(f"not through fcc, but {url}", "yellow")]
    if said is None:
        return [paint(f"fcc does not run at {url}", "red")]
    return [_model(session, running, said), *_queue(said, more), *_cache(more), *_error(more)]


def _daemon(url: str) -> Running | None:
    """The daemon that this Claude Code talks to; without an address the only one."""
    try:
        running = list(daemons())
    except ConfigError:
        return None
    fitting = [one for one in running if not url or reachable(one.url) == url]
    return fitting[0] if fitting else None


def _status(url: str) -> dict[str, Any]:
    """GET /status, which an fcc that wants a token gives for it; {} where there is none."""
    token = os.environ.get("ANTHROPIC_AUTH_TOKEN", "")
    try:
        code, said = ask(url, "/status", token=token, patience=_PATIENCE)
    except (OSError, NotFccError):
        return {}
    return said if code == 200 and isinstance(said, dict) else {}


def _model(session: dict[str, Any], running: Running | None, said: dict[str, Any]) -> str:
    model = session.get("model")
    asked = str(model.get("id", "")) if isinstance(model, dict) else ""
    asked = asked.removesuffix("[1m]").removeprefix("anthropic/")
    tiers = running.tiers if running else {}
    family = next((name for name in tiers if name in asked), "")
    shown = tiers[family].target if family and asked.startswith("claude") else asked
    return paint(shown or str(said["provider"]), "cyan")


def _queue(said: dict[str, Any], more: dict[str, Any]) -> list[str]:
    waiting = more.get("waiting", more.get("queued"))
    parts = [f"{said.get('open_requests', 0)} open"]
    if isinstance(waiting, int) and waiting:
        parts.append(paint(f"{waiting} waiting", "yellow"))
    return parts


def _cache(more: dict[str, Any]) -> list[str]:
    ratio = more.get("cache_hit_ratio")
    return [f"cache {ratio:.0%}"] if isinstance(ratio, int | float) else []


def _error(more: dict[str, Any]) -> list[str]:
    error = more.get("last_error")
    if isinstance(error, dict):
        error = error.get("message") or error.get("type")
    return [paint(str(error)[:60], "red")] if error else []
