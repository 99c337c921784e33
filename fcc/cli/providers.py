"""`fcc providers`: which there are, and which are ready."""

import click

from fcc.settings.files import Providers
from fcc.settings.keys import Keys

__all__ = ["providers"]


@click.command(epilog="\b\nExample:\n  fcc providers")
def providers() -> None:
    """List the providers and what each needs."""
    known, keys = Providers(), Keys()
    rows = []
    for name in known.names:
        profile = known.get(name)
        if not profile.api_key_env or profile.api_key_optional:
            state = "needs no key"
        else:
            state = f"{profile.api_key_env} is {'set' if keys.get(profile) else 'not set'}"
        rows.append((name, profile.label, state, profile.base_url or "with --base-url"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=False)]
        click.echo("  ".join([*cells, row[3]]))
