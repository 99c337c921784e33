"""The ledger: what it keeps, and what happens to it when the disk or the clock does not help."""

import os
import resource
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fcc.observe import ledger as ledger_module
from fcc.observe.database import Database, NewerLedgerError
from fcc.observe.entry import row
from fcc.observe.ledger import Ledger
from fcc.observe.report import GROUPS, report
from tests.outcomes import outcome

ROOT = Path(__file__).parent.parent
DAY = 86400.0


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "usage.db"


def ledger(path: Path, **options: Any) -> Ledger:
    return Ledger(path, lambda: 90, **{"moment": 0.0, **options})


@contextmanager
def running(path: Path, **options: Any) -> Iterator[Ledger]:
    running = ledger(path, **options)
    running.start(0.0, lambda dollars, tokens: None)
    try:
        yield running
    finally:
        running.stop(patience=10)


def until(true: Callable[[], bool]) -> None:
    """Waits for the ledger's thread."""
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.002)


def rows(path: Path, what: str = "*") -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return connection.execute(f"SELECT {what} FROM requests ORDER BY id").fetchall()


def test_what_is_put_is_in_the_file(path: Path) -> None:
    with running(path) as kept:
        kept.put(row(outcome(fallbacks=("a/b 429 x",), repairs={"arguments": 1}), 0.5))
        kept.put(row(outcome(status=502, outcome="api_error", first=None), None))
    first, second = rows(path, "provider, model, failed, input, output, cost, fallbacks, repairs")
    assert first == ("test", "m", 0, 100, 20, 0.5, '["a/b 429 x"]', '{"arguments":1}')
    assert second[2] == 1
    assert second[5] is None
    assert kept.written == 2


def test_the_file_is_its_owners_alone(path: Path) -> None:
    with running(path) as kept:
        kept.put(row(outcome(), 0.5))
        until(lambda: kept.written == 1)
        for file in path.parent.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_the_words_of_an_error_are_not_kept(path: Path) -> None:
    words = "the prompt said: my diary"
    with running(path) as kept:
        kept.put(row(outcome(status=400, outcome="invalid_request_error", error=words), 0.0))
    assert "diary" not in repr(rows(path))
    assert b"diary" not in path.read_bytes()


@pytest.mark.parametrize("tokens", [2**63, 10**30, -5])
def test_any_count_of_a_provider_can_be_kept(path: Path, tokens: int) -> None:
    with running(path) as kept:
        kept.put(row(outcome(input=tokens), None))
    [(found,)] = rows(path, "input")
    assert 0 <= found < 2**63


def test_what_the_file_has_of_today_is_told_before_anything_is_written(path: Path) -> None:
    with running(path) as kept:
        kept.put(row(outcome(at=100.0, input=7, output=3), 0.25))
        kept.put(row(outcome(at=200.0, input=1, output=1), 0.5))
        kept.put(row(outcome(at=300.0, input=1, output=1), None))
    told: list[tuple[float, int]] = []
    again = ledger(path)
    again.put(row(outcome(at=400.0), 100.0))
    again.start(150.0, lambda dollars, tokens: told.append((dollars, tokens)))
    until(lambda: again.written == 1)
    again.stop()
    assert told == [(0.5, 4)]


KILLED = """
import sys, itertools
from fcc.observe.entry import row
from fcc.observe.ledger import Ledger
from tests.outcomes import outcome
ledger = Ledger(__import__("pathlib").Path(sys.argv[1]), lambda: 90, moment=0.0)
ledger.start(0.0, lambda dollars, tokens: None)
for number in itertools.count():
    while ledger.waiting > 500:
        pass
    ledger.put(row(outcome(input=number), 0.1))
    if number % 500 == 0:
        print(ledger.written, flush=True)
"""


