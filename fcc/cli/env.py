"""`fcc env`: what `fcc claude` sets, for a shell, an editor or a program."""

import os
import re
import sys
from pathlib import Path

import click
import msgspec

from fcc.cli.client import UNSET, Link, variables
from fcc.cli.configured import config_of
from fcc.cli.link import link_to
from fcc.cli.local import NotFccError, running_daemon
from fcc.cli.options import variable_option
from fcc.cli.say_json import say_json
from fcc.errors import ConfigError

__all__ = ["env"]

_EPILOG = """\b
Examples:
  eval "$(fcc env)"                  bash, zsh, sh
  fcc env --shell fish | source
  fcc env --shell powershell | Out-String | Invoke-Expression
  fcc env --vscode                   for settings.json of VS Code
  fcc env --json
\b
On a terminal a token that you have set is shown as ***; a pipe or --show-token gives it.
"""


@click.command(epilog=_EPILOG)
@click.option(
    "--shell",
    type=click.Choice(["bash", "fish", "powershell"]),
    help="(that of SHELL, else bash)",
)
@click.option("--json", "as_json", is_flag=True, help="An object of names and values.")
@click.option("--vscode", is_flag=True, help="The setting of the extension for VS Code.")
@variable_option("FCC_PROVIDER", "--provider", metavar="NAME", help="See `fcc providers`.")
@variable_option("FCC_MODEL", "--model", "-m", help="The model for every request.")
@click.option("--show-token", is_flag=True, help="Show your token, on a terminal too.")
@variable_option(
    "FCC_CONFIG",
    "--config",
    "config_path",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A config.toml in place of the usual one.",
)
def env(
    shell: str | None,
    as_json: bool,
    vscode: bool,
    provider: str | None,
    model: str | None,
    show_token: bool,
    config_path: Path | None,
) -> None:
    """Print the environment that Claude Code needs."""
    if as_json and vscode:
        raise click.UsageError("--json and --vscode exclude each other")
    config = config_of(config_path)
    try:
        running = running_daemon(config)
    except NotFccError as error:
        raise ConfigError(str(error)) from error
    link = link_to(running, config, provider or "", model or "")
    if config.auth_token and not show_token and sys.stdout.isatty():
        link = _masked(link)
    wanted = variables(link, {} if as_json or vscode else os.environ)
    if vscode:
        entries = [{"name": name, "value": value} for name, value in wanted.items()]
        say_json({"claudeCode.environmentVariables": entries})
    elif as_json:
        say_json(wanted)
    else:
        click.echo("\n".join(_lines(shell or _own_shell(), wanted)))


_TWO = "''"
"""A quote inside quotes, for PowerShell."""


def _masked(link: Link) -> Link:
    return msgspec.structs.replace(link, token="***")  # noqa: S106 - no token


def _own_shell() -> str:
    return "fish" if os.environ.get("SHELL", "").endswith("/fish") else "bash"


def _lines(shell: str, wanted: dict[str, str]) -> list[str]:
    match shell:
        case "fish":
            unset = [f"set -e {name}" for name in UNSET]
            return unset + [f"set -gx {name} {_quoted_fish(wanted[name])}" for name in wanted]
        case "powershell":
            unset = [f"Remove-Item Env:{name} -ErrorAction SilentlyContinue" for name in UNSET]
            return unset + [f"$env:{name} = {_quoted(wanted[name], _TWO)}" for name in wanted]
        case _:
            unset = [f"unset {name}" for name in UNSET]
            return unset + [f"export {name}={_plain_or_quoted(wanted[name])}" for name in wanted]


def _plain_or_quoted(value: str) -> str:
    plain = re.fullmatch(r"[\w@%+=:,./-]+", value, re.ASCII)
    return value if plain else _quoted(value, "'\"'\"'")


def _quoted(value: str, quote: str) -> str:
    return "'" + value.replace("'", quote) + "'"


def _quoted_fish(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
