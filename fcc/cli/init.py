"""`fcc init`: from nothing to a set-up that works, by a few questions."""

import sys
from pathlib import Path

import click
import msgspec

from fcc.cli.options import checked_url, said_by, variable_option
from fcc.cli.ready import answers
from fcc.cli.table import paint
from fcc.errors import ConfigError
from fcc.settings.files import Providers, config_dir, config_file, load_config, shipped_dir
from fcc.settings.keys import Keys
from fcc.settings.profile import Profile
from fcc.settings.routing import TIERS

__all__ = ["init"]

_EPILOG = """\b
Examples:
  fcc init
  fcc init --non-interactive --provider nim             the key is in NVIDIA_API_KEY
  fcc init --non-interactive --provider openrouter --key-stdin < key.txt
  fcc init --non-interactive --provider custom --base-url http://gpu-box:8000/v1 --model my-model
  fcc init --non-interactive --provider deepseek --set haiku=deepseek-flash
\b
A key is never an argument: other users could see it in the list of processes.
"""


class _Plan(msgspec.Struct):
    """What is going to be written."""

    profile: Profile
    key: str = ""
    """To be kept in fcc.env."""
    base_url: str = ""
    models: dict[str, str] = {}


@click.command(epilog=_EPILOG)
@click.option("--non-interactive", is_flag=True, help="Ask nothing; what is not given is found.")
@variable_option("FCC_PROVIDER", "--provider", "-p", metavar="NAME", help="See `fcc providers`.")
@variable_option("FCC_BASE_URL", "--base-url", metavar="URL", help="Where the provider is.")
@variable_option("FCC_MODEL", "--model", "-m", help="The model for every family.")
@click.option("--set", "targets", multiple=True, metavar="FAMILY=MODEL", help="One family's model.")
@click.option("--key-stdin", is_flag=True, help="Read the key from standard input.")
@click.option("--save-key", is_flag=True, help="Keep a key of the environment in fcc.env as well.")
@click.option("--no-doctor", is_flag=True, help="Don't check the result.")
def init(
    non_interactive: bool,
    provider: str | None,
    base_url: str | None,
    model: str | None,
    targets: tuple[str, ...],
    key_stdin: bool,
    save_key: bool,
    no_doctor: bool,
) -> None:
    """Choose provider, key and models, and write them down. What you wrote before is kept."""
    from fcc.cli.models import parsed_targets

    providers, keys = Providers(), Keys()
    load_config()
    found = _found(providers, keys)
    name = provider or ("custom" if base_url else "")
    name = name or (found[0] if non_interactive and found else "")
    if not name and non_interactive:
        name = "demo"
        click.echo("no key is set and no local server answers: it is the demo", err=True)
    name = name or _ask_provider(providers, found)
    providers.check(name, said_by("FCC_PROVIDER", name))
    plan = _Plan(providers.get(name), models=parsed_targets(targets))
    if model:
        plan.models = dict.fromkeys(TIERS, model) | plan.models
    plan.base_url = _base_url(plan.profile, base_url or "", ask=not non_interactive)
    plan.key = _key(plan.profile, keys, stdin=key_stdin, save=save_key, ask=not non_interactive)
    if not non_interactive and not plan.models:
        plan.models = _ask_models(plan)
    for line in _written(plan):
        click.echo(f"{paint('ok', 'green')}    {line}")
    if no_doctor:
        return
    click.echo()
    sys.exit(_doctor(name))


def _found(providers: Providers, keys: Keys) -> list[str]:
    """What can be used at once: a key is there, or a server answers on this machine."""
    profiles = [providers.get(name) for name in providers.names]
    keyed = [one.name for one in profiles if keys.get(one) and not one.api_key_optional]
    return keyed + [one.name for one in profiles if one.local and answers(one)]


def _ask_provider(providers: Providers, found: list[str]) -> str:
    names = [*found, *(name for name in providers.names if name not in found)]
    click.echo("Which provider shall answer Claude Code?\n")
    for number, name in enumerate(names, 1):
        profile = providers.get(name)
        why = ""
        if name in found:
            why = "a server answers" if profile.local else f"{profile.api_key_env} is set"
        mark = paint(f"  {why}", "green") if why else ""
        click.echo(f"  {number:2}  {name:12} {profile.label}{mark}")

    def named(said: str) -> str:
        name = names[int(said) - 1] if said.isdecimal() and 0 < int(said) <= len(names) else said
        if name not in providers:
            raise click.UsageError(f"there is no {said!r} in the list")
        return name

    default = found[0] if found else "demo"
    return str(click.prompt("\nNumber or name", default=default, value_proc=named))


def _base_url(profile: Profile, given: str, *, ask: bool) -> str:
    """A base URL that is not the profile's; "" where that is right. Raises ConfigError."""
    if not given and not profile.base_url and not profile.embedded:
        if not ask:
            raise ConfigError(f"{profile.name} needs --base-url (http://localhost:8000/v1)")
        given = click.prompt("Its base URL, up to and without /chat/completions")
    return checked_url(given) if given else ""


