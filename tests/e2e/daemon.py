"""How a test gets an `fcc serve` of its own: a process on a free port, ended by its pid."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.e2e.upstream import KEY

TOKEN = "client-token"
_ROOT = Path(__file__).parents[2]
_START = 20.0
"""Seconds a daemon may take to be ready on a busy machine; it takes well under one."""
_STOP = 15.0


@contextmanager
def daemon(
    home: Path, upstream_url: str, *options: str, config: str = "", profile: str = ""
) -> Iterator[str]:
    """The URL of a daemon that asks `upstream_url`; on leaving it must end well, and soon.

    `options` are further words of the command line, `config` is the person's config.toml,
    `profile` what they know of the provider.
    """
    (home / "config" / "providers").mkdir(parents=True, exist_ok=True)
    if profile:
        (home / "config" / "providers" / "custom.toml").write_text(profile)
    (home / "config" / "config.toml").write_text(config)
    port = str(_free_port())
    where = ["--provider", "custom", "--base-url", upstream_url, "--host", "127.0.0.1"]
    command = [sys.executable, "-m", "fcc", "serve", *where, "--port", port, *options]
    log = home / "daemon.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command, cwd=home, env=_environment(home), stdout=sink, stderr=sink
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, url, log)
        yield url
    finally:
        process.terminate()
        try:
            status = process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
    said = log.read_text(encoding="utf-8")
    assert status == 0, f"the daemon ended with {status}:\n{said[-3000:]}"
    assert url in said, f"the daemon did not tell its URL:\n{said[:3000]}"
    assert "Traceback" not in said, said[-6000:]


def _environment(home: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_ROOT),
        "HOME": str(home),
        "FCC_CONFIG_DIR": str(home / "config"),
        "FCC_API_KEY": KEY,
        "FCC_AUTH_TOKEN": TOKEN,
    }


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    limit = time.monotonic() + _START
    while time.monotonic() < limit:
        assert process.poll() is None, f"the daemon did not start:\n{log.read_text()[-3000:]}"
        try:
            if httpx.get(f"{url}/health", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"the daemon was not ready in time:\n{log.read_text()[-3000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
