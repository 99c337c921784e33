"""How are the provider and the daemon of the soak started, looked into and ended?"""

import asyncio
import os
import re
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.bench.processes import environment
from tests.command import free_port
from tests.soak.window import SAID, Inside

__all__ = ["Daemon", "daemon", "provider"]

_CPUCLOCK_SCHED = 2
"""Of linux/posix-timers.h: the clock of the time that a process really ran."""

_PROFILE = """\
title = "Chaos"
base_url = "{url}"
default_model = "m"

[timeouts]
connect = 5.0
read = {read}
total = {total}
commit_after = 1.0

[retry]
base = 0.05
"""

_CONFIG = 'provider = "chaos"\nlog_level = "warning"\n'


class Daemon:
    """The running daemon."""

    def __init__(self, process: asyncio.subprocess.Process, port: int, said: int) -> None:
        self.process = process
        self.port = port
        self._said = said

    @property
    def cpu(self) -> float:
        """Seconds of CPU so far."""
        return time.clock_gettime((~self.process.pid << 3) | _CPUCLOCK_SCHED)

    @property
    def rss(self) -> float:
        """Resident memory in MB."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
        assert found is not None
        return int(found[1]) / 1024

    @property
    def sockets(self) -> int:
        """Descriptors that are sockets."""
        names = []
        for path in Path(f"/proc/{self.process.pid}/fd").iterdir():
            try:
                names.append(str(path.readlink()))
            except FileNotFoundError:
                continue
        return sum(name.startswith("socket:") for name in names)

    async def inside(self) -> Inside:
        """What is in it at the moment."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"?\n")
        await self.process.stdin.drain()
        line = await asyncio.to_thread(os.read, self._said, 4096)
        return msgspec.json.decode(line, type=Inside)


@asynccontextmanager
async def provider(home: Path) -> AsyncIterator[str]:
    """The base URL of the chaos, in a process of its own."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.chaos.upstream", cwd=home, env=environment(home),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}/v1"
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def daemon(home: Path, url: str, *, read: float, total: float) -> AsyncIterator[Daemon]:
    """The daemon before that provider; on leaving it is told to end, and has to end well."""
    folder = home / "config" / "fcc"
    (folder / "providers").mkdir(parents=True)
    (folder / "config.toml").write_text(_CONFIG)
    profile = _PROFILE.format(url=url, read=read, total=total)
    (folder / "providers" / "chaos.toml").write_text(profile)
    port, (said, says) = free_port(), os.pipe()
    with (home / "daemon.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.soak.window", "serve", "--port", str(port),
            cwd=home, env={**environment(home), SAID: str(says)}, pass_fds=(says,),
            stdin=asyncio.subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip
    os.close(says)
    try:
        await _ready(process, port, home / "daemon.log")
        yield Daemon(process, port, said)
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            code = await process.wait()
        words = (home / "daemon.log").read_text()
        assert code == 0, f"the daemon ended with {code}: {words[-3000:]}"
        assert "Traceback" not in words, words[-3000:]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(said)


async def _ready(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except ConnectionRefusedError:
                assert process.returncode is None, log.read_text()[-3000:]
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return