@pytest.mark.slow  # processes of their own, that are killed while they write
@pytest.mark.parametrize("after", range(3))
def test_a_kill_in_the_middle_of_writing_leaves_all_that_was_written(
    path: Path, after: int
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    written = 0
    while written <= after * 700:
        written = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    found = [number for (number,) in rows(path, "input")]
    assert len(found) >= written
    # Nothing is there twice, out of order, or missing in the middle.
    assert found == list(range(len(found)))
    with running(path) as kept:
        kept.put(row(outcome(), 0.1))
    assert len(rows(path)) == len(found) + 1


FULL = """
import resource, sys, time
from pathlib import Path
from fcc.observe.entry import row
from fcc.observe.ledger import Ledger
from tests.outcomes import outcome
path = Path(sys.argv[1])
import fcc.observe.ledger as module
module._AGAIN = 0.01
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, resource.RLIM_INFINITY))
ledger = Ledger(path, lambda: 90, moment=0.0, most_waiting=100)
ledger.start(0.0, lambda dollars, tokens: None)
longest = 0.0
while ledger.failures < 3 or ledger.dropped < 50:
    began = time.perf_counter()
    ledger.put(row(outcome(), 0.1))
    longest = max(longest, time.perf_counter() - began)
    time.sleep(0)
full = ledger.written
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
deadline = time.monotonic() + 20
while ledger.written == full and time.monotonic() < deadline:
    time.sleep(0.01)
ledger.stop(patience=10)
print(full, ledger.written, ledger.dropped, longest)
"""


@pytest.mark.slow  # a process of its own, whose files may not grow
def test_a_full_disk_is_waited_out_and_only_the_oldest_are_lost(path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", FULL, str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    full, written, dropped, longest = ended.stdout.split()
    assert 0 < int(full) < int(written)
    assert int(dropped) >= 50
    assert float(longest) < 0.2
    # Once, however many writes failed: it is told once a minute.
    assert ended.stderr.count("can't be written") == 1
    assert len(rows(path)) == int(written)


def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_module, "_AGAIN", 0.01)
    monkeypatch.setattr("fcc.observe.database._PATIENCE", 0.01)


def test_a_locked_file_is_waited_for(path: Path, monkeypatch: Any, logged: list[str]) -> None:
    soon(monkeypatch)
    with running(path) as kept:
        kept.put(row(outcome(input=1), 0.1))
        until(lambda: kept.written == 1)
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            kept.put(row(outcome(input=2), 0.1))
            until(lambda: kept.failures >= 3)
            assert kept.written == 1
            assert kept.waiting == 1
            other.execute("ROLLBACK")
        until(lambda: kept.written == 2)
    assert rows(path, "input") == [(1,), (2,)]
    assert sum("locked" in line for line in logged) == 1


def test_a_folder_that_cannot_be_written_costs_entries_and_no_more(
    tmp_path: Path, monkeypatch: Any, logged: list[str]
) -> None:
    soon(monkeypatch)
    (tmp_path / "file").write_text("")
    with running(tmp_path / "file" / "usage.db", most_waiting=10) as kept:
        until(lambda: kept.failures >= 2)
        for _ in range(50):
            kept.put(row(outcome(), 0.1))
        assert kept.waiting <= 10 + 50
        assert kept.dropped >= 30
    assert kept.written == 0
    assert any("requests are answered all the same" in line for line in logged)


def test_dev_full_is_no_ledger_and_harms_nobody(monkeypatch: Any) -> None:
    soon(monkeypatch)
    with running(Path("/dev/full")) as kept:
        kept.put(row(outcome(), 0.1))
        until(lambda: kept.failures >= 2)


@pytest.mark.parametrize("damage", [b"no database at all, by any account" * 50, b""])
def test_a_file_that_is_no_database_is_kept_aside(
    path: Path, monkeypatch: Any, damage: bytes
) -> None:
    soon(monkeypatch)
    path.parent.mkdir()
    path.write_bytes(damage)
    with running(path) as kept:
        kept.put(row(outcome(), 0.1))
        until(lambda: kept.written == 1)
    assert len(rows(path)) == 1
    aside = path.with_name("usage.db.damaged")
    assert (aside.read_bytes() if aside.exists() else b"") == damage


def test_a_damaged_database_is_kept_aside(path: Path, monkeypatch: Any) -> None:
    soon(monkeypatch)
    with running(path) as kept:
        for _ in range(500):
            kept.put(row(outcome(), 0.1))
    torn = bytearray(path.read_bytes())
    torn[100:8000] = os.urandom(7900)
    path.write_bytes(torn)
    with running(path) as kept:
        kept.put(row(outcome(), 0.1))
        until(lambda: kept.written == 1)
    assert len(rows(path)) == 1
    assert path.with_name("usage.db.damaged").read_bytes() == torn


def test_a_ledger_of_a_newer_fcc_is_left_alone(path: Path, monkeypatch: Any) -> None:
    soon(monkeypatch)
    with running(path):
        pass
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(NewerLedgerError, match="newer fcc"):
        Database(path)
    with running(path) as kept:
        kept.put(row(outcome(), 0.1))
        until(lambda: kept.failures >= 2)
    assert rows(path) == []


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def pruned(path: Path, monkeypatch: Any, clock: Clock, jump: float = 0.0, **options: Any) -> int:
    """How many entries are left after a look for old ones."""
    monkeypatch.setattr(ledger_module, "_FIRST_PRUNE", -1.0)
    kept = ledger(path, clock=clock, **options)
    clock.now += jump
    kept.start(0.0, lambda dollars, tokens: None)
    kept.stop(patience=10)
    return len(rows(path))


def aged(path: Path, clock: Clock, *days: float) -> None:
    with running(path) as kept:
        for ago in days:
            kept.put(row(outcome(at=clock.now - ago * DAY), 0.1))


def test_old_entries_are_deleted(path: Path, monkeypatch: Any) -> None:
    clock = Clock(1_790_000_000.0)
    aged(path, clock, 400, 91, 89, 0)
    assert pruned(path, monkeypatch, clock) == 2


@pytest.mark.parametrize("jump", [400 * DAY, -400 * DAY, 3600.0])
def test_a_clock_that_jumped_deletes_nothing(path: Path, monkeypatch: Any, jump: float) -> None:
    clock = Clock(1_790_000_000.0)
    aged(path, clock, 91, 1, 0)
    assert pruned(path, monkeypatch, clock, jump) == 3


def test_there_is_a_bound_to_entries_whatever_the_clock_says(path: Path, monkeypatch: Any) -> None:
    clock = Clock(1_790_000_000.0)
    aged(path, clock, *([1.0] * 50))
    assert pruned(path, monkeypatch, clock, 400 * DAY, most_rows=20) == 20
    aged(path, clock, *([1.0] * 12_000))
    assert pruned(path, monkeypatch, clock, most_rows=100) == 100


def test_entries_of_a_clock_that_was_set_back_are_kept_as_they_came(path: Path) -> None:
    with running(path) as kept:
        for at in (1_790_000_000.0, 1_700_000_000.0, 1_790_000_100.0, 0.0):
            kept.put(row(outcome(at=at), 0.1))
    assert [at for (at,) in rows(path, "at")] == [
        1_790_000_000.0,
        1_700_000_000.0,
        1_790_000_100.0,
        0.0,
    ]
    assert report(path, "day", 1_780_000_000.0).total.requests == 2


def test_putting_never_waits(path: Path) -> None:
    kept = ledger(path)
    entry = row(outcome(), 0.1)
    began = time.thread_time()
    for _ in range(20_000):
        kept.put(entry)
    assert (time.thread_time() - began) / 20_000 < 0.0001
    assert kept.waiting == ledger_module.MOST_WAITING
    assert kept.dropped == 20_000 - ledger_module.MOST_WAITING


def test_two_daemons_write_to_one_ledger(path: Path) -> None:
    with running(path) as one, running(path) as other:
        for number in range(300):
            (one, other)[number % 2].put(row(outcome(input=number), 0.1))
    assert sorted(number for (number,) in rows(path, "input")) == list(range(300))


def test_a_reader_sees_a_ledger_that_is_being_written(path: Path) -> None:
    with running(path) as kept:
        for number in range(1, 50):
            kept.put(row(outcome(), 0.1))
            until(lambda number=number: kept.written == number)
            assert report(path, "day", 0.0).total.requests == number


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_ledger_in_a_folder_that_cannot_be_written_can_be_read(path: Path) -> None:
    aged(path, Clock(1_790_000_000.0), 1)
    path.parent.chmod(0o500)
    try:
        assert report(path, "day", 0.0).total.requests == 1
    finally:
        path.parent.chmod(0o700)


@pytest.mark.parametrize("by", GROUPS)
def test_the_groups_add_up_to_the_total(path: Path, by: str) -> None:
    with running(path) as kept:
        for number in range(60):
            kept.put(
                row(
                    outcome(
                        at=1_790_000_000.0 + number * DAY / 7, provider=f"p{number % 3}",
                        model=f"m{number % 5}", session=f"s{number % 4}", input=number,
                        local="title" if number % 11 == 0 else "",
                    ),
                    None if number % 6 == 0 else number / 100,
                )
            )  # fmt: skip
    found = report(path, by, 0.0)
    assert len(found.lines) > 1
    assert len({line.key for line in found.lines}) == len(found.lines)
    for name in ("requests", "input", "output", "unpriced"):
        total = getattr(found.total, name)
        assert sum(getattr(line, name) for line in found.lines) == total
    assert found.total.requests == 60
    assert found.total.unpriced == 10
    assert sum(line.cost or 0.0 for line in found.lines) == pytest.approx(found.total.cost)


def test_a_cost_that_nobody_knows_is_none_and_never_0(path: Path) -> None:
    with running(path) as kept:
        kept.put(row(outcome(model="unknown"), None))
        kept.put(row(outcome(model="free"), 0.0))
    costs = {line.key: line.cost for line in report(path, "model", 0.0).lines}
    assert costs == {"test/unknown": None, "test/free": 0.0}


def test_nothing_is_left_running(path: Path) -> None:
    with running(path) as kept:
        kept.put(row(outcome(), 0.1))
    assert not any(thread.name == "fcc-ledger" for thread in threading.enumerate())
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 200_000


@pytest.mark.parametrize("number", [0, 1, 31, 32, 33, 64, 100])
def test_each_of_any_number_of_rows_is_written_once_and_in_its_place(
    tmp_path: Path, number: int
) -> None:
    path = tmp_path / "usage.db"
    with Database(path) as database:
        database.write([row(outcome(request_id=f"req_{i}", input=i), 0.5) for i in range(number)])
    assert rows(path, "request_id, input, cost") == [(f"req_{i}", i, 0.5) for i in range(number)]
