"""A provider on real sockets that goes wrong as the request orders: `chaos:FAULT:ANSWER:NUMBER`.

As a process of its own, `python -m tests.chaos.upstream`, it says its port on stdout and ends with
its standard input.
"""

import asyncio
import re
import sys
from contextlib import suppress
from typing import Self

from tests.bench.stdin import until_stdin_ends
from tests.chaos.faults import FAULTS, Fault
from tests.chaos.line import Line
from tests.chaos.recorded import ANSWERS, CALL, TEXT

__all__ = ["Upstream", "order"]

_ORDER = re.compile(rb"chaos:(\w+):(\w+):(\d+)")
_NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_CUT = ("cut_and_closed", "cut_and_reset")


def order(fault: str, answer: str = "text", number: int = 0) -> str:
    """The words of a prompt that ask for this."""
    return f"chaos:{fault}:{answer}:{number}"


class Upstream:
    """`async with Upstream() as upstream`: `upstream.url` is a base_url."""

    def __init__(self, always: Fault | None = None, *, pause: float = 0.05) -> None:
        self._always = always
        self._pause = pause
        self._tasks: set[asyncio.Task[None]] = set()
        self.asked = 0
        """Requests for an answer."""

    @property
    def open(self) -> int:
        """Connections that neither side has ended, as far as the provider knows."""
        return len(self._tasks)

    async def left_with(self, count: int, patience: float = 10.0) -> int:
        """How many connections are open, once there are so few, or after so many seconds."""
        loop = asyncio.get_running_loop()
        until = loop.time() + patience
        while self.open > count and loop.time() < until:
            await asyncio.sleep(0.02)
        return self.open

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, backlog=2048)
        port = self._server.sockets[0].getsockname()[1]
        self.port = int(port)
        self.url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = Line(reader, writer, TEXT, self._pause)
        if self._always is not None and self._always.early:
            await self._always.act(line)
            return
        while await self._answered(line):
            pass

    async def _answered(self, line: Line) -> bool:
        """Answer the next request; whether another may come."""
        ordered = _ORDER.search(await line.hear())
        if ordered is None:
            # Such as for a list of models.
            await line.say(_NOT_FOUND)
            return False
        self.asked += 1
        name, answer, number = (part.decode() for part in ordered.groups())
        line.answer, line.argument = ANSWERS[answer], int(number)
        if name in _CUT:
            await _cut(line, reset=name == _CUT[1])
            return False
        await FAULTS[name].act(line)
        return FAULTS[name].keeps


async def _cut(line: Line, *, reset: bool) -> None:
    """The answer up to byte `argument`: text until the close, calls in chunks."""
    raw = line.answer.chunked() if line.answer is CALL else line.answer.close_delimited()
    await line.say(raw[: line.argument])
    if reset:
        line.reset()


async def _main() -> None:
    async with Upstream() as upstream:
        sys.stdout.write(f"{upstream.port}\n")
        sys.stdout.flush()
        await until_stdin_ends()


if __name__ == "__main__":
    asyncio.run(_main())
