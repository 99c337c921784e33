"""loguru, set up once."""

import asyncio
import json
import logging
import os
import stat
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from loguru import logger

from fcc import log
from fcc.errors import ConfigError
from fcc.server.record import Record
from fcc.settings.profile import Model
from fcc.settings.routing import Route
from tests.conftest import Ask, profile_of
from tests.outcomes import outcome
from tests.scripted import ASKED, Scripted, text

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def _as_it_was():
    yield
    logger.remove()
    logging.basicConfig(handlers=[logging.NullHandler()], force=True)


def test_messages_from_the_level_on_go_to_stderr_with_their_request(capsys) -> None:
    log.set_up("info")
    logger.debug("not this")
    logger.info("but {} and {braces}", "this", braces="{}")
    with logger.contextualize(request_id="req_1"):
        logger.warning("in a request")
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert len(lines) == 2
    assert "INFO    but this and {}" in lines[0]
    assert "WARNING req_1 in a request" in lines[1]


def test_a_name_that_a_client_chose_begins_no_line(capsys) -> None:
    log.set_up("info")
    logger.info("{} is asked", "m\n2026-01-01 ERROR \x1b[31mgone\r")
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("m\\n2026-01-01 ERROR \\x1b[31mgone\\r is asked")


def test_a_traceback_shows_no_values(capsys) -> None:
    log.set_up("debug")
    secret = "sk-" + "x" * 20
    try:
        len(secret) / 0
    except ZeroDivisionError:
        logger.exception("failed")
    err = capsys.readouterr().err
    assert "ZeroDivisionError" in err
    assert "x" * 20 not in err


def test_what_libraries_log_goes_where_everything_goes(capsys) -> None:
    log.set_up("info")
    logging.getLogger("a.library").info("too quiet")
    logging.getLogger("a.library").warning("100%% of {braces} <red>%s", "kept")
    try:
        {}["gone"]
    except KeyError:
        logging.getLogger("a.library").exception("with a traceback")
    err = capsys.readouterr().err
    assert "too quiet" not in err
    assert "100% of {braces} <red>kept" in err
    assert "KeyError: 'gone'" in err


def test_a_librarys_own_level_is_logged_too(capsys) -> None:
    log.set_up("info")
    logging.getLogger("a.library").log(35, "at thirty-five")
    assert "at thirty-five" in capsys.readouterr().err


def test_setting_up_again_logs_once(capsys) -> None:
    log.set_up("info")
    log.set_up("error")
    logger.info("no")
    logger.error("yes")
    assert len(capsys.readouterr().err.splitlines()) == 1


async def test_the_line_of_a_request_that_the_level_leaves_out_is_not_put_together(capsys) -> None:
    log.set_up("warning")
    record = Record("req_1", "POST", "/v1/messages")
    record.route = Route("claude", profile_of(), Model(name="m", provider="test"))
    nothing: Any = object()  # of which nobody can ask anything
    record.log(nothing)
    assert capsys.readouterr().err == ""
    log.set_up("info")
    record.log(outcome(first=None))
    assert "claude-opus-5-5 -> test/m 200 first - total 2.00s in 100" in capsys.readouterr().err


# One object a line.


def objects(said: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.splitlines()]


