"""What does `fcc serve` say when it is ready, and what to type next?"""

import click

from fcc.cli.options import Choice, own_name
from fcc.settings.routing import Router

__all__ = ["greet"]


def greet(url: str, choice: Choice, router: Router) -> None:
    """Say where fcc listens, which model stands for which, and how Claude Code is started."""
    profile, config = choice.profile, choice.config
    reason = f" ({choice.notice})" if choice.notice else ""
    token = "the auth_token you set" if config.auth_token else "fcc"
    lines = [f"fcc listens on {url}, provider {profile.name}{reason}", ""]
    lines += [f"  {tier:8} -> {target}" for tier, target in router.mapping()]
    lines += [
        "",
        f"Start Claude Code with `{own_name()} claude`, or with:",
        "",
        f"  export ANTHROPIC_BASE_URL={url}",
        f"  export ANTHROPIC_AUTH_TOKEN={'...' if config.auth_token else token}",
        "  claude",
        "",
    ]
    if profile.embedded:
        lines += [f"For a real model: {own_name()} init", ""]
    click.echo("\n".join(lines))
