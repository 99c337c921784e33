"""How the real Claude Code is got and run: one exact version, a clean room for every run."""

import errno
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

VERSION = "2.1.330"
_CACHE = Path(__file__).parents[2] / ".e2e"
_PACKAGE = f"@anthropic-ai/claude-code@{VERSION}"
_NATIVE = "node_modules/@anthropic-ai/claude-code-*/claude"
_INSTALL = 240.0
"""Seconds: the package is over 200 MB."""
_RUN = 90.0
"""Seconds one run may take; most take three."""


class NoClaudeCodeError(Exception):
    """Claude Code is not here and can't be had; says why."""


def claude_code() -> Path:
    """The native binary, installed from npm the first time.

    Raises: NoClaudeCodeError.
    """
    home = _CACHE / f"claude-code-{VERSION}"
    if not list(home.glob(_NATIVE)):
        _install(home)
    binaries = list(home.glob(_NATIVE))
    if not binaries:
        raise NoClaudeCodeError(f"{_PACKAGE} has no binary for this machine")
    return binaries[0]


def _install(home: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise NoClaudeCodeError("npm is not here to install Claude Code with")
    _CACHE.mkdir(exist_ok=True)
    # In a folder of its own, and then moved: no other run ever sees half an installation.
    scratch = Path(tempfile.mkdtemp(dir=_CACHE))
    options = ["--prefix", str(scratch), "--no-audit", "--no-fund", "--fetch-retries=1"]
    command = [npm, "install", *options, _PACKAGE]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL, text=True)
        scratch.rename(home)
    except subprocess.CalledProcessError as error:
        raise NoClaudeCodeError(f"npm: {error.stderr.strip()[-300:]}") from error
    except subprocess.TimeoutExpired as error:
        raise NoClaudeCodeError(f"npm took over {_INSTALL:.0f} s") from error
    except OSError as error:
        # Not empty: another run has just moved its own there, which is as good.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


@dataclass
class Outcome:
    """What a run said, event by event, and how it ended."""

    events: list[dict[str, Any]]
    stderr: str
    seconds: float

    @property
    def result(self) -> dict[str, Any]:
        results = [event for event in self.events if event.get("type") == "result"]
        assert results, f"no result; events {self.events[-2:]}; stderr {self.stderr[-1000:]}"
        return results[-1]

    @property
    def text(self) -> str:
        """What the person sees in the end."""
        return self.result.get("result") or ""

    @property
    def failed(self) -> bool:
        return bool(self.result.get("is_error"))

    @property
    def compacted(self) -> bool:
        return any(event.get("subtype") == "compact_boundary" for event in self.events)

    def blocks(self, kind: str) -> list[dict[str, Any]]:
        """Content blocks of the main conversation, of whichever role, in order."""
        contents = [
            event["message"]["content"]
            for event in self.events
            if event.get("type") in ("assistant", "user") and not event.get("parent_tool_use_id")
        ]
        blocks = [block for content in contents if isinstance(content, list) for block in content]
        return [block for block in blocks if block["type"] == kind]


@dataclass
class Room:
    """A scratch git repository with a home of its own, for one run."""

    binary: Path
    url: str
    token: str
    root: Path
    run: str = field(default_factory=lambda: secrets.token_hex(6))
    """Names the run in cues and in the upstream's record."""

    def __post_init__(self) -> None:
        self.place.mkdir(parents=True)
        (self.root / "home" / ".claude").mkdir(parents=True)
        self.secret = f"secret-{self.run}"
        self.write("greet.sh", f"echo one\ncat <<'EOF'\n{self.secret}\nEOF\n")
        subprocess.run(
            ["git", "init", "--quiet", "."],
            check=True,
            cwd=self.place,
            env=self.environment({}),
            stdout=subprocess.DEVNULL,
        )

    @property
    def place(self) -> Path:
        return self.root / "repo"

    def write(self, name: str, content: str | bytes) -> None:
        data = content.encode() if isinstance(content, str) else content
        (self.place / name).write_bytes(data)

    def read(self, name: str) -> str:
        return (self.place / name).read_text(encoding="utf-8")

    def command(self, *flags: str) -> list[str]:
        """The words that start a run that asks nothing and tells all, event by event."""
        shown = ("--output-format", "stream-json", "--verbose")
        return [str(self.binary), "-p", *shown, "--dangerously-skip-permissions", *flags]

    def start(self, prompt: str, *flags: str, **environment: str) -> "subprocess.Popen[bytes]":
        """A run that goes on until `finish`; its leader is a process group of its own."""
        with (self.root / "out").open("wb") as out, (self.root / "err").open("wb") as err:
            return subprocess.Popen(
                self.command(*flags, "--", prompt),
                cwd=self.place,
                env=self.environment(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )

    def finish(self, process: "subprocess.Popen[bytes]", seconds: float = _RUN) -> Outcome:
        """The outcome, when the run has ended; it is killed when that takes too long."""
        started = time.monotonic()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        lines = (self.root / "out").read_text(encoding="utf-8").splitlines()
        events = [json.loads(line) for line in lines if line.startswith("{")]
        stderr = (self.root / "err").read_text(encoding="utf-8", errors="replace")
        return Outcome(events, stderr, time.monotonic() - started)

    def claude(self, prompt: str, *flags: str, **environment: str) -> Outcome:
        """One whole run."""
        return self.finish(self.start(prompt, *flags, **environment))

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        """Nothing of the tester's own environment, so that nothing of it decides a test."""
        home = self.root / "home"
        return {
            "HOME": str(home),
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "SHELL": "/bin/bash",
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "NO_PROXY": "127.0.0.1,localhost",
            "ANTHROPIC_BASE_URL": self.url,
            "ANTHROPIC_AUTH_TOKEN": self.token,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
            # --dangerously-skip-permissions is refused to root unless told that this is a sandbox.
            "IS_SANDBOX": "1",
            **more,
        }
