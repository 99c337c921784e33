"""`fcc providers`: which there are, and which are ready."""

import click

from fcc.cli.say_json import say_json
from fcc.cli.table import paint, table
from fcc.settings.files import Providers, config_dir
from fcc.settings.keys import Keys
from fcc.settings.profile import Profile

__all__ = ["providers"]

_EPILOG = """\b
Examples:
  fcc providers
  fcc providers --ready
  fcc providers --json
"""


@click.command(epilog=_EPILOG)
@click.option("--ready", is_flag=True, help="Only those that have what they need.")
@click.option("--json", "as_json", is_flag=True, help="The list as JSON.")
def providers(ready: bool, as_json: bool) -> None:
    """List the providers and what each needs."""
    known, keys = Providers(), Keys()
    shown = [known.get(name) for name in known.names]
    if ready:
        shown = [profile for profile in shown if _ready(profile, keys)]
    if as_json:
        say_json([_entry(profile, known, keys) for profile in shown])
        return
    rows = [_row(profile, known, keys) for profile in shown]
    click.echo(table(("name", "provider", "state", "address"), rows))


def _ready(profile: Profile, keys: Keys) -> bool:
    return not keys.missing(profile) and bool(profile.base_url or profile.embedded)


def _row(profile: Profile, known: Providers, keys: Keys) -> tuple[str, str, str, str]:
    mine = known.path(profile.name).parent == config_dir() / "providers"
    label = f"{profile.label} (your file)" if mine else profile.label
    return profile.name, label, _state(profile, keys), _address(profile)


def _state(profile: Profile, keys: Keys) -> str:
    if not profile.api_key_env:
        return "needs no key"
    if keys.get(profile):
        return paint(f"{profile.api_key_env} is set", "green")
    if profile.api_key_optional:
        return "needs no key"
    return f"{profile.api_key_env} is not set"


def _address(profile: Profile) -> str:
    return "inside fcc" if profile.embedded else profile.base_url or "with --base-url"


def _entry(profile: Profile, known: Providers, keys: Keys) -> dict[str, object]:
    return {
        "name": profile.name,
        "title": profile.label,
        "ready": _ready(profile, keys),
        "key": profile.api_key_env,
        "key_is_set": bool(keys.get(profile)),
        "key_is_optional": profile.api_key_optional,
        "key_url": profile.key_url,
        "base_url": profile.base_url,
        "local": profile.local,
        "file": str(known.path(profile.name)),
    }
