"""What a person sees in a terminal, from nothing to an answer: init, doctor, claude."""

import re
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Fcc
from tests.e2e.claude import NoClaudeCodeError, claude_code

WIDTH, HEIGHT = 90, 60


class Terminal:
    """A shell in tmux: `type` a line, then `wait` until the screen shows something."""

    def __init__(self, fcc: Fcc) -> None:
        self._socket = str(fcc.home / "tmux")
        environ = [f"{name}={value}" for name, value in fcc.environ.items() if value]
        shell = ["env", "-i", *environ, "PS1=$ ", "TERM=screen", "bash", "--norc", "-i"]
        self._tmux("new-session", "-d", "-x", str(WIDTH), "-y", str(HEIGHT), shlex.join(shell))

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", self._socket, "-f", "/dev/null", *words]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def type(self, line: str) -> None:
        self._tmux("send-keys", "-l", line)
        self._tmux("send-keys", "Enter")

    def screen(self) -> str:
        return self._tmux("capture-pane", "-p", "-S", "-500", "-J")

    def wait(self, pattern: str, seconds: float = 45.0) -> str:
        limit = time.monotonic() + seconds
        while not re.search(pattern, self.screen()):
            assert time.monotonic() < limit, f"no {pattern!r} on:\n{self.screen()}"
            time.sleep(0.1)
        return self.screen()

    def close(self) -> None:
        subprocess.run(
            ["tmux", "-S", self._socket, "kill-server"], capture_output=True, check=False
        )


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not here")
    fcc = Fcc(tmp_path / "h")
    fcc.environ["FCC_PROVIDER"] = ""
    program = fcc.home / "bin" / "fcc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fcc "$@"\n')
    program.chmod(0o755)
    yield fcc
    fcc.close()


@pytest.fixture
def terminal(fcc: Fcc) -> Iterator[Terminal]:
    terminal = Terminal(fcc)
    yield terminal
    terminal.close()


def setup(terminal: Terminal, fcc: Fcc) -> None:
    """The set-up of somebody who has nothing: init, whose end is the doctor."""
    terminal.type("fcc init")
    terminal.wait(r"Number or name \[demo\]")
    terminal.type("demo")
    screen = terminal.wait(r"fcc claude starts Claude Code|-> npm install")
    assert "Which provider shall answer Claude Code?" in screen
    assert f"ok    {fcc.config}/config.toml written" in screen
    assert "ok    config    provider demo" in screen
    assert "fail" not in screen
    terminal.type("fcc doctor")
    terminal.wait(r"(?s)fcc doctor\n.*ok    key       the demo provider needs none.*claude ")


def test_from_nothing_to_an_answer_in_a_terminal(terminal: Terminal, fcc: Fcc) -> None:
    fcc.install_claude()
    setup(terminal, fcc)
    terminal.type("fcc claude -p hello; echo ended with $?")
    screen = terminal.wait(r"ended with \d")
    assert "fcc runs in the background" in screen
    assert '"tty": true' in screen.replace("\n", "")
    assert "ended with 0" in screen
    terminal.type("fcc status")
    terminal.wait(r"provider\s+demo")
    terminal.type("fcc stop")
    assert "may finish" not in terminal.wait("has ended")


@pytest.mark.e2e
def test_the_real_claude_code_in_a_terminal(terminal: Terminal, fcc: Fcc) -> None:
    try:
        binary = claude_code()
    except NoClaudeCodeError as error:
        pytest.skip(str(error))
    (fcc.home / "bin" / "claude").symlink_to(binary)
    setup(terminal, fcc)
    terminal.type("fcc claude -p hello; echo ended with $?")
    screen = terminal.wait(r"ended with \d", 90)
    assert "This is fcc's demo provider" in screen
    assert "ended with 0" in screen
