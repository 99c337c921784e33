"""What is promised of signals, under load: twenty answers are open in a daemon of its own."""

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest

from fcc.server.run import Setup
from fcc.settings.files import Providers
from fcc.settings.routing import Router
from tests.chaos.client import End, Response, ask, judged, request
from tests.chaos.recorded import TEXT
from tests.chaos.upstream import Upstream, order
from tests.command import Fcc
from tests.conftest import profile_of
from tests.test_run import Running, anywhere, health, told

pytestmark = pytest.mark.slow
"""Each test needs about a second to start Python and end it."""

COUNT = 20
SOON = 10.0
"""Seconds for what happens at once, on a busy machine."""

HANGS = order("is_silent_in_mid_answer")
LASTS = order("answers_in_its_time", number=150)
"""About a second."""

PROFILE = """
base_url = "{url}"
default_model = "m"
"""


class Daemon:
    """`fcc serve` with the providers `one` and `two`, of which the configuration names one."""

    def __init__(self, fcc: Fcc) -> None:
        self.fcc = fcc
        self._log = fcc.home / "log"

    async def start(self) -> Self:
        environ = {**self.fcc.environ, "FCC_PROVIDER": ""}
        with self._log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "fcc", "serve", cwd=self.fcc.home, env=environ,
                stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        await self.until(lambda: self._accepts() or self.process.returncode is not None)
        assert self.process.returncode is None, self.said
        return self

    def configure(self, text: str) -> None:
        (self.fcc.config / "config.toml").write_text(text)

    @property
    def said(self) -> str:
        return self._log.read_text()

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    async def ended(self, within: float = SOON) -> int:
        async with asyncio.timeout(within):
            code = await self.process.wait()
        assert "Traceback" not in self.said, self.said
        return code

    async def health(self) -> Any:
        url = f"{self.fcc.url}/health"
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.json()

    async def told(self, words: str) -> None:
        await self.until(lambda: words in self.said)

    async def refuses(self) -> None:
        await self.until(lambda: not self._accepts())

    async def until(self, wanted: Any) -> None:
        async with asyncio.timeout(30):
            while not await asyncio.to_thread(wanted):
                await asyncio.sleep(0.01)

    def _accepts(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.fcc.port)).close()
        except ConnectionRefusedError:
            return False
        return True

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            self.process.kill()


@asynccontextmanager
async def daemon(
    home: Path, *, drain: float = 30.0
) -> AsyncIterator[tuple[Daemon, Upstream, Upstream]]:
    """The daemon, and its two providers; the first is asked."""
    async with Upstream() as one, Upstream() as two:
        running = Daemon(Fcc(home / "fcc"))
        (running.fcc.config / "providers").mkdir()
        for name, upstream in (("one", one), ("two", two)):
            profile = running.fcc.config / "providers" / f"{name}.toml"
            profile.write_text(PROFILE.format(url=upstream.url))
        running.configure(config("one", drain))
        await running.start()
        try:
            yield running, one, two
        finally:
            running.kill()
            await running.process.wait()


def config(provider: str, drain: float = 30.0) -> str:
    return f'provider = "{provider}"\n\n[server]\ndrain_seconds = {drain}\n'


class Answers:
    """Twenty answers, all of which have begun; half of the clients are Claude Code."""

    def __init__(self, port: int, *prompts: str) -> None:
        self._port = port
        self._begun: list[asyncio.Event] = []
        self._tasks = [
            asyncio.create_task(self._ask(prompts[number % len(prompts)], claude=number % 4 < 2))
            for number in range(COUNT)
        ]

    async def begun(self) -> Self:
        async with asyncio.timeout(30):
            while len(self._begun) < COUNT:
                await asyncio.sleep(0)
            await asyncio.gather(*(begun.wait() for begun in self._begun))
        return self

    async def ends(self) -> list[End]:
        async with asyncio.timeout(30):
            responses: list[Response] = await asyncio.gather(*self._tasks)
        # Any client may find its connection broken where the daemon is ended at once.
        return [judged(response, TEXT, stream=True, claude=True) for response in responses]

    async def _ask(self, prompt: str, *, claude: bool) -> Response:
        begun = asyncio.Event()
        self._begun.append(begun)
        return await ask(self._port, request(prompt, claude=claude), begun)


async def asked(running: Daemon) -> tuple[End, str]:
    """One more request: how it ends, and where it went."""
    response = await ask(running.fcc.port, request(order("answers_well")))
    return judged(response, TEXT, stream=True, claude=False), response.headers["x-fcc-route"]


