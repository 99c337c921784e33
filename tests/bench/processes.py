"""How are the measured processes started, looked at and ended?

CPU time is read from a process's own CPU clock, which counts all of its threads in nanoseconds;
/proc/PID/stat counts in ticks of 10 ms.
"""

import os
import re
import select
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from tests.bench.load import Load, Seen

__all__ = ["Client", "Gateway", "command", "environment", "fcc", "passthrough", "upstream"]

_ROOT = Path(__file__).parents[2]
_START = 20.0
"""Seconds a process may take to be ready on a busy machine."""
_STOP = 5.0
_CPUCLOCK_SCHED = 2
"""Of linux/posix-timers.h: the clock of the time that a process really ran."""


class Gateway:
    """A running process that answers /v1/messages."""

    def __init__(self, name: str, pid: int, port: int) -> None:
        self.name = name
        self.pid = pid
        self.port = port
        self.start_cpu = self.cpu()
        """CPU seconds until it was ready to serve."""

    def cpu(self) -> float:
        """CPU seconds, user and system, of the process and its children so far."""
        return sum(_cpu(pid) for pid in _tree(self.pid))

    def rss(self, field: str = "VmRSS") -> float:
        """Resident memory in MB; VmHWM: the most it ever was."""
        return sum(_memory(pid, field) for pid in _tree(self.pid))


class Client:
    """The load client: one load at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._orders: IO[bytes] = process.stdin
        self._answers: IO[bytes] = process.stdout

    def begin(self, load: Load) -> None:
        """Start it, and do not wait."""
        self._orders.write(msgspec.json.encode(load) + b"\n")
        self._orders.flush()

    def over(self, seconds: float) -> bool:
        """Whether the load is over; waits for it so long at most."""
        return bool(select.select([self._answers], [], [], seconds)[0])

    def end(self) -> Seen:
        """Wait for the end. An answer that was not whole ends the benchmark."""
        seen = msgspec.json.decode(self._answers.readline(), type=Seen)
        if seen.failures:
            sys.exit(f"{len(seen.failures)} requests failed, the first with: {seen.failures[0]}")
        return seen

    def run(self, load: Load) -> Seen:
        """Start it and wait for its end."""
        self.begin(load)
        return self.end()


@contextmanager
def client(home: Path) -> Iterator[Client]:
    """A load client."""
    with _module("client", home) as process:
        yield Client(process)


@contextmanager
def upstream(home: Path) -> Iterator[str]:
    """The base URL of a provider."""
    with _module("upstream", home) as process:
        yield f"http://127.0.0.1:{_said_port(process)}/v1"


@contextmanager
def passthrough(home: Path, base_url: str) -> Iterator[Gateway]:
    """The gateway that hands bytes through."""
    with _module("passthrough", home, base_url) as process:
        yield Gateway("pass", process.pid, _said_port(process))


@contextmanager
def fcc(home: Path, base_url: str, *, observe: bool = True) -> Iterator[Gateway]:
    """The daemon; "off" is its name where it observes nothing."""
    name = "fcc" if observe else "off"
    home = home / name
    config, log_file = home / "config.toml", home / "daemon.log"
    home.mkdir(exist_ok=True)
    config.write_text(f"observe = {str(observe).lower()}\n", encoding="utf-8")
    port = _free_port()
    words = ["serve", "--provider", "custom", "--base-url", base_url, "--model", "bench-model"]
    words += ["--port", str(port), "--log-level", "warning", "--config", str(config)]
    with log_file.open("wb") as log, _process(command(*words), home, log) as process:
        _wait_until_ready(process, port, log_file)
        yield Gateway(name, process.pid, port)


def command(*words: str) -> list[str]:
    """`fcc`, as this Python runs it."""
    return [sys.executable, "-m", "fcc", *words]


def environment(home: Path) -> dict[str, str]:
    """Nothing of the person's own: no configuration, no keys, no proxies."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(_ROOT),
        # Where names fall in a table is another at each start: some percent of a request.
        "PYTHONHASHSEED": "0",
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "FCC_CONFIG_DIR": str(home / "config" / "fcc"),
    }


@contextmanager
def _module(name: str, home: Path, *words: str) -> Iterator["subprocess.Popen[bytes]"]:
    with _process([sys.executable, "-m", f"tests.bench.{name}", *words], home, None) as process:
        yield process


@contextmanager
def _process(
    words: list[str], home: Path, log: IO[bytes] | None
) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen(
        words,
        cwd=home,
        env=environment(home),
        stdin=subprocess.PIPE,
        stdout=log or subprocess.PIPE,
        stderr=log,
    )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _said_port(process: "subprocess.Popen[bytes]") -> int:
    assert process.stdout is not None
    return int(process.stdout.readline())


def _wait_until_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    limit = time.monotonic() + _START
    while time.monotonic() < limit and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port)):
                break
        except ConnectionRefusedError:
            time.sleep(0.005)
    else:
        sys.exit(f"the daemon did not start:\n{log.read_text()[-3000:]}")
    without_proxy = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with without_proxy.open(f"http://127.0.0.1:{port}/health", timeout=_START) as answer:
        answer.read()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu(pid: int) -> float:
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def _memory(pid: int, field: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0


def _tree(pid: int) -> list[int]:
    pids = [pid]
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in children.read_text(encoding="ascii").split():
            pids += _tree(int(child))
    return pids
