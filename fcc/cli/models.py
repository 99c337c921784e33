"""`fcc models`: what does the provider offer, and which model does what?"""

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import click
import msgspec

from fcc.cli.options import chosen_provider, variable_option
from fcc.cli.progress import doing
from fcc.cli.table import table
from fcc.errors import ConfigError, UpstreamError
from fcc.settings.files import Providers, config_file, load_config, shipped_dir
from fcc.settings.keys import Keys
from fcc.settings.profile import Profile
from fcc.settings.routing import TIERS
from fcc.settings.toml import nearest

if TYPE_CHECKING:
    from fcc.cli.offered import Offer

__all__ = ["explicit", "models", "parsed_targets", "quoted_family"]

_EPILOG = """\b
Examples:
  fcc models                                   what the configured provider offers
  fcc models qwen coder                        with both words in the name
  fcc models --provider openrouter --free --tools
  fcc models --set sonnet=z-ai/glm-5.3 --set haiku=lmstudio/qwen3-8b
  fcc models --set opus=                       back to the provider's own choice
\b
context and output are tokens, prices are dollars for a million tokens; ? is what nobody says.
Exit code: 0 all is well, 1 no model fits or the provider gives no list, 2 it can't be used.
"""


@click.command(epilog=_EPILOG)
@click.argument("query", nargs=-1)
@variable_option("FCC_PROVIDER", "--provider", "-p", metavar="NAME", help="See `fcc providers`.")
@variable_option("FCC_BASE_URL", "--base-url", metavar="URL", help="Where the provider is.")
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
    name = provider or providers.default(config)
    profile, _ = chosen_provider(providers, keys, name, base_url)
    if targets:
        choice = _Choice(keys, profile, config.provider, unchecked=unchecked)
        _set(choice, parsed_targets(targets))
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
    """Raises UpstreamError where the provider gives no list, ConfigError where it wants a key."""
    import httpx

    from fcc.cli.offered import Offer, ask_offers
    from fcc.diagnosis.redact import redact

    if profile.embedded:
        model = profile.model(profile.default_model)
        return [Offer(id=model.name, context_window=model.context_window, price_in=0, price_out=0)]
    key = keys.get(profile)
    try:
        with doing(f"asking {profile.label}"):
            return ask_offers(profile, key)
    except (httpx.HTTPError, ValueError) as error:
        if isinstance(error, httpx.HTTPStatusError) and error.response.status_code in (401, 403):
            keys.require(profile)
        words = redact(str(error)).splitlines() or [type(error).__name__]
        why = re.sub(r"^\[Errno -?\d+\] ", "", words[0])
        raise UpstreamError(
            f"{profile.label} does not list its models: {why} (fcc doctor {profile.name} says why)"
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


def _set(choice: "_Choice", targets: Mapping[str, str]) -> None:
    """Write `models` of config.toml. Raises ConfigError, UpstreamError."""
    from fcc.settings.edit import edited, write

    path = config_file()
    changes = {
        f"models.{quoted_family(family)}": choice.target(model) if model else None
        for family, model in targets.items()
    }
    text = path.read_text("utf-8") if path.is_file() else _example()
    write(path, edited(text, changes, str(path)))
    load_config(path)
    for family, model in targets.items():
        click.echo(f"{family:8} -> {model or 'as the provider has it'}")
    click.echo(f"written to {path}; a daemon that runs takes it with fcc reload")
    for words in choice.unknown:
        click.echo(f"fcc: {words}", err=True)


class _Choice:
    """What a person's word for a model means beside one provider."""

    def __init__(self, keys: Keys, profile: Profile, default: str, *, unchecked: bool) -> None:
        self._keys = keys
        self._profile = profile
        self._default = default
        """The provider that config.toml names: its models need no provider before them."""
        self._unchecked = unchecked
        self._ids: dict[str, list[str]] = {}
        self.unknown: list[str] = []
        """Of which models nobody knows whether they are offered, and why, in words."""

    def target(self, model: str) -> str:
        """As config.toml has it. Raises ConfigError for one that the provider does not offer."""
        name, slash, rest = model.partition("/")
        providers = Providers()
        # OpenRouter has models of a "deepseek/", which is a provider of its own here.
        own = model in self._offered(self._profile)
        if slash and name in providers and not own:
            self._check(providers.get(name), rest)
            return model
        self._check(self._profile, model)
        return explicit(self._profile.name, model, self._default)

    def _check(self, profile: Profile, model: str) -> None:
        ids = self._offered(profile)
        if ids and model not in ids:
            raise ConfigError(
                f"{profile.label} does not offer {model!r}{nearest(model, ids)}; "
                "--unchecked writes it all the same"
            )
        if not ids and not self._unchecked:
            self.unknown.append(
                f"{profile.name}/{model} is written unchecked: {self._why_unknown(profile)}; "
                f"then fcc doctor {profile.name} says whether it is offered"
            )

    def _why_unknown(self, profile: Profile) -> str:
        try:
            self._keys.require(profile)
        except ConfigError as error:
            return error.message
        return f"{profile.label} lists no models: load one there"

    def _offered(self, profile: Profile) -> list[str]:
        """The ids, asked once; [] where they need not or can't be known. Raises UpstreamError."""
        if self._unchecked or self._keys.missing(profile):
            return []
        if profile.name not in self._ids:
            self._ids[profile.name] = [offer.id for offer in _offers(profile, self._keys)]
        return self._ids[profile.name]


def explicit(provider: str, model: str, default: str) -> str:
    """`model` as `models` of config.toml has it: with its provider, where that is not clear."""
    named = model.partition("/")[0] in Providers()
    return f"{provider}/{model}" if named or provider != default else model


def quoted_family(family: str) -> str:
    """A key of `models`, as TOML has it."""
    return family if family in TIERS else f'"{family}"'


def _example() -> str:
    return (shipped_dir() / "config.toml.example").read_text("utf-8")