async def test_the_first_sigterm_refuses_the_new_and_lets_the_open_finish(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (running, one, _):
        answers = await Answers(running.fcc.port, LASTS).begun()
        running.signal(signal.SIGTERM)
        await running.refuses()
        assert running.process.returncode is None
        assert await answers.ends() == [End.WHOLE] * COUNT
        assert await running.ended() == 0
        assert await one.left_with(0) == 0


async def test_answers_that_outlast_the_drain_end_with_an_error_event(tmp_path: Path) -> None:
    async with daemon(tmp_path, drain=3.0) as (running, one, _):
        answers = await Answers(running.fcc.port, LASTS, HANGS).begun()
        running.signal(signal.SIGTERM)
        assert await answers.ends() == [End.WHOLE, End.EVENT] * (COUNT // 2)
        assert await running.ended() == 0
        assert f"ending {COUNT // 2} answers" in running.said
        assert await one.left_with(0) == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
async def test_the_second_signal_ends_all_at_once(tmp_path: Path, second: signal.Signals) -> None:
    async with daemon(tmp_path) as (running, one, _):
        answers = await Answers(running.fcc.port, HANGS).begun()
        running.signal(signal.SIGTERM)
        await running.refuses()
        running.signal(second)
        assert await running.ended() == 0
        assert End.WHOLE not in await answers.ends()
        assert await one.left_with(0) == 0


async def test_sighup_moves_what_is_new_and_leaves_what_is_open(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (running, one, two):
        answers = await Answers(running.fcc.port, LASTS).begun()
        running.configure(config("two"))
        running.signal(signal.SIGHUP)
        await running.told("configuration read again; provider two")
        assert await asked(running) == (End.WHOLE, "two/m")
        assert (one.asked, two.asked) == (COUNT, 1)
        assert await answers.ends() == [End.WHOLE] * COUNT


@pytest.mark.parametrize(
    ("text", "words"),
    [("provider = ", "config.toml"), ('provider = "nobody"', "nobody"), ("no_such_key = 1", "no_such_key")],
)  # fmt: skip
async def test_sighup_with_a_bad_file_changes_nothing_and_says_why(
    tmp_path: Path, text: str, words: str
) -> None:
    async with daemon(tmp_path) as (running, _, two):
        answers = await Answers(running.fcc.port, LASTS).begun()
        running.configure(text)
        running.signal(signal.SIGHUP)
        await running.told("the configuration is kept as it was")
        assert words in running.said.partition("the configuration is kept as it was")[2]
        assert await asked(running) == (End.WHOLE, "one/m")
        assert two.asked == 0
        assert await answers.ends() == [End.WHOLE] * COUNT
        assert (await running.health())["provider"] == "one"


async def test_a_storm_of_sighups_harms_no_answer(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (running, _, _two):
        answers = await Answers(running.fcc.port, LASTS).begun()
        for number in range(40):
            running.configure(config("two" if number % 2 else "one"))
            running.signal(signal.SIGHUP)
            await asyncio.sleep(0.01)
        assert await answers.ends() == [End.WHOLE] * COUNT
        while (await running.health())["provider"] != "two":
            await asyncio.sleep(0.01)
        assert (await asyncio.to_thread(running.fcc, "status")).returncode == 0
        running.signal(signal.SIGTERM)
        assert await running.ended() == 0


async def test_the_last_of_several_sighups_decides(logged: list[str]) -> None:
    """A file that took long to read does not replace what was read after it."""
    begun, names = threading.Event(), iter(["slow", "last"])

    def reload() -> Setup:
        name = next(names)
        begun.set()
        if name == "slow":
            threading.Event().wait(0.2)
        provider = profile_of(name=name, embedded=True, base_url="", api_key_env="")
        router = Router(Providers(Path("/nowhere")), provider)
        return Setup(running.setup.config, router, running.setup.keys)

    running = Running(anywhere(), reload)
    url = await running.ready()
    os.kill(os.getpid(), signal.SIGHUP)
    await asyncio.to_thread(begun.wait, SOON)
    os.kill(os.getpid(), signal.SIGHUP)
    await told(logged, "provider slow")
    await told(logged, "provider last")
    assert (await health(url))["provider"] == "last"
    os.kill(os.getpid(), signal.SIGTERM)
    await running.ended()


async def test_a_killed_daemon_leaves_nothing_that_stands_in_the_way(tmp_path: Path) -> None:
    async with daemon(tmp_path) as (running, one, _):
        answers = await Answers(running.fcc.port, HANGS).begun()
        (left,) = (running.fcc.state / "run").glob("*.json")
        running.signal(signal.SIGKILL)
        assert await running.process.wait() == -signal.SIGKILL
        assert set(await answers.ends()) == {End.BROKEN}
        assert left.exists()
        assert (await asyncio.to_thread(running.fcc, "status")).returncode != 0
        await running.start()
        assert await asked(running) == (End.WHOLE, "one/m")
        assert str(running.process.pid) in left.read_text()
        assert (await asyncio.to_thread(running.fcc, "status")).returncode == 0
        running.signal(signal.SIGTERM)
        assert await running.ended() == 0
        assert not left.exists()
        assert list((running.fcc.state / "run").iterdir()) == []
        assert await one.left_with(0) == 0
