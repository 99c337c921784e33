"""What does a command print where a program reads it?"""

import click

__all__ = ["say_json"]


def say_json(value: object, *, indent: int | None = 2) -> None:
    """Print `value`, which is of plain types, as JSON: over several lines, unless `indent` is None."""
    import json  # only here: most people want to read a table

    click.echo(json.dumps(value, indent=indent))