def _key(profile: Profile, keys: Keys, *, stdin: bool, save: bool, ask: bool) -> str:
    """A key to be kept; "" where there is nothing to keep. Raises ConfigError."""
    if not profile.api_key_env:
        return ""
    if stdin:
        key = sys.stdin.readline().strip()
        if not key:
            raise ConfigError("--key-stdin: standard input is empty")
        return key
    known = keys.get(profile)
    if known:
        kept = Keys({}).get(profile) == known
        question = f"{profile.api_key_env} is set in this shell. Keep it in fcc.env too"
        wanted = save or (ask and not kept and click.confirm(question, default=True))
        return known if wanted and not kept else ""
    if keys.missing(profile) and not ask:
        keys.require(profile)
    if not ask or profile.api_key_optional:
        return ""
    where = f" (get one at {profile.key_url})" if profile.key_url else ""
    return str(click.prompt(f"{profile.label}'s key{where}", hide_input=True)).strip()


def _ask_models(plan: _Plan) -> dict[str, str]:
    """A model for every family where the profile has none; else what it has may stay."""
    profile = plan.profile
    if profile.embedded:
        return {}
    if profile.models or profile.default_model:
        shown = dict.fromkeys([*profile.models.values(), profile.default_model])
        click.echo(f"\nModels: {', '.join(name for name in shown if name)}")
        if click.confirm("Use these", default=True):
            return {}
    ids = _ids(plan)
    if not ids and profile.local:
        click.echo("No model is loaded there; fcc serve takes the first that is.")
        return {}
    for number, name in enumerate(ids[:20], 1):
        click.echo(f"  {number:2}  {name}")
    more = f" (of {len(ids)}; fcc models lists all)" if len(ids) > 20 else ""
    first = ids[0] if ids else None
    said = click.prompt(f"Model for all families, number or name{more}", default=first)
    chosen = ids[int(said) - 1] if said.isdecimal() and 0 < int(said) <= len(ids) else str(said)
    return dict.fromkeys(TIERS, chosen)


def _ids(plan: _Plan) -> list[str]:
    from fcc.cli.offered import offered_models
    from fcc.cli.progress import doing

    profile = plan.profile
    if plan.base_url:
        profile = msgspec.structs.replace(profile, base_url=plan.base_url)
    with doing(f"asking {profile.label} for its models"):
        return sorted(offered_models(profile, plan.key or Keys().get(profile)))


def _written(plan: _Plan) -> list[str]:
    """Write the files, and say which. Raises ConfigError."""
    from fcc.cli.models import explicit, quoted_family

    said = []
    if plan.base_url and plan.base_url != plan.profile.base_url:
        said.append(_write_profile(plan))
    if plan.key:
        said.append(_write_key(plan.profile.api_key_env, plan.key))
    changes = {"provider": plan.profile.name}
    changes |= {
        f"models.{quoted_family(family)}": explicit(plan.profile.name, model, plan.profile.name)
        for family, model in plan.models.items()
    }
    said.append(_write(config_file(), shipped_dir() / "config.toml.example", changes))
    load_config()
    return said


def _write_profile(plan: _Plan) -> str:
    """The provider's own file with another address: it takes the place of the shipped one."""
    name = plan.profile.name
    mine = config_dir() / "providers" / f"{name}.toml"
    return _write(mine, Providers().path(name), {"base_url": plan.base_url})


def _write(path: Path, example: Path, changes: dict[str, str]) -> str:
    from fcc.settings.edit import backup, edited, write

    there = path.is_file()
    before = (path if there else example).read_text("utf-8")
    after = edited(before, changes, str(path))
    if there and before == after:
        return f"{path} says so already"
    kept = f" (before: {backup(path)})" if there else ""
    write(path, after)
    return f"{path} written{kept}"


def _write_key(name: str, key: str) -> str:
    """One line of fcc.env; the others stay as they are."""
    from fcc.settings.edit import write

    path = config_dir() / "fcc.env"
    source = path if path.is_file() else shipped_dir() / "fcc.env.example"
    lines = source.read_text("utf-8").splitlines()
    starts = (f"{name}=", f"#{name}=", f"export {name}=")
    place = next((n for n, line in enumerate(lines) if line.startswith(starts)), len(lines))
    lines[place : place + 1] = [f"{name}={key}"]
    write(path, "\n".join(lines) + "\n")
    return f"{name} is in {path}, which only you can read"


def _doctor(name: str) -> int:
    """The doctor's exit code."""
    from fcc.cli.doctor import examined

    failed = examined(name)
    if not failed:
        click.echo(
            f"\nAll is set up. {paint('fcc claude', 'green', bold=True)} starts Claude Code."
        )
    return 1 if failed else 0
