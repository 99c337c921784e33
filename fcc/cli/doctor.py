"""`fcc doctor`: why does it not work?"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from fcc.cli.configured import config_of
from fcc.cli.options import Choice, chosen_provider, provider_options
from fcc.cli.progress import doing
from fcc.cli.table import paint, wrapped
from fcc.doctor.finding import Finding, Step, Verdict, fail, ok
from fcc.errors import ConfigError, NotFoundError
from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.routing import TIERS

if TYPE_CHECKING:
    from fcc.settings.profile import Profile

__all__ = ["doctor", "examined"]

_EPILOG = """\b
Examples:
  fcc doctor                     the provider that `fcc serve` would take
  fcc doctor openrouter
  fcc doctor nim --deep          also ask the model a dozen small questions
  fcc doctor nim --fix           write down what can be mended, with a copy of what was there
  fcc doctor --json | jq 'select(.verdict != "ok")'
  fcc doctor custom --base-url http://localhost:8000/v1 --model my-model
\b
Exit code: 0 all is well (warnings allowed), 1 something fails, 2 the options can't be used.
"""

_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}

_INDENT = 16
"""Characters before what was seen."""


@click.command(epilog=_EPILOG)
@click.argument("provider", required=False, envvar="FCC_PROVIDER")
@provider_options
@click.option("--deep", is_flag=True,
              help="Also ask the model: streaming, tools, thinking, images, window, cache. "
              "A dozen requests, some 60,000 tokens.")  # fmt: skip
@click.option("--fix", is_flag=True, help="Write down what can be mended.")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON lines.")
def doctor(
    provider: str | None,
    model: str | None,
    base_url: str | None,
    config_path: Path | None,
    deep: bool,
    fix: bool,
    as_json: bool,
) -> None:
    """Check configuration, key, network, models, daemon and Claude Code."""
    steps = _steps(provider, model, base_url, config_path, deep=deep)
    findings = _shown(steps, as_json=as_json)
    if fix:
        _mend(findings)
    elif any(finding.change for finding in findings) and not as_json:
        click.echo("\nfcc doctor --fix writes down what can be mended.")
    sys.exit(1 if any(finding.verdict is Verdict.FAIL for finding in findings) else 0)


def examined(provider: str) -> bool:
    """Show what the quick checks find; whether any fails."""
    findings = _shown(_steps(provider, None, None, None, deep=False), as_json=False)
    return any(finding.verdict is Verdict.FAIL for finding in findings)


def _steps(
    provider: str | None,
    model: str | None,
    base_url: str | None,
    config_path: Path | None,
    *,
    deep: bool,
) -> Iterator[Step]:
    from fcc.doctor.files import learned, modes
    from fcc.doctor.machine import versions

    yield versions()
    yield from modes()
    yield from learned()
    try:
        config, providers, keys = config_of(config_path), Providers(), Keys()
        profile, notice = chosen_provider(
            providers, keys, provider or providers.default(config, config_path), base_url
        )
        choice = Choice(config, providers, keys, profile, model or "", notice)
        families = _families(choice)
    except ConfigError as error:
        yield fail("config", error.message, "correct it; `fcc providers` lists the providers")
        return
    reason = f" ({notice})" if notice else ""
    yield ok("config", f"provider {profile.name}{reason}")
    yield from _provider(choice, families, deep=deep)
    yield from _machine(choice)


def _provider(
    choice: Choice, families: dict[str, tuple[str, ...]], *, deep: bool
) -> Iterator[Step]:
    from fcc.doctor.provider import Patient, examine

    profile, key = choice.profile, choice.keys.get(choice.profile)
    models = tuple(families)
    for step in examine(Patient(profile, key, choice.keys.missing(profile), models, families)):
        yield step
        if isinstance(step, Finding) and step.verdict is Verdict.FAIL:
            deep = False
    if deep and not profile.embedded:
        yield from _deep(profile, models, key)


def _deep(profile: "Profile", models: tuple[str, ...], key: str) -> Iterator[Step]:
    from fcc.cli.offered import offered_models

    asked = [*models, *offered_models(profile, key)][:1]
    if not asked:
        yield fail("answer", "there is no model to ask", "name one with --model")
        return
    yield "loading the openai SDK"
    from fcc.doctor.deep import deep

    yield from deep(profile, asked[0], key)
    others = ", ".join(models[1:])
    if others:
        yield ok("answer", f"not asked: {others} (fcc doctor {profile.name} --deep --model NAME)")


def _machine(choice: Choice) -> Iterator[Step]:
    from fcc.doctor.claude import claude_code
    from fcc.doctor.machine import daemon

    yield "looking for the daemon"
    yield daemon(choice.config, choice.profile)
    yield "looking for Claude Code"
    yield from claude_code(choice.config)


def _families(choice: Choice) -> dict[str, tuple[str, ...]]:
    """The chosen provider's models, each with the families of Claude Code's that go to it."""
    router, found = choice.router(), dict[str, tuple[str, ...]]()
    for tier in TIERS:
        try:
            route = router.route(f"claude-{tier}")
        except NotFoundError:
            continue
        if route.profile.name == choice.profile.name:
            name = route.model.name
            found[name] = (*found.get(name, ()), tier)
    return found


def _shown(steps: Iterator[Step], *, as_json: bool) -> list[Finding]:
    """All findings, each shown when it is there; between them, what is being done."""
    findings: list[Finding] = []
    what = "looking"
    while True:
        with doing(what):
            step = next(steps, None)
        if step is None:
            return findings
        if isinstance(step, Finding):
            findings.append(step)
            _show(step, as_json=as_json)
        else:
            what = step


def _show(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(finding))
        return
    mark = paint(f"{finding.verdict.value:4}", _COLOURS[finding.verdict])
    click.echo(f"{mark}  {finding.check:8}  {wrapped(finding.seen, _INDENT)}")
    if finding.fix:
        click.echo(f"{'':{_INDENT}}-> {wrapped(finding.fix, _INDENT + 3)}")


def _mend(findings: list[Finding]) -> None:
    """Say on stderr what is written, so that --json stays JSON. Raises ConfigError."""
    from fcc.doctor.mend import mend

    changes = [finding.change for finding in findings if finding.change is not None]
    for change in changes:
        click.echo(f"mended  {mend(change)}", err=True)
    if not changes:
        click.echo("nothing to mend that fcc could write down", err=True)
    else:
        click.echo("run fcc doctor again; a daemon that runs takes it with fcc reload", err=True)
