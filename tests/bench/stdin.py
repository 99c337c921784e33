"""When is a process of the benchmark to end? When who started it is gone, or says so."""

import asyncio
import sys

__all__ = ["lines", "until_stdin_ends"]


async def lines() -> asyncio.StreamReader:
    """The standard input, to be read without blocking the loop."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def until_stdin_ends() -> None:
    """Returns when the other end has closed the pipe."""
    await (await lines()).read()