def test_json_is_one_object_a_line_with_its_request(capsys) -> None:
    log.set_up("info", "json")
    with logger.contextualize(request_id="req_1"):
        logger.warning("two\nlines and {braces}", braces="{<red>}")
    logger.debug("not this")
    [said] = objects(capsys.readouterr().err)
    assert datetime.fromisoformat(said.pop("time")).tzinfo is not None
    assert said == {"level": "warning", "message": "two\nlines and {<red>}", "request_id": "req_1"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(words=st.text(st.characters()))
def test_any_message_is_one_line_of_json(words: str, capsys) -> None:
    capsys.readouterr()
    log.set_up("info", "json")
    logger.info("{}", words)
    [line] = capsys.readouterr().err.split("\n")[:-1]
    assert json.loads(line)["message"] == words


def test_a_requests_line_has_what_is_known_of_it_and_no_words_of_an_error(capsys) -> None:
    log.set_up("info", "json")
    ended = outcome(error="the prompt said: my diary", outcome="api_error", first=None)
    logger.bind(outcome=ended).info("line")
    [said] = objects(capsys.readouterr().err)
    assert said["provider"] == "test"
    assert said["outcome"] == "api_error"
    assert (said["input"], said["output"], said["first"]) == (100, 20, None)
    assert "diary" not in json.dumps(said)


def test_a_traceback_is_a_field_and_shows_no_values(capsys) -> None:
    log.set_up("info", "json")
    secret = "sk-" + "x" * 20
    try:
        len(secret) / 0
    except ZeroDivisionError:
        logger.exception("failed")
    [said] = objects(capsys.readouterr().err)
    assert "ZeroDivisionError" in said["exception"]
    assert "x" * 20 not in json.dumps(said)


async def test_one_id_is_in_the_answer_and_in_every_line_of_its_request(
    connect: Ask, capsys
) -> None:
    client = await connect(backend=Scripted(text("hi")))
    await asyncio.to_thread(log.set_up, "debug", "json")
    response = await client.post("/v1/messages", json=ASKED)
    said = [one for one in objects(capsys.readouterr().err) if "request_id" in one]
    assert len(said) > 1
    assert {one["request_id"] for one in said} == {response.headers["request-id"]}
    assert said[-1]["outcome"] == "end_turn"


# A file.


def test_a_file_takes_the_terminals_place_and_is_its_owners_alone(tmp_path: Path, capsys) -> None:
    file = tmp_path / "fcc.log"
    log.set_up("info", file=file)
    logger.info("to the file: \udce9")
    log.set_up("info", file=file)
    logger.info("and on")
    logger.remove()
    assert capsys.readouterr().err == ""
    assert len(file.read_text("utf-8").splitlines()) == 2
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_file_is_begun_anew_and_a_few_old_ones_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_LARGEST", 10_000)
    log.set_up("info", "json", tmp_path / "fcc.log")
    for number in range(2000):
        logger.info("a line of some length, number {}", number)
    logger.remove()
    files = list(tmp_path.iterdir())
    assert len(files) <= log._KEPT + 1
    assert {file.name for file in files} >= {"fcc.log", "fcc.log.1", f"fcc.log.{log._KEPT}"}
    assert all(file.stat().st_size < 11_000 for file in files)
    last = objects((tmp_path / "fcc.log").read_text("utf-8"))[-1]
    assert last["message"].endswith("number 1999")


STARTED = """
import sys
from pathlib import Path
from loguru import logger
from fcc import log
log._LARGEST = 2_000
log.set_up("info", file=Path(sys.argv[1]))
for number in range(200):
    logger.info("a line of some length, number {}", number)
print("printed", flush=True)
print("a traceback", file=sys.stderr)
"""


def test_what_is_printed_goes_on_into_the_file_that_was_begun_anew(tmp_path: Path) -> None:
    """As in a daemon in the background, whose output is the log."""
    file = tmp_path / "daemon.log"
    with file.open("ab") as output:
        subprocess.run(
            [sys.executable, "-c", STARTED, str(file)], cwd=ROOT, stdout=output, stderr=output, check=True
        )  # fmt: skip
    said = file.read_text("utf-8").splitlines()
    assert said[-2:] == ["printed", "a traceback"]
    assert said[-3].endswith("number 199")
    assert len(list(tmp_path.iterdir())) == log._KEPT + 1
    assert all(one.stat().st_size < 3_000 for one in tmp_path.iterdir())


def test_two_daemons_that_write_to_one_file_begin_it_anew_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_LARGEST", 10)
    file = tmp_path / "daemon.log"
    one, other = log._File(file), log._File(file)
    other.write("the first to begin\n")
    one.write("one\n")
    other.write("other\n")
    one.stop()
    other.stop()
    assert file.read_text() == "one\nother\n"
    assert Path(f"{file}.1").read_text() == "the first to begin\n"
    assert len(list(tmp_path.iterdir())) == 2


def test_a_file_that_was_taken_away_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "_LARGEST", 10)
    file = tmp_path / "daemon.log"
    one = log._File(file)
    one.write("the first to begin\n")
    file.unlink()
    one.write("one\n")
    one.stop()
    assert [found.read_text() for found in tmp_path.iterdir()] == ["one\n"]


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="no log can be written there"):
        log.set_up("info", file=tmp_path / "file" / "fcc.log")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no disk is full here")
def test_a_full_disk_costs_lines_and_is_told_once(capsys) -> None:
    log.set_up("info", file=Path("/dev/full"))
    for _ in range(3):
        logger.info("lost")
    logger.remove()
    assert capsys.readouterr().err == "fcc: /dev/full: No space left on device; lines are lost\n"


# The journal.

SAYS = r"""
import os, sys
stat = os.fstat(2)
if sys.argv[1] == "journal":
    os.environ["JOURNAL_STREAM"] = f"{stat.st_dev}:{stat.st_ino}"
from loguru import logger
from fcc import log
log.set_up("debug", sys.argv[2])
logger.debug("d")
logger.info("i")
logger.warning("two\nlines")
logger.error("e")
"""


def said_to(whom: str, format: str, **environ: str) -> list[str]:
    ended = subprocess.run(
        [sys.executable, "-c", SAYS, whom, format],
        cwd=ROOT, env={**os.environ, **environ}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return ended.stderr.splitlines()


def test_the_journal_gets_priorities_and_no_second_time() -> None:
    assert said_to("journal", "text") == [
        "<7>DEBUG   d", "<6>INFO    i", "<4>WARNING two\\nlines", "<3>ERROR   e"
    ]  # fmt: skip


def test_the_journal_may_get_json_too() -> None:
    lines = said_to("journal", "json")
    assert [line[:3] for line in lines] == ["<7>", "<6>", "<4>", "<3>"]
    assert json.loads(lines[2][3:])["message"] == "two\nlines"


@pytest.mark.parametrize("inherited", ["1:1", "", ":", "nonsense"])
def test_a_shell_below_a_service_is_no_journal(inherited: str) -> None:
    lines = said_to("terminal", "text", JOURNAL_STREAM=inherited)
    assert lines[0][:3] != "<7>"
    assert lines[0].endswith("DEBUG   d")
