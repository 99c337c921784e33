"""`fcc models`: what does the provider offer, and which model does what?"""

import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click
import msgspec

from fcc.cli.options import chosen_provider
from fcc.cli.progress import doing
from fcc.cli.table import table
from fcc.errors import ConfigError
from fcc.settings.edit import edited, write
from fcc.settings.files import Providers, config_file, load_config, shipped_dir
from fcc.settings.keys import Keys
from fcc.settings.profile import Profile
from fcc.settings.routing import TIERS
from fcc.settings.toml import nearest

if TYPE_CHECKING:
    from fcc.cli.offered import Offer

__all__ = ["models", "parsed_targets"]

_EPILOG = """\b
Examples:
  fcc models                                   what the configured provider offers
  fcc models qwen coder                        with both words in the name
  fcc models --provider openrouter --free --tools
  fcc models --set sonnet=z-ai/glm-5.3 --set haiku=lmstudio/qwen3-8b
  fcc models --set opus=                       back to the provider's own choice
\b
context and output are tokens, prices are dollars for a million tokens; ? is what nobody says.
"""


@click.command(epilog=_EPILOG)
@click.argument("query", nargs=-1)
@click.option(
    "--provider", "-p", envvar="FCC_PROVIDER", metavar="NAME", help="See `fcc providers`."
)
@click.option("--base-url", envvar="FCC_BASE_URL", metavar="URL", help="Where the provider is.")
@click.option("--free", is_flag=True, help="Only models that cost nothing.")
@click.option("--tools", is_flag=True, help="Only models that are said to call tools.")
@click.option("--json", "as_json", is_flag=True, help="The list as JSON.")
@click.option("--set", "targets", multiple=True, metavar="FAMILY=MODEL",
              help="Write it to config.toml: opus, sonnet, haiku, fable or a pattern.")  # fmt: skip
@click.option(
    "--unchecked", is_flag=True, help="With --set: whether the provider offers it or not."
)
def models(
    query: tuple[str, ...],
    provider: str | None,
    base_url: str | None,
    free: bool,
    tools: bool,
    as_json: bool,
    targets: tuple[str, ...],
    unchecked: bool,
) -> None:
    """List, search and choose the models that a provider offers."""
    providers, keys, config = Providers(), Keys(), load_config()
    profile, _ = chosen_provider(providers, keys, provider or config.provider, base_url)
    if targets:
        choice = _Choice(providers, keys, profile, config.provider)
        _set(choice, parsed_targets(targets), unchecked=unchecked)
        return
    offered = _offers(profile, keys)
    shown = sorted(_fitting(offered, query, free=free, tools=tools), key=lambda offer: offer.id)
    if as_json:
        rows = [{**msgspec.to_builtins(offer), "free": offer.free} for offer in shown]
        click.echo(msgspec.json.format(msgspec.json.encode(rows)))
    elif shown:
        heads = ("model", "context", "output", "in", "out", "tools", "vision")
        click.echo(table(heads, [_row(offer) for offer in shown], right="context output in out"))
    else:
        click.echo(f"none of the {len(offered)} models of {profile.label} fits", err=True)
        sys.exit(1)


def _offers(profile: Profile, keys: Keys) -> "list[Offer]":
    """Raises ConfigError where the provider gives no list."""
    if profile.embedded:
        raise ConfigError(f"{profile.label} has one model, {profile.default_model}")
    key = keys.get(profile)
    import httpx

    from fcc.cli.offered import ask_offers
    from fcc.diagnosis.redact import redact

    try:
        with doing(f"asking {profile.label}"):
            return ask_offers(profile, key)
    except (httpx.HTTPError, ValueError) as error:
        words = redact(str(error)).splitlines() or [type(error).__name__]
        raise ConfigError(
            f"{profile.label} does not list its models: {words[0]} "
            f"(fcc doctor {profile.name} says why)"
        ) from error


def _fitting(
    offered: "Iterable[Offer]", query: Iterable[str], *, free: bool, tools: bool
) -> "Iterator[Offer]":
    words = [word.lower() for word in query]
    for offer in offered:
        named = all(word in offer.id.lower() for word in words)
        if named and (offer.free or not free) and (offer.tools or not tools):
            yield offer


def _row(offer: "Offer") -> tuple[str, ...]:
    return (
        offer.id,
        _tokens(offer.context_window),
        _tokens(offer.max_output_tokens),
        "free" if offer.free else _dollars(offer.price_in),
        "free" if offer.free else _dollars(offer.price_out),
        _yes_no(offer.tools),
        _yes_no(offer.vision),
    )


def _tokens(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _dollars(price: float | None) -> str:
    return "?" if price is None else f"{price:.2f}"


def _yes_no(value: bool | None) -> str:
    return {True: "yes", False: "no", None: "?"}[value]


def parsed_targets(targets: Iterable[str]) -> dict[str, str]:
    """FAMILY=MODEL, each. Raises ConfigError."""
    parsed = {}
    for target in targets:
        family, equals, model = target.partition("=")
        if not equals or not family.strip():
            raise ConfigError(f"--set takes FAMILY=MODEL, not {target!r}")
        if family not in TIERS and not set(family) & set("*?-"):
            raise ConfigError(f"--set {target}: no such family{nearest(family, TIERS)}")
        parsed[family.strip()] = model.strip()
    return parsed


def _set(choice: "_Choice", targets: Mapping[str, str], *, unchecked: bool) -> None:
    """Write `models` of config.toml. Raises ConfigError."""
    path = config_file()
    changes = {}
    for family, model in targets.items():
        profile, name = choice.target(model)
        if model and not unchecked:
            _check(profile, choice.keys, name)
        target = name if profile.name == choice.default else f"{profile.name}/{name}"
        changes[f"models.{_quoted(family)}"] = target if model else None
    text = path.read_text("utf-8") if path.is_file() else _example()
    write(path, edited(text, changes, str(path)))
    load_config(path)
    for family, model in targets.items():
        click.echo(f"{family:8} -> {model or 'as the provider has it'}")
    click.echo(f"written to {path}; a daemon that runs takes it with fcc reload")


class _Choice(msgspec.Struct):
    providers: Providers
    keys: Keys
    profile: Profile
    default: str
    """The provider that config.toml names: its models need no provider before them."""

    def target(self, model: str) -> tuple[Profile, str]:
        """Provider and name of `model`, which may name its provider."""
        name, slash, rest = model.partition("/")
        if slash and name in self.providers:
            return self.providers.get(name), rest
        return self.profile, model


def _check(profile: Profile, keys: Keys, model: str) -> None:
    if profile.embedded or keys.missing(profile):
        return
    ids = [offer.id for offer in _offers(profile, keys)]
    if ids and model not in ids:
        raise ConfigError(
            f"{profile.label} does not offer {model!r}{nearest(model, ids)}; "
            "--unchecked writes it all the same"
        )


def _quoted(family: str) -> str:
    return family if family in TIERS else f'"{family}"'


def _example() -> str:
    return (shipped_dir() / "config.toml.example").read_text("utf-8")
