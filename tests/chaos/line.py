"""How does a provider speak that does what no server library would let it do?"""

import asyncio
import socket
import struct
from typing import NoReturn

from tests.chaos.recorded import Recorded

__all__ = ["Line"]

_NO_LINGER = struct.pack("ii", 1, 0)
"""Of socket(7): a close that throws away what is unsent, and resets."""


class Line:
    """One connection, as the provider has it, and the answer that it should give.

    `pause`: the seconds between two words of a provider that never ends.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer: Recorded,
        pause: float,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.answer = answer
        self.argument = 0
        self.pause = pause

    async def hear(self) -> bytes:
        """The body of the next request. Raises IncompleteReadError when there is none."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        _, _, rest = head.partition(b"content-length:")
        return await self._reader.readexactly(int(rest.partition(b"\r\n")[0] or 0))

    async def say(self, *raws: bytes) -> None:
        """Each as a write of its own."""
        for raw in raws:
            self._writer.write(raw)
            await self._writer.drain()
            await asyncio.sleep(0)

    async def drip(self, raw: bytes) -> None:
        """Byte by byte."""
        await self.say(*(raw[at : at + 1] for at in range(len(raw))))

    async def repeat(self, raw: bytes) -> NoReturn:
        """Until the other side has left."""
        while True:
            await self.say(raw)

    async def repeat_slowly(self, raw: bytes) -> None:
        """The same, with pauses."""
        leaving = asyncio.ensure_future(self.silence())
        try:
            while not leaving.done():
                await self.say(raw)
                await asyncio.wait([leaving], timeout=self.pause)
        finally:
            leaving.cancel()

    def end(self) -> None:
        """No more from here; the other side may go on."""
        self._writer.write_eof()

    def reset(self) -> None:
        """RST."""
        sock = self._writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self._writer.transport.abort()

    async def silence(self) -> None:
        """Until the other side has left."""
        while await self._reader.read(1 << 20):
            pass

    async def deafness(self) -> None:
        """Not even reading, for a long time."""
        self._writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.sleep(20 * self.pause)
