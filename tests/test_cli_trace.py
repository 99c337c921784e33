"""`fcc trace`, `fcc replay` and `fcc bug`, as a person runs them."""

import io
import json
import os
import re
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import httpx
import msgspec
import pytest

from fcc.cli.local import NoAnswerError
from fcc.cli.post import post
from fcc.cli.trace_text import lines
from fcc.observe.trace import Attempt, Trace
from fcc.settings.files import Providers
from fcc.settings.running import Running, announced
from tests.command import Fcc
from tests.outcomes import outcome
from tests.planted import planted
from tests.test_fixture import judged

SECRET = "sk-proj-" + planted(21)[1].secrets[0]

ASKED: dict[str, Any] = {
    "model": "claude-opus-5-5",
    "max_tokens": 100,
    "metadata": {"user_id": "u"},
    "system": "Be kind.",
    "messages": [{"role": "user", "content": f"Please use a tool, with {SECRET}"}],
    "tools": [
        {"name": "Bash", "description": "Runs a command", "input_schema": {
            "type": "object", "properties": {"command": {"type": "string"}},
            "required": ["command"]}},
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fcc]:
    """A daemon that records; it has answered three requests."""
    fcc = Fcc(tmp_path_factory.mktemp("traced") / "home")
    fcc.install_claude()
    fcc.environ |= {"FCC_RECORD": "1", "NO_COLOR": "1"}
    assert fcc("claude", "-p", "x").returncode == 0
    ask(fcc, stream=True)
    ask(fcc, stream=False, tools=[])
    ask(fcc, max_tokens="many")
    yield fcc
    fcc.close()


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    """A machine without a daemon."""
    fcc = Fcc(tmp_path / "home")
    fcc.install_claude()
    fcc.environ["NO_COLOR"] = "1"
    yield fcc
    fcc.close()


def ask(fcc: Fcc, **fields: Any) -> str:
    headers = {"x-api-key": SECRET, "Cookie": "sid=abcdef123456"}
    answer = httpx.post(
        f"{fcc.url}/v1/messages", json={**ASKED, **fields}, headers=headers, trust_env=False, timeout=30
    )  # fmt: skip
    return answer.headers["request-id"]


def streamed_id(fcc: Fcc) -> str:
    return next(
        str(line["id"]) for line in fcc.json("trace", "list", "--json") if line["outcome"] == "tool_use"
    )  # fmt: skip


@pytest.mark.slow  # processes of their own
def test_the_list_has_a_line_for_each_request(daemon: Fcc) -> None:
    shown = daemon("trace", "list").stdout.splitlines()
    assert shown[0].split() == [
        "id",
        "when",
        "model",
        "status",
        "outcome",
        "seconds",
        "in",
        "out",
        "kept",
    ]
    lines = [line for line in shown if "claude-opus-5-5 -> demo/demo" in line]
    assert len(lines) >= 2
    assert "200  tool_use" in lines[0]
    assert any("400  invalid_request_error" in line for line in shown)
    assert len(daemon("trace", "list", "-n", "1").stdout.splitlines()) == 2


@pytest.mark.slow
def test_show_tells_each_step(daemon: Fcc) -> None:
    id = streamed_id(daemon)
    shown = daemon("trace", "show", id[:12]).stdout
    for words in (
        id, "200 tool_use", "claude-opus-5-5 -> demo/demo", "Came in", "x-api-key: ***", "cookie: ***",
        "Went upstream", "~ changed model", '"claude-opus-5-5" -> "demo"',
        "- dropped metadata", "+ added   stream_options", "= kept    tools", "Came back",
        "call 0", "arguments 0", "finish_reason", "[DONE]", "Was sent", "message_start",
        "input_json_delta", "stop_reason",
    ):  # fmt: skip
        assert words in shown, words
    assert SECRET[8:20] not in shown
    assert "sk-proj-***" in daemon("trace", "show", id, "--raw", "in").stdout


@pytest.mark.slow
def test_show_gives_json_and_the_bytes_of_each_step(daemon: Fcc) -> None:
    id = streamed_id(daemon)
    trace = daemon.json("trace", "show", id, "--json")
    assert trace["attempts"][0]["provider"] == "demo"
    for which, begin in (
        ("in", "{"),
        ("upstream", "{"),
        ("received", "data: {"),
        ("sent", "event: message_start"),
    ):
        assert daemon("trace", "show", id, "--raw", which).stdout.startswith(begin)
    first = daemon("trace", "show", id, "--raw", "received", "--attempt", "1")
    assert first.stdout == daemon("trace", "show", id, "--raw", "received").stdout


@pytest.mark.slow
@pytest.mark.parametrize("raw", ["upstream", "received"])
def test_an_attempt_that_was_not_made_is_a_usage_error(daemon: Fcc, raw: str) -> None:
    id = streamed_id(daemon)
    ended = daemon("trace", "show", id, "--raw", raw, "--attempt", "5")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert f"{id} took 1 attempt: there is no --attempt 5" in ended.stderr


@pytest.mark.slow
@pytest.mark.parametrize("more", [("--raw", "in"), ("--raw", "sent"), ("--json",), ()])
def test_an_attempt_of_what_there_is_once_is_a_usage_error(
    daemon: Fcc, more: tuple[str, ...]
) -> None:
    ended = daemon("trace", "show", "last", *more, "--attempt", "1")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "--attempt goes with --raw upstream or --raw received" in ended.stderr


@pytest.mark.slow
def test_a_request_that_went_nowhere_has_nothing_of_an_attempt(daemon: Fcc) -> None:
    refused = next(
        str(line["id"])
        for line in daemon.json("trace", "list", "--json")
        if line["outcome"] == "invalid_request_error"
    )
    ended = daemon("trace", "show", refused, "--raw", "upstream")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert ended.stderr == f"fcc: nothing of {refused} went upstream: there was no attempt\n"


@pytest.mark.slow
def test_what_comes_from_inside_fcc_has_no_status(daemon: Fcc) -> None:
    shown = daemon("trace", "show", streamed_id(daemon)).stdout
    came_back = shown[shown.index("Came back") :].splitlines()
    assert re.fullmatch(r"  from inside fcc  [\d,]+ bytes", came_back[1])


def test_an_attempt_that_nobody_answered_says_so() -> None:
    attempt = Attempt(
        provider="acme", model="m", url="http://acme", received_bytes=0,
        error="it is gone", error_type="api_error",
    )  # fmt: skip
    trace = Trace(outcome=outcome(), method="POST", path="/v1/messages", attempts=[attempt])
    shown = click.unstyle("\n".join(lines(trace)))
    assert "Came back\n  no answer\n  api_error: it is gone\n" in shown
    trace.attempts = [msgspec.structs.replace(attempt, status=502)]
    assert "Came back\n  status 502  0 bytes\n" in click.unstyle("\n".join(lines(trace)))


@pytest.mark.slow
def test_an_unknown_id_is_told_with_the_nearest(daemon: Fcc) -> None:
    id = streamed_id(daemon)
    typo = id[:-1] + ("0" if id[-1] != "0" else "1")
    ended = daemon("trace", "show", typo)
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"fcc: there is no trace {typo!r}, did you mean {id!r}?"


@pytest.mark.slow
def test_replay_asks_again_and_compares(daemon: Fcc) -> None:
    id = streamed_id(daemon)
    ended = daemon("replay", id)
    assert ended.returncode == 0, ended.stderr
    assert "[tool_use Bash]" in ended.stdout
    assert "what was masked as a secret goes out as ***" in ended.stderr
    table = ended.stdout[ended.stdout.index(id) - 20 :]
    assert re.search(r"outcome +tool_use +tool_use", table)
    assert re.search(r"model +demo/demo +demo/demo", table)


@pytest.mark.slow
def test_replay_with_another_model_that_fails_says_so_and_exits_with_1(daemon: Fcc) -> None:
    ended = daemon("replay", streamed_id(daemon), "--model", "openrouter/some-model")
    assert ended.returncode == 1
    assert "OPENROUTER_API_KEY" in ended.stderr
    assert "authentication_error" in ended.stdout


@pytest.mark.slow
def test_the_bundle_has_all_that_an_issue_needs_and_no_secret(daemon: Fcc, tmp_path: Path) -> None:
    id = streamed_id(daemon)
    path = tmp_path / "bug.zip"
    ended = daemon("bug", id, "-o", str(path))
    assert ended.returncode == 0, ended.stderr
    assert "what was said is in it" in ended.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    files = unzipped(path)
    assert set(files) == {
        "README.txt", "facts.json", "versions.json", "profile.toml", "request.json",
        "attempt-1.body.json", "attempt-1.received", "sent", "upstream.sse", "upstream.expect.json",
    }  # fmt: skip
    everything = b"".join(files.values()).decode()
    assert SECRET[8:20] not in everything
    assert "abcdef123456" not in everything
    expect = json.loads(files["upstream.expect.json"])
    assert [block["type"] for block in expect["content"]][-1] == "tool_use"
    assert judged(expect, files["upstream.sse"]) == ""
    assert json.loads(files["versions.json"])["libraries"]["msgspec"]
    again = tmp_path / "demo.toml"
    again.write_bytes(files["profile.toml"])
    assert Providers(tmp_path).get("demo").embedded


@pytest.mark.slow
def test_a_masked_bundle_has_nothing_that_was_said(daemon: Fcc, tmp_path: Path) -> None:
    path = tmp_path / "bug.tar.gz"
    assert daemon("bug", streamed_id(daemon), "--mask", "-o", str(path)).returncode == 0
    with tarfile.open(path) as archive:
        files = {
            member.name.removeprefix("fcc-bug/"): found.read()
            for member in archive.getmembers()
            if (found := archive.extractfile(member)) is not None
        }
    said = b"".join(raw for name, raw in files.items() if name != "README.txt").decode()
    for words in ("Please", "Be kind", "Runs a command"):
        assert words not in said
    assert len(files["request.json"]) > 100
    assert judged(json.loads(files["upstream.expect.json"]), files["upstream.sse"]) == ""


def unzipped(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        return {name.removeprefix("fcc-bug/"): archive.read(name) for name in archive.namelist()}


@pytest.mark.slow
def test_a_bundle_of_another_kind_or_place_is_refused(daemon: Fcc) -> None:
    id = streamed_id(daemon)
    assert "must end with .zip or .tar.gz" in daemon("bug", id, "-o", "x.rar").stderr
    assert "can't be written" in daemon("bug", id, "-o", "/nowhere/x.zip").stderr


@pytest.mark.slow
def test_traces_outlive_a_daemon_that_was_killed(fcc: Fcc) -> None:
    fcc.environ["FCC_RECORD"] = "1"
    assert fcc("claude", "-p", "x").returncode == 0
    id = ask(fcc, stream=True)
    # Asking for it waits until it is written.
    assert id in fcc("trace", "list").stdout
    fcc.close()
    assert id in fcc("trace", "list").stdout
    assert "Came back" in fcc("trace", "show", "last").stdout
    ended = fcc("replay", "last")
    assert (ended.returncode, "fcc does not run" in ended.stderr) == (3, True)
    assert fcc("trace", "show", "nothing").returncode == 1


@pytest.mark.slow
def test_where_only_facts_are_kept_every_command_says_how_to_keep_more(fcc: Fcc) -> None:
    assert fcc("claude", "-p", "x").returncode == 0
    ask(fcc, stream=True)
    assert "facts" in fcc("trace", "list").stdout
    shown = fcc("trace", "show", "last")
    assert shown.returncode == 0
    for ended in (
        shown,
        fcc("bug", "last"),
        fcc("replay", "last"),
        fcc("trace", "show", "last", "--raw", "in"),
    ):
        assert "fcc serve --record" in ended.stdout + ended.stderr
        assert "bodies = true" in ended.stdout + ended.stderr


@pytest.mark.slow
def test_without_a_daemon_and_without_traces_the_commands_say_so(fcc: Fcc) -> None:
    assert "no daemon runs" in fcc("trace", "list").stdout
    assert fcc.json("trace", "list", "--json") == []
    ended = fcc("trace", "show", "last")
    assert ended.returncode == 1
    assert "no daemon runs" in ended.stderr


@pytest.mark.slow
def test_a_daemon_that_does_not_answer_is_no_wrong_option(
    fcc: Fcc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCC_STATE_DIR", str(fcc.state))
    for command in (("list",), ("show", "last")):
        with announced(Running(os.getpid(), fcc.url, "1", "demo")):
            ended = fcc("trace", *command)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.startswith(f"fcc: the fcc at {fcc.url} does not answer: ")
    asking = post(fcc.url, "/v1/messages", b"", [], 1.0)
    with pytest.raises(NoAnswerError, match="does not answer: Connection refused"):
        asking.__enter__()


@pytest.mark.slow
def test_a_recorder_that_is_off_is_told(fcc: Fcc) -> None:
    (fcc.config / "config.toml").write_text("[recorder]\nkeep = 0\n")
    assert fcc("claude", "-p", "x").returncode == 0
    ask(fcc)
    assert "keep = 0" in fcc("trace", "list").stdout
