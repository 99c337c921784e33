"""Who asks? A load client at almost no cost of its own, in a process of its own.

It reads one `Load` a line, as JSON, from standard input, and writes one `Seen` for each.
"""

import asyncio
import sys
import time
from functools import partial

import msgspec

from fcc.overriding import override
from tests.bench import bodies
from tests.bench.load import Load, Seen
from tests.bench.stdin import lines

_CONTENT = (b'"text_delta"', b'"delta":{"content":"')
"""What the first content looks like: in Anthropic's words, in OpenAI's."""
_ENDS = (b"event: message_stop", b"data: [DONE]")
_LAST = b"0\r\n\r\n"
_KEPT = 400
"""Bytes of the end that are looked at for the mark of a whole answer."""


class _Stream(asyncio.Protocol):
    """One connection: asks, waits for the whole answer, asks again."""

    def __init__(self, asked: bytes, requests: int, seen: Seen, done: asyncio.Future[None]) -> None:
        self._asked = asked
        self._left = requests
        self._seen = seen
        self._done = done
        self._tail = b""
        self._began = 0.0
        self._waiting = True
        self._transport: asyncio.Transport

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if not self._done.done():
            self._fail(f"the connection broke: {exc}")

    @override
    def data_received(self, data: bytes) -> None:
        self._seen.reads += 1
        self._tail = (self._tail + data)[-_KEPT:] if len(data) < _KEPT else data[-_KEPT:]
        if self._waiting and any(mark in data for mark in _CONTENT):
            self._waiting = False
            self._seen.first.append(time.perf_counter() - self._began)
        if self._tail.endswith(_LAST):
            self._answered()

    def _ask(self) -> None:
        self._left -= 1
        self._waiting = True
        self._tail = b""
        self._began = time.perf_counter()
        self._transport.write(self._asked)

    def _answered(self) -> None:
        if not any(mark in self._tail for mark in _ENDS):
            self._fail(f"no whole answer: ...{self._tail.decode('utf-8', 'replace')}")
        elif self._left:
            self._ask()
        else:
            self._done.set_result(None)
            self._transport.close()

    def _fail(self, words: str) -> None:
        self._seen.failures.append(words)
        self._done.set_result(None)
        self._transport.close()


def _given(stream: _Stream) -> _Stream:
    return stream


async def _run(load: Load) -> Seen:
    loop = asyncio.get_running_loop()
    body = bodies.request(load.size, load.chunks, load.pace_ms)
    head = (
        f"POST /v1/messages HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n"
        "Content-Type: application/json\r\nanthropic-version: 2023-06-01\r\n"
        "User-Agent: claude-cli/2.1.0 (external, cli)\r\nAccept: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    asked = head.encode() + body
    seen = Seen([], [], 0, 0.0)
    ends: list[asyncio.Future[None]] = []
    began = loop.time()
    for number in range(load.streams):
        await asyncio.sleep(began + number * load.stagger_ms / 1000 - loop.time())
        ends.append(loop.create_future())
        stream = _Stream(asked, load.requests, seen, ends[-1])
        await loop.create_connection(partial(_given, stream), "127.0.0.1", load.port)
    await asyncio.gather(*ends)
    seen.seconds = loop.time() - began
    return seen


async def _main() -> None:
    orders = await lines()
    while line := await orders.readline():
        seen = await _run(msgspec.json.decode(line, type=Load))
        sys.stdout.buffer.write(msgspec.json.encode(seen) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(_main())
