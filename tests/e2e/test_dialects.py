"""Does the real Claude Code work on a provider that writes every tool call as text?

One process is told one task after the other, each against a model that speaks another dialect:
to read a script of that task's own, to change it and to run it. Four answers a task, none of
them with a native call.
"""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fcc.translate.dialects.table import DIALECTS
from tests.e2e.claude import Outcome, Room
from tests.e2e.daemon import TOKEN, daemon
from tests.e2e.script import TRICKY, cue
from tests.e2e.session import session
from tests.e2e.upstream import MODEL, Upstream
from tests.e2e.written import WRITTEN

# The first test may have to install Claude Code, and waits for all tasks.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

AT_ONCE = 2
"""Processes of Claude Code that share the tasks."""


class Task:
    """A script to read, change and run, and what came of it."""

    def __init__(self, room: Room, dialect: str) -> None:
        self.dialect = dialect
        self.run = f"{room.run}-{dialect}"
        self.place = room.place / dialect
        self.secret = f"secret-{room.run}{list(WRITTEN).index(dialect):02d}"
        self.outcome: Outcome | None = None
        self.place.mkdir()
        script = f"echo one\ncat <<'EOF'\n{self.secret}\nEOF\n"
        (self.place / "greet.sh").write_text(script, encoding="utf-8")

    def prompt(self) -> str:
        return f"Do it. {cue('work', run=self.run, at=self.place, calls=self.dialect)}"

    def read(self, name: str) -> str:
        return (self.place / name).read_text(encoding="utf-8")


def _work(room: Room, tasks: list[Task]) -> None:
    with session(room, "--tools", "Read,Edit,Bash") as claude:
        for task in tasks:
            task.outcome = claude.say(task.prompt())


@pytest.fixture(scope="module")
def tasks(binary: Path, url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Task]:
    root = tmp_path_factory.mktemp("dialects")
    rooms = [Room(binary, url, TOKEN, root / str(number)) for number in range(AT_ONCE)]
    shares = [
        [Task(room, dialect) for dialect in list(WRITTEN)[number::AT_ONCE]]
        for number, room in enumerate(rooms)
    ]
    with ThreadPoolExecutor() as pool:
        list(pool.map(_work, rooms, shares))
    return {task.dialect: task for share in shares for task in share}


def test_every_dialect_that_can_carry_a_call_is_spoken() -> None:
    assert WRITTEN.keys() == {name for name, dialect in DIALECTS.items() if dialect.example}


def test_a_call_stays_text_where_that_is_wished(
    binary: Path, upstream: Upstream, tmp_path: Path
) -> None:
    options = ("--model", MODEL, "--no-dialects")
    with daemon(tmp_path / "daemon", upstream.url, *options) as url:
        room = Room(binary, url, TOKEN, tmp_path / "room")
        told = room.claude(f"Do it. {cue('work', run=room.run, at=room.place, calls='hermes')}")
    assert told.text.startswith("The file first.\n<tool_call>")
    assert not told.blocks("tool_use")
    assert len(upstream.asked(room.run)) == 1


@pytest.mark.parametrize("dialect", WRITTEN)
def test_a_file_is_read_changed_and_run(
    tasks: dict[str, Task], upstream: Upstream, dialect: str
) -> None:
    task = tasks[dialect]
    assert task.outcome is not None
    changed = f"changed-{task.secret} {TRICKY}"
    assert task.outcome.text == f"It prints changed-{task.secret}."
    assert task.read("greet.sh") == f"echo one\ncat <<'EOF'\n{changed}\nEOF\n"
    assert task.read("printed.txt") == f"one\n{changed}\n"
    assert [block["name"] for block in task.outcome.blocks("tool_use")] == ["Read", "Edit", "Bash"]
    assert not any(block.get("is_error") for block in task.outcome.blocks("tool_result"))
    assert [asked.step for asked in upstream.asked(task.run)] == [0, 1, 2, 3]
