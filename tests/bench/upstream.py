"""What stands in for the provider: a Chat Completions stream at almost no cost of its own.

A process of its own. It says its port on stdout, answers every POST with as many chunks, and as
fast, as the body orders (`bodies.ORDER`), and ends with its standard input.
"""

import asyncio
import sys
from collections.abc import Iterator
from itertools import count, cycle, islice
from typing import Final

from fcc.overriding import override
from tests.bench.bodies import ORDER
from tests.bench.stdin import until_stdin_ends

__all__ = ["event"]

_TOKENS = (" stream", " of", " words", ", which", " goes", " on", ".\\n", " Then", " it", " is")
_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)
_PER_WRITE: Final = 16
"""Chunks that a burst puts into one write, as a busy server does."""
_GOLDEN: Final = 0.618
"""Phases that are multiples of it never meet: streams do not tick together."""
_PHASES = count(1)


def event(delta: str, finish_reason: str = "null", usage: str = "null") -> bytes:
    """One event of a stream: 270 bytes with a usual token. All three are JSON."""
    data = (
        '{"id":"chatcmpl-0123456789abcdef0123456789abcdef","object":"chat.completion.chunk",'
        '"created":1764000000,"model":"bench-model","system_fingerprint":"fp_0123456789",'
        f'"choices":[{{"index":0,"delta":{delta},"logprobs":null,'
        f'"finish_reason":{finish_reason}}}],"usage":{usage}}}'
    )
    return f"data: {data}\n\n".encode()


def _chunk(event: bytes) -> bytes:
    """As an HTTP chunk of its own, which is how servers send it."""
    return b"%x\r\n%b\r\n" % (len(event), event)


_TEXTS: Final = [_chunk(event(f'{{"content":"{token}"}}')) for token in _TOKENS]
_FIRST: Final = _chunk(event('{"role":"assistant","content":""}'))
_USAGE: Final = '{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}'
_LAST: Final = (
    _chunk(event("{}", '"stop"'))
    + _chunk(event("{}", "null", _USAGE))
    + _chunk(b"data: [DONE]\n\n")
    + b"0\r\n\r\n"
)


class _Connection(asyncio.Protocol):
    """Requests one after the other, each answered as it orders."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._asked = bytearray()
        self._awaited = 0
        self._transport: asyncio.Transport
        self._timer: asyncio.Handle | None = None
        self._answer: Iterator[bytes] = iter(())
        self._free = True

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    @override
    def pause_writing(self) -> None:
        self._free = False

    @override
    def resume_writing(self) -> None:
        self._free = True
        self._burst()

    @override
    def data_received(self, data: bytes) -> None:
        self._asked += data
        if not self._awaited:
            self._awaited = _length(self._asked)
        if self._awaited and len(self._asked) >= self._awaited:
            ordered = ORDER.search(self._asked)
            chunks, pace_ms = (int(ordered[1]), int(ordered[2])) if ordered else (1, 0)
            self._asked.clear()
            self._awaited = 0
            self._begin(chunks, pace_ms / 1000)

    def _begin(self, chunks: int, pace: float) -> None:
        texts = islice(cycle(_TEXTS), chunks)
        if pace:
            self._answer = texts
            self._transport.write(_HEAD + _FIRST)
            first = self._loop.time() + pace * (next(_PHASES) * _GOLDEN % 1)
            self._timer = self._loop.call_at(first, self._tick, first, pace)
        else:
            self._answer = _joined([_HEAD + _FIRST, *texts, _LAST])
            self._burst()

    def _burst(self) -> None:
        """One write each turn of the loop, as long as the other side takes them."""
        part = next(self._answer, b"")
        if part:
            self._transport.write(part)
            if self._free:
                self._timer = self._loop.call_soon(self._burst)

    def _tick(self, due: float, pace: float) -> None:
        part = next(self._answer, b"")
        self._transport.write(part or _LAST)
        if part:
            self._timer = self._loop.call_at(due + pace, self._tick, due + pace, pace)


def _joined(parts: list[bytes]) -> Iterator[bytes]:
    for at in range(0, len(parts), _PER_WRITE):
        yield b"".join(parts[at : at + _PER_WRITE])


def _length(asked: bytearray) -> int:
    """Bytes of the request, head included; 0 while the head is not whole."""
    end = asked.find(b"\r\n\r\n")
    if end < 0:
        return 0
    head = bytes(asked[:end]).lower()
    _, found, rest = head.partition(b"content-length:")
    return end + 4 + (int(rest.partition(b"\r\n")[0]) if found else 0)


async def _main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Connection, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await until_stdin_ends()


if __name__ == "__main__":
    asyncio.run(_main())
