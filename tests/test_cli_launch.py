"""`fcc claude`, `fcc env` and the commands around a daemon, as processes."""

import json
import os
import pty
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from fcc.settings.running import Running, announced
from tests.command import Fcc
from tests.e2e.claude import NoClaudeCodeError, claude_code


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    fcc = Fcc(tmp_path / "home")
    yield fcc
    fcc.close()


def test_claude_is_started_through_a_daemon_that_goes_on_until_it_is_stopped(fcc: Fcc) -> None:
    fcc.install_claude()
    first = fcc(
        "claude", "-p", "hello", "--model", "opus", ANTHROPIC_API_KEY="mine", CLAUDE_EXIT="7"
    )
    assert first.returncode == 7
    called = json.loads(first.stdout)
    assert called["arguments"] == ["--permission-mode", "default", "-p", "hello", "--model", "opus"]
    assert called["environ"]["ANTHROPIC_BASE_URL"] == fcc.url
    assert called["environ"]["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "demo/demo"
    assert called["environ"]["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "200000"
    assert "ANTHROPIC_API_KEY" not in called["environ"]
    assert "runs in the background" in first.stderr

    again = fcc("claude", "mcp", "list")
    assert json.loads(again.stdout)["arguments"] == ["mcp", "list"]
    assert not again.stderr

    status = fcc.json("status", "--json")
    assert status["running"]
    assert status["url"] == fcc.url
    assert status["health"]["provider"] == "demo"
    assert "demo/demo" in fcc("status").stdout
    assert f"fcc listens on {fcc.url}" in fcc("logs").stdout
    assert (fcc.state / "daemon.log").stat().st_mode & 0o077 == 0

    stopped = fcc("stop")
    assert stopped.returncode == 0
    assert "has ended" in stopped.stdout
    assert fcc("status").returncode == 3
    assert fcc("stop").returncode == 3
    assert "stopping" in fcc("logs").stdout


def test_the_log_of_a_daemon_in_the_background_is_begun_anew_while_it_runs(fcc: Fcc) -> None:
    fcc.install_claude()
    fcc("claude")
    log = fcc.state / "daemon.log"
    os.truncate(log, 10_000_001)
    assert fcc("stop").returncode == 0
    assert "stopping" in log.read_text()
    assert log.with_name("daemon.log.1").stat().st_size == 10_000_001


def test_the_last_words_of_a_daemon_are_found_in_a_log_that_it_has_begun_anew(fcc: Fcc) -> None:
    fcc.install_claude()
    broken = fcc.state / "capabilities" / "acme" / "m.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    log = fcc.state / "daemon.log"
    log.touch()
    os.truncate(log, 10_000_001)
    with socket.socket() as taken:
        # Nobody answers there, and nobody else can have it.
        taken.bind(("127.0.0.1", fcc.port))
        ended = fcc("claude")
    assert ended.returncode == 2
    assert ended.stderr.startswith("fcc: the daemon did not start: ")
    assert f"port {fcc.port} on 127.0.0.1 is in use" in ended.stderr
    assert str(broken) in log.read_text()


def test_the_last_lines_are_those_of_the_file_before_too(fcc: Fcc) -> None:
    fcc.state.mkdir()
    (fcc.state / "daemon.log.1").write_text("1\n2\n3\n")
    (fcc.state / "daemon.log").write_text("4\n5\n")
    for lines, shown in ((1, "5\n"), (2, "4\n5\n"), (4, "2\n3\n4\n5\n"), (50, "1\n2\n3\n4\n5\n")):
        assert fcc("logs", "-n", str(lines)).stdout == shown


def test_who_follows_a_log_sees_what_comes_into_the_file_that_was_begun_anew(
    fcc: Fcc, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FCC_STATE_DIR", str(fcc.state))
    fcc.state.mkdir()
    log = fcc.state / "daemon.log"
    log.write_text("first\n")
    daemon = Running(os.getpid(), fcc.url, "1", "demo", log=str(log))
    with ExitStack() as stack:
        stack.enter_context(announced(daemon))
        follower = stack.enter_context(
            subprocess.Popen(
                [sys.executable, "-m", "fcc", "logs", "-f"],
                env=fcc.environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            )
        )  # fmt: skip
        stack.callback(follower.kill)
        assert follower.stdout is not None
        assert follower.stdout.readline() == "first\n"
        for number in range(3):
            with log.open("a") as old:
                log.replace(log.with_name("daemon.log.1"))
                old.write("last words\n")
            log.write_text(f"file {number}\n")
            assert follower.stdout.readline() == "last words\n"
            assert follower.stdout.readline() == f"file {number}\n"
        follower.send_signal(signal.SIGINT)
        assert follower.stdout.read() == ""


def test_stop_now_does_not_wait_for_answers_and_a_killed_daemon_is_not_found(fcc: Fcc) -> None:
    fcc.install_claude()
    fcc("claude")
    assert fcc("stop", "--now").returncode == 0
    fcc("claude")
    pid = fcc.json("status", "--json")["pid"]
    os.kill(pid, signal.SIGKILL)
    while fcc("status").returncode == 0:
        pass
    assert list((fcc.state / "run").glob("*.json")), "the file is still there, and means nothing"
    assert fcc.json("status", "--json") == {"running": False}


@pytest.mark.parametrize(
    "arguments",
    [["--permission-mode", "plan"], ["--permission-mode=plan"], ["--dangerously-skip-permissions"],
     ["--version"]],
)  # fmt: skip
def test_a_mode_that_the_person_chose_is_kept(fcc: Fcc, arguments: list[str]) -> None:
    fcc.install_claude()
    assert json.loads(fcc("claude", *arguments).stdout)["arguments"] == arguments


def test_a_mode_in_claude_codes_own_settings_is_kept(fcc: Fcc) -> None:
    fcc.install_claude()
    settings = fcc.home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"permissions": {"defaultMode": "acceptEdits"}}')
    assert json.loads(fcc("claude").stdout)["arguments"] == []


def test_another_provider_than_the_daemons_is_named_in_the_models(fcc: Fcc) -> None:
    fcc.install_claude()
    fcc("claude")
    called = json.loads(fcc("claude", "--provider", "deepseek").stdout)
    assert called["environ"]["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "deepseek/deepseek-v4-pro"


def test_a_daemon_that_cannot_start_is_one_line_with_the_reason(fcc: Fcc) -> None:
    fcc.install_claude()
    ended = fcc("claude", "--provider", "deepseek")
    assert ended.returncode == 2
    assert ended.stderr.startswith("fcc: the daemon did not start: DeepSeek needs a key")
    assert len(ended.stderr.splitlines()) == 1


def test_no_claude_on_the_path_is_told_before_anything_is_started(fcc: Fcc) -> None:
    ended = fcc("claude")
    assert ended.returncode == 2
    assert "npm install" in ended.stderr
    assert fcc("status").returncode == 3


def test_claude_code_gets_the_terminal(fcc: Fcc) -> None:
    fcc.install_claude()
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "fcc", "claude"],
        cwd=fcc.home, env=fcc.environ, stdin=theirs, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        said, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert json.loads(said)["tty"]


def test_env_can_be_read_by_a_shell(fcc: Fcc) -> None:
    (fcc.config / "config.toml").write_text('auth_token = "it\'s a secret; $HOME"\n')
    script = fcc("env", "--shell", "bash").stdout
    shown = subprocess.run(
        ["bash", "-c", f'{script}\necho "$ANTHROPIC_AUTH_TOKEN|$ANTHROPIC_BASE_URL|${{ANTHROPIC_API_KEY-unset}}"'],
        env={"ANTHROPIC_API_KEY": "mine"}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert shown == f"it's a secret; $HOME|{fcc.url}|unset\n"
    assert fcc.json("env", "--json")["ANTHROPIC_AUTH_TOKEN"] == "it's a secret; $HOME"
    entries = fcc.json("env", "--vscode")["claudeCode.environmentVariables"]
    assert {"name": "ANTHROPIC_BASE_URL", "value": fcc.url} in entries
    assert (
        "set -gx ANTHROPIC_AUTH_TOKEN 'it\\'s a secret; $HOME'"
        in fcc("env", "--shell", "fish").stdout
    )
    assert (
        "$env:ANTHROPIC_AUTH_TOKEN = 'it''s a secret; $HOME'"
        in fcc("env", "--shell", "powershell").stdout
    )


def test_a_terminal_does_not_show_the_token(fcc: Fcc) -> None:
    (fcc.config / "config.toml").write_text('auth_token = "very-secret"\n')
    assert "very-secret" not in on_a_terminal(fcc, "env")
    assert "very-secret" in on_a_terminal(fcc, "env", "--show-token")


@pytest.mark.e2e
def test_the_real_claude_code_answers_through_the_demo(fcc: Fcc) -> None:
    try:
        binary = claude_code()
    except NoClaudeCodeError as error:
        pytest.skip(str(error))
    ended = fcc("claude", "-p", "hello", FCC_CLAUDE=str(binary))
    assert ended.returncode == 0, ended.stderr
    assert "fcc's demo provider" in ended.stdout
    assert "'hello'" in ended.stdout


def on_a_terminal(fcc: Fcc, *arguments: str, **environ: str) -> str:
    """What the command shows where its output is a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "fcc", *arguments],
        cwd=fcc.home, env=fcc.environ | environ, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = []
        while True:
            try:
                data = os.read(ours, 4096)
            except OSError:  # Linux says EIO where others say end of file
                break
            if not data:
                break
            shown.append(data)
        process.wait(60)
    os.close(ours)
    return b"".join(shown).decode()
