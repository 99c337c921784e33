"""`fcc usage`: what the ledger says, while a daemon runs and while none does."""

import csv
import io
import json
import os
import resource
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fcc.cli.main import cli
from fcc.observe.database import Database
from fcc.observe.entry import row
from fcc.settings.places import ledger_file
from tests.command import Fcc
from tests.outcomes import outcome
from tests.scripted import ASKED

DAY = 86400.0


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FCC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("NO_COLOR", "1")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["usage", *arguments])


def shown(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.output


def lines(*arguments: str) -> list[list[str]]:
    return [line.split() for line in shown(*arguments).splitlines()]


def wrote(*rows: tuple[object, ...]) -> None:
    with Database(ledger_file()) as database:
        database.write(rows)


@pytest.fixture
def week() -> None:
    """A request a day, today's last; the older ones of another model whose price nobody knows."""
    now = time.time()
    for ago in range(6, -1, -1):
        fields: dict[str, Any] = {"at": now - ago * DAY, "input": 1000, "cached": 250, "output": 10}
        if ago > 2:
            wrote(row(outcome(**fields, model="old", session="b"), None))
        else:
            wrote(row(outcome(**fields), 0.5))
    wrote(row(outcome(at=now, status=502, outcome="api_error", input=0, output=0), 0.0))


def test_without_a_ledger_that_is_said() -> None:
    assert "there is no ledger yet" in shown()
    assert json.loads(shown("--json")) == {"by": "day", "rows": [], "total": None}


@pytest.mark.usefixtures("week")
def test_a_table_has_a_row_for_each_day_and_the_total() -> None:
    heads, *rows, total = lines()
    assert heads == [
        "day",
        "requests",
        "failed",
        "input",
        "cached",
        "output",
        "cost",
        "first",
        "time",
    ]
    today = datetime.now().astimezone().date()
    days = [(today - timedelta(days=ago)).isoformat() for ago in range(6, -1, -1)]
    assert [cells[0] for cells in rows] == days
    assert rows[0][1:7] == ["1", "0", "1,000", "25%", "10", "unknown"]
    assert rows[-1][1:7] == ["2", "1", "1,000", "25%", "10", "$0.50"]
    assert total[:10] == ["total", "8", "1", "7,000", "25%", "70", "$1.50", "+", "4", "unknown"]


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("by", "keys"),
    [("model", ["test/m", "test/old"]), ("provider", ["test"]), ("session", ["b", "s"])],
)
def test_other_groups_are_by_what_they_took_or_when_they_came(by: str, keys: list[str]) -> None:
    heads, *rows, _ = lines("--by", by)
    assert heads[0] == by
    assert [cells[0] for cells in rows] == keys


@pytest.mark.usefixtures("week")
@pytest.mark.parametrize(
    ("since", "requests"),
    [("36h", 3), ("2d", 3), ("1w", 8), ("30d", 8), ("today", 2), ("TODAY", 2), ("2026-01-01", 8),
     ("2026-01-01T10:00", 8), ("999999w", 8)],
)  # fmt: skip
def test_since_is_an_age_or_a_date(since: str, requests: int) -> None:
    assert json.loads(shown("--since", since, "--json"))["total"]["requests"] in (
        requests,
        # Exactly two days ago may be a moment more.
        *((requests + 1,) if since == "2d" else ()),
    )


@pytest.mark.parametrize("since", ["", "soon", "7", "d", "-3d", "7 days ago", "2026-13-01", "7m"])
def test_what_is_no_time_is_refused_with_examples(since: str) -> None:
    result = run("--since", since)
    assert result.exit_code == 2
    assert "2026-11-01" in result.output


def test_a_group_that_there_is_not_is_refused() -> None:
    assert run("--by", "colour").exit_code == 2
    assert "exclude each other" in run("--json", "--csv").output


@pytest.mark.usefixtures("week")
def test_json_and_csv_say_the_same() -> None:
    said = json.loads(shown("--by", "model", "--json"))
    rows = list(csv.DictReader(io.StringIO(shown("--by", "model", "--csv"))))
    assert [r["model"] for r in rows] == [r["model"] for r in said["rows"]]
    for from_csv, from_json in zip(rows, said["rows"], strict=True):
        assert from_csv.keys() == from_json.keys()
        for name, value in from_json.items():
            assert from_csv[name] == ("" if value is None else str(value))
    assert said["rows"][1]["cost"] is None
    assert said["total"]["unpriced"] == 4


def test_a_models_name_is_no_formula_of_a_spreadsheet() -> None:
    wrote(row(outcome(at=time.time(), session="=HYPERLINK(1)"), None))
    assert "'=HYPERLINK(1)" in shown("--by", "session", "--csv")


def test_an_empty_time_is_said() -> None:
    wrote(row(outcome(at=1.0), None))
    assert shown("--since", "1h").startswith("no request since ")
    assert json.loads(shown("--since", "1h", "--json"))["rows"] == []


def test_a_file_that_is_no_ledger_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    ledger_file().write_bytes(b"something else" * 100)
    result = run()
    assert result.exit_code == 1
    assert "can't be read: file is not a database" in str(result.exception)


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    fcc = Fcc(tmp_path / "home")
    yield fcc
    fcc.close()


def post(url: str) -> None:
    request = urllib.request.Request(
        f"{url}/v1/messages", json.dumps(ASKED).encode(), {"x-claude-code-session-id": "a-session"}
    )
    urllib.request.urlopen(request, timeout=20).read()


def until_there_are(fcc: Fcc, requests: int) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while True:
        said = fcc.json("usage", "--json", "--by", "session")
        if (said["total"] or {"requests": 0})["requests"] == requests:
            return dict(said)
        assert time.monotonic() < deadline, said


@pytest.mark.slow  # a daemon of its own, and a few commands
def test_a_daemons_requests_are_seen_while_it_runs_and_after_a_kill(fcc: Fcc) -> None:
    with (fcc.home / "log").open("w") as log:
        daemon = subprocess.Popen(
            [sys.executable, "-m", "fcc", "serve", "--log-format", "json"],
            cwd=fcc.home, env=fcc.environ, stdout=subprocess.DEVNULL, stderr=log,
        )  # fmt: skip
    try:
        for attempt in range(200):
            try:
                post(fcc.url)
                break
            except OSError:
                assert attempt < 199
                time.sleep(0.05)
        post(fcc.url)
        said = until_there_are(fcc, 2)
        assert said["rows"][0]["session"] == "a-session"
        assert said["total"]["cost"] == 0.0
    finally:
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
    assert until_there_are(fcc, 2)["rows"][0]["requests"] == 2
    told = [json.loads(line) for line in (fcc.home / "log").read_text().splitlines()]
    answered = [line for line in told if line.get("provider") == "demo"]
    assert len(answered) == 2
    assert all(line["request_id"].startswith("req_") for line in answered)


@pytest.mark.slow  # processes of their own: CPU can't be measured otherwise
def test_it_begins_at_once(fcc: Fcc) -> None:
    fcc.state.mkdir()
    with Database(fcc.state / "usage.db") as database:
        for part in range(20):
            entry = row(outcome(at=time.time() - part * 3600), 0.1)
            database.write([entry] * 1000)
    costs = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert fcc("usage", "--by", "model").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        costs.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    tracer = 0.3 if any(name.startswith("COVERAGE_") for name in os.environ) else 0.0
    # With 20,000 entries; half of it is Python itself. The figure is 0.15 on a quiet machine.
    assert min(costs) < 0.25 + tracer, costs
