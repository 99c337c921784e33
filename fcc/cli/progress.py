"""What is going on, while it takes its time: a line on the terminal that goes away again."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from fcc.cli.table import terminal_width

__all__ = ["doing"]


@contextmanager
def doing(what: str) -> Iterator[None]:
    """`what ...` on stderr, if that is a terminal, until this is left."""
    if not sys.stderr.isatty():
        yield
        return
    # A line that wraps would leave its beginning behind.
    room = terminal_width() - len(" ... ")
    click.echo(f"{what[:room]} ...", err=True, nl=False)
    try:
        yield
    finally:
        click.echo("\r\x1b[2K", err=True, nl=False)
