"""The `fcc` command as a person runs it: a process, with configuration and state of its own."""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parent.parent

CLAUDE = f"""#!{sys.executable}
import json, os, sys
print(json.dumps({{"arguments": sys.argv[1:], "environ": dict(os.environ), "tty": os.isatty(0)}}))
sys.exit(int(os.environ.get("CLAUDE_EXIT", "0")))
"""
"""A program that says how it was called."""


class Fcc:
    """`fcc("status")`: the ended process. What runs in the background ends with `close`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.config = home / "config"
        self.state = home / "state"
        self.config.mkdir(parents=True)
        (home / "bin").mkdir()
        self.port = free_port()
        self.environ = {
            "PATH": f"{home / 'bin'}:/usr/bin:/bin",
            "PYTHONPATH": str(_ROOT),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "FCC_CONFIG_DIR": str(self.config),
            "FCC_STATE_DIR": str(self.state),
            "FCC_PORT": str(self.port),
            "FCC_PROVIDER": "demo",
        } | {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __call__(
        self, *arguments: str, stdin: str = "", **environ: str
    ) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "fcc", *arguments],
            cwd=self.home,
            env={name: value for name, value in (self.environ | environ).items() if value},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def json(self, *arguments: str, **environ: str) -> Any:
        ended = self(*arguments, **environ)
        assert not ended.stderr, ended.stderr
        return json.loads(ended.stdout)

    def install_claude(self) -> None:
        """The program that says how it was called, as `claude` on the PATH."""
        program = self.home / "bin" / "claude"
        program.write_text(CLAUDE)
        program.chmod(0o755)

    def close(self) -> None:
        for path in (self.state / "run").glob("*.json"):
            with suppress(ProcessLookupError, ValueError):
                os.kill(json.loads(path.read_text())["pid"], signal.SIGKILL)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
