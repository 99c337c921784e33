"""`fcc usage`: what did requests take, and how did they end?"""

import re
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Final

import click
import msgspec

from fcc.cli.say_json import say_json
from fcc.cli.table import paint, table
from fcc.observe.report import GROUPS, Line, Report, report
from fcc.settings.places import ledger_file

__all__ = ["usage"]

_EPILOG = """\b
Examples:
  fcc usage
  fcc usage --by model --since 7d
  fcc usage --since 2026-11-01 --csv > november.csv
  fcc usage --by session --since today --json | jq '.rows[-1].cost'
\b
A cost that is not known (prices.toml has none for the model) is "unknown", and null in JSON.
"""

_UNITS: Final = {"h": 3600.0, "d": 86400.0, "w": 604800.0}

_SHOWN: Final = 40
"""Characters of a group's name that a table shows."""


def _since(_ctx: click.Context, _param: click.Parameter, value: str) -> float:
    """`7d`, `24h`, `2w`, `today`, or a date: the unix time at which it begins."""
    text = value.strip().lower()
    if ago := re.fullmatch(r"(\d{1,6})([hdw])", text):
        return max(0.0, time.time() - int(ago[1]) * _UNITS[ago[2]])
    if text == "today":
        text = datetime.now().astimezone().date().isoformat()
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError, OSError) as error:
        raise click.BadParameter(
            f"{value!r} is neither 7d, 24h, 2w, today nor a date as 2026-11-01"
        ) from error


@click.command(epilog=_EPILOG)
@click.option("--by", type=click.Choice(list(GROUPS)), default="day", help="(day)")
@click.option(
    "--since",
    callback=_since,
    default="30d",
    metavar="WHEN",
    help="7d, 24h, 2w, today or 2026-11-01 (30d).",
)
@click.option("--json", "as_json", is_flag=True, help="All that is known, as JSON.")
@click.option("--csv", "as_csv", is_flag=True, help="The same as comma-separated values.")
def usage(by: str, since: float, as_json: bool, as_csv: bool) -> None:
    """Show tokens, cost and outcomes."""
    if as_json and as_csv:
        raise click.UsageError("--json and --csv exclude each other")
    path = ledger_file()
    if not path.is_file():
        _nothing_yet(path, by, as_json=as_json)
        return
    found = report(path, by, since)
    if as_json:
        say_json(_as_json(found, by, since))
    elif as_csv:
        _write_csv(found, by)
    elif found.lines:
        click.echo(_as_table(found, by))
    else:
        click.echo(f"no request since {_date(since)}")


def _nothing_yet(path: Path, by: str, *, as_json: bool) -> None:
    if as_json:
        say_json({"by": by, "rows": [], "total": None}, indent=None)
    else:
        click.echo(f"there is no ledger yet at {path}: a daemon begins it with the first request")


def _as_json(found: Report, by: str, since: float) -> dict[str, object]:
    return {
        "by": by,
        "since": datetime.fromtimestamp(since).astimezone().isoformat(timespec="seconds"),
        "rows": [{by: line.key, **_rest(line)} for line in found.lines],
        "total": _rest(found.total),
    }


def _rest(line: Line) -> dict[str, object]:
    return {name: v for name, v in msgspec.structs.asdict(line).items() if name != "key"}


def _write_csv(found: Report, by: str) -> None:
    import csv

    fields = [field for field in Line.__struct_fields__ if field != "key"]
    writer = csv.writer(sys.stdout)
    writer.writerow([by, *fields])
    for line in found.lines:
        writer.writerow([_cell(line.key), *_rest(line).values()])


def _cell(text: str) -> str:
    """A client chooses models' names: a spreadsheet must not take one for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text


def _as_table(found: Report, by: str) -> str:
    heads = (by, "requests", "failed", "input", "cached", "output", "cost", "first", "time")
    rows = [_row(line, by) for line in found.lines]
    rows.append([paint(cell, "cyan") for cell in _row(found.total, "")])
    return table(heads, rows, right=" ".join(heads[1:]))


def _row(line: Line, by: str) -> list[str]:
    share = f"{line.cached / line.input:.0%}" if line.input else "-"
    return [
        _name(line.key, by),
        f"{line.requests:,}",
        f"{line.failed:,}",
        f"{line.input:,}",
        share,
        f"{line.output:,}",
        _cost(line),
        "-" if line.first is None else f"{line.first:.1f} s",
        "-" if line.seconds is None else f"{line.seconds:.1f} s",
    ]


def _name(key: str, by: str) -> str:
    if not key:
        return "(none)" if by else "total"
    return key if len(key) <= _SHOWN else f"{key[: _SHOWN - 1]}…"


def _cost(line: Line) -> str:
    if line.cost is None:
        return "unknown" if line.unpriced else "-"
    known = f"${line.cost:.2f}" if line.cost >= 0.01 or not line.cost else f"${line.cost:.4f}"
    return f"{known} + {line.unpriced:,} unknown" if line.unpriced else known


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at).astimezone():%Y-%m-%d %H:%M}"
