"""`fcc config`: what is set, by what, and is it right?"""

import os
from collections.abc import Iterator
from pathlib import Path

import click

from fcc.cli.effective import Value, values
from fcc.cli.say_json import say_json
from fcc.cli.table import paint, table
from fcc.errors import ConfigError
from fcc.settings.files import Providers, config_dir, config_file, load_config, shipped_dir
from fcc.settings.keys import Keys
from fcc.settings.places import log_file, runtime_dir, state_dir
from fcc.settings.probed import Probes
from fcc.settings.routing import Router

__all__ = ["config"]

_EPILOG = """\b
Examples:
  fcc config show                what counts, and which file or variable says so
  fcc config path                where the files are
  fcc config edit                in $VISUAL or $EDITOR, checked afterwards
  fcc config validate
"""


@click.group(epilog=_EPILOG)
def config() -> None:
    """Show, edit and check the configuration."""


@config.command(epilog="\b\nExamples:\n  fcc config show\n  fcc config show --json")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--all", "all_", is_flag=True, help="Also what nobody has set.")
def show(as_json: bool, all_: bool) -> None:
    """Show the values that count, and where each comes from. Secrets are not shown."""
    probes = Probes.read()
    known = list(values(os.environ, probes))
    for problem in probes.problems:
        click.echo(f"fcc: {problem.message}", err=True)
    if as_json:
        rows = {one.name: {"value": one.value, "origin": one.origin} for one in known}
        say_json(rows)
        return
    shown = [one for one in known if all_ or one.origin != "default"]
    if shown:
        click.echo(table(("option", "value", "from"), [_row(one) for one in shown]))
    rest = len(known) - len(shown)
    if rest:
        click.echo(f"{rest} more have their default (fcc config show --all)")


def _row(one: Value) -> tuple[str, str, str]:
    value = one.value
    if not isinstance(value, str):
        import json

        value = json.dumps(value)
    return one.name, value or '""', one.origin


@config.command(epilog='\b\nExample:\n  cd "$(dirname "$(fcc config path config.toml)")"')
@click.argument("name", required=False)
def path(name: str | None) -> None:
    """Show where the files are; with NAME only that one's path."""
    places = dict(_places())
    if name is not None:
        if name not in places:
            raise ConfigError(f"no such file {name!r} (known: {', '.join(places)})")
        click.echo(places[name])
        return
    rows = [
        (name, str(place), "" if place.exists() else "not there") for name, place in places.items()
    ]
    click.echo(table(("file", "path", ""), rows))


def _places() -> Iterator[tuple[str, Path]]:
    yield "config.toml", config_file()
    yield "fcc.env", config_dir() / "fcc.env"
    yield "providers", config_dir() / "providers"
    yield "shipped", shipped_dir()
    yield "state", state_dir()
    yield "log", log_file()
    yield "run", runtime_dir()


@config.command(epilog="\b\nExample:\n  EDITOR=nano fcc config edit")
def edit() -> None:
    """Open config.toml in your editor, and check it afterwards."""
    from fcc.settings.edit import write

    file = config_file()
    if not file.is_file():
        write(file, (shipped_dir() / "config.toml.example").read_text("utf-8"))
    try:
        click.edit(filename=str(file))
    except click.ClickException as error:
        raise ConfigError(f"{error.message} (set EDITOR)") from error
    _check()
    click.echo(f"{file} is fine; a daemon that runs takes it with fcc reload")


@config.command(
    short_help="Check config.toml, fcc.env and your providers.",
    epilog="\b\nExample:\n  fcc config validate && fcc reload",
)
def validate() -> None:
    """Check config.toml, fcc.env and your providers; exit code 2 where one can't be used."""
    checked = _check()
    click.echo("\n".join(f"{paint('ok', 'green')}  {what}" for what in checked))


def _check() -> list[str]:
    """What was looked at. Raises ConfigError for the first that can't be used."""
    file, providers = config_file(), Providers()
    chosen = load_config()
    checked = [str(file) if file.exists() else f"{file} is not there: all has its default"]
    keys = config_dir() / "fcc.env"
    Keys()
    if keys.is_file():
        checked.append(str(keys))
    for name in providers.names:
        providers.get(name)
        if providers.path(name).parent != shipped_dir() / "providers":
            checked.append(str(providers.path(name)))
    Router(
        providers,
        providers.get(providers.default(chosen) or "demo"),
        chosen.models,
        fallback=chosen.fallback,
        routes=chosen.routes,
    )
    return checked
