"""`fcc claude`: Claude Code through fcc, in one word."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from fcc.cli.client import UNSET, Link, variables, window_of
from fcc.cli.configured import config_of
from fcc.cli.link import link_to, started
from fcc.cli.local import NotFccError, running_daemon
from fcc.cli.options import variable_option
from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.running import Running

__all__ = ["claude"]

_EPILOG = """\b
Examples:
  fcc claude
  fcc claude -p "why does test_login fail?"
  fcc claude --provider deepseek --resume
  fcc claude --permission-mode plan
  fcc claude -- --help           what Claude Code itself takes
\b
FCC_CLAUDE names the program where it is not `claude` on the PATH. A daemon that was started for
this goes on in the background: fcc status, fcc logs, fcc stop.
"""

_SMALLEST = 32_000
"""Tokens: Claude Code's instructions and tools alone are 15,000 to 20,000."""

_COMMANDS = frozenset(
    {"agents", "auth", "auto-mode", "config", "doctor", "install", "mcp", "plugin", "plugins",
     "setup-token", "update", "upgrade"}
)  # fmt: skip
"""Words with which Claude Code does something else than talk."""


@click.command(
    epilog=_EPILOG,
    context_settings={
        "ignore_unknown_options": True,
        "allow_interspersed_args": False,
        "help_option_names": ["--help"],
    },
)
@variable_option("FCC_PROVIDER", "--provider", metavar="NAME", help="See `fcc providers`.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[ARGS]...")
def claude(provider: str | None, arguments: tuple[str, ...]) -> None:
    """Start Claude Code through the daemon, which is started if none runs.

    All ARGS go to Claude Code, and its terminal and exit code are yours.
    """
    binary = _binary()
    config = config_of(None)
    running = _daemon(config, provider or "")
    model = os.environ.get("FCC_MODEL", "")
    link = link_to(running, config, provider or "", model)
    _warn(link)
    environ = {name: value for name, value in os.environ.items() if name not in UNSET}
    environ |= variables(link, os.environ)
    command = [binary, *_permission_mode(arguments, os.environ), *arguments]
    os.execve(binary, command, environ)  # noqa: S606 - what the person asked for


def _binary() -> str:
    named = os.environ.get("FCC_CLAUDE", "")
    home = Path.home()
    places = [named] if named else ["claude", *map(str, _usual_places(home))]
    for place in places:
        found = shutil.which(place)
        if found:
            return found
    if named:
        raise ConfigError(f"FCC_CLAUDE is {named!r}, which can't be run")
    raise ConfigError(
        "claude is not on the PATH: npm install -g @anthropic-ai/claude-code, "
        "or say where it is with FCC_CLAUDE"
    )


def _usual_places(home: Path) -> Iterator[Path]:
    """Where its own installers put it without touching the PATH."""
    yield home / ".local" / "bin" / "claude"
    yield home / ".claude" / "local" / "claude"


def _daemon(config: Config, provider: str) -> Running:
    try:
        running = running_daemon(config)
    except NotFccError as error:
        raise ConfigError(
            f"{error}: choose another port with FCC_PORT or in config.toml"
        ) from error
    if running:
        return running
    running = started(config, ["--provider", provider] if provider else [])
    click.echo(
        f"fcc runs in the background at {running.url}, provider {running.provider} "
        "(fcc status, fcc logs, fcc stop)",
        err=True,
    )
    return running


def _warn(link: Link) -> None:
    window = window_of(link.tiers)
    if window and window < _SMALLEST:
        click.echo(
            f"fcc: a context window of {window} tokens is too small for Claude Code, which needs "
            f"{_SMALLEST} or more: load the model with a larger one",
            err=True,
        )


def _permission_mode(arguments: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """`--permission-mode default`, unless the person has chosen.

    The client's own default checks actions with a model of Anthropic's that no gateway has.
    """
    chosen = (
        "--permission-mode",
        "--dangerously-skip-permissions",
        "--version",
        "-v",
        "--help",
        "-h",
    )
    if any(argument.split("=")[0] in chosen for argument in arguments):
        return []
    if (arguments and arguments[0] in _COMMANDS) or _mode_in_settings(environ):
        return []
    return ["--permission-mode", "default"]


def _mode_in_settings(environ: Mapping[str, str]) -> bool:
    """Whether Claude Code's own settings files say which mode to start in."""
    home = Path(environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude")
    project = Path(".claude")
    for path in (
        home / "settings.json",
        project / "settings.json",
        project / "settings.local.json",
    ):
        try:
            permissions = json.loads(path.read_text("utf-8"))["permissions"]
            if permissions["defaultMode"]:
                return True
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return False
