"""`fcc doctor`: why does it not work?"""

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from fcc.cli.options import Choice, chosen_provider, provider_options
from fcc.doctor.finding import Finding, Verdict, fail, ok
from fcc.errors import ConfigError, NotFoundError
from fcc.settings.files import Providers, load_config
from fcc.settings.keys import Keys

__all__ = ["doctor", "examined"]

_EPILOG = """\b
Examples:
  fcc doctor                     the provider that `fcc serve` would take
  fcc doctor openrouter
  fcc doctor nim --deep          also ask the model for one word
  fcc doctor custom --base-url http://localhost:8000/v1 --model my-model
\b
Exit code: 0 all is well (warnings allowed), 1 something fails, 2 the options can't be used.
"""

_COLOURS = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "red"}


@click.command(epilog=_EPILOG)
@click.argument("provider", required=False)
@provider_options
@click.option("--deep", is_flag=True, help="Also ask the model for one word (costs a few tokens).")
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON lines.")
def doctor(
    provider: str | None,
    model: str | None,
    base_url: str | None,
    config_path: Path | None,
    deep: bool,
    as_json: bool,
) -> None:
    """Check configuration, key, network, models, daemon and Claude Code."""
    findings = _findings(provider, model, base_url, config_path, deep=deep)
    sys.exit(1 if _shown(findings, as_json=as_json) else 0)


def examined(provider: str) -> bool:
    """Show what the quick checks find; whether any fails."""
    return _shown(_findings(provider, None, None, None, deep=False), as_json=False)


def _shown(findings: Iterator[Finding], *, as_json: bool) -> bool:
    failed = False
    for finding in findings:
        failed = failed or finding.verdict is Verdict.FAIL
        _show(finding, as_json=as_json)
    return failed


def _findings(
    provider: str | None,
    model: str | None,
    base_url: str | None,
    config_path: Path | None,
    *,
    deep: bool,
) -> Iterator[Finding]:
    from fcc.doctor.machine import claude_code, daemon
    from fcc.doctor.provider import Patient, examine

    try:
        config, providers, keys = load_config(config_path), Providers(), Keys()
        profile, notice = chosen_provider(providers, keys, provider or config.provider, base_url)
        choice = Choice(config, providers, keys, profile, model or "", notice)
        models = _models(choice)
    except ConfigError as error:
        yield fail("config", error.message, "correct it; `fcc providers` lists the providers")
        return
    reason = f" ({notice})" if notice else ""
    yield ok("config", f"provider {profile.name}{reason}")
    patient = Patient(profile, keys.get(profile), keys.missing(profile), models)
    for finding in examine(patient):
        yield finding
        if finding.verdict is Verdict.FAIL:
            deep = False
    if deep and models and not profile.embedded:
        from fcc.doctor.probe import answers

        yield answers(profile, profile.model(models[0]), keys.get(profile))
    yield daemon(config)
    yield from claude_code(config)


def _models(choice: Choice) -> tuple[str, ...]:
    """The chosen provider's models that Claude Code's families go to."""
    router, names = choice.router(), []
    for tier in ("opus", "sonnet", "haiku", "fable"):
        try:
            route = router.route(f"claude-{tier}")
        except NotFoundError:
            continue
        if route.profile.name == choice.profile.name:
            names.append(route.model.name)
    return tuple(dict.fromkeys(names))


def _show(finding: Finding, *, as_json: bool) -> None:
    if as_json:
        import msgspec

        click.echo(msgspec.json.encode(finding))
        return
    mark = click.style(f"{finding.verdict.value:4}", fg=_COLOURS[finding.verdict])
    click.echo(f"{mark}  {finding.check:7} {finding.seen}")
    if finding.fix:
        click.echo(f"{'':14}-> {finding.fix}")
