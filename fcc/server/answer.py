"""The client's side of a streamed answer: opened late, written at once, kept alive.

The response head goes out with the first content, so that an error before it keeps its HTTP
status; or when a provider has been silent for `commit_after` seconds over the request, because a
slow local model must not look dead. From then on a ping follows every PING_EVERY seconds of
silence. Waiting for a turn, or for another attempt, is no silence of the provider's: that may
last OPEN_AT_LAST seconds.
"""

import asyncio
from typing import Final, Self

from aiohttp import web

from fcc.errors import CutError, FccError, StalledError, UpstreamError
from fcc.server.late_head import LateHead
from fcc.server.problems import error_event, is_claude_code
from fcc.server.record import Record
from fcc.server.recorded import RecordedResponse
from fcc.wire.events import (
    BlockDelta,
    BlockStart,
    BlockStop,
    DeltaType,
    Event,
    Message,
    MessageStart,
    MessageStop,
    Ping,
    TextBlock,
    frame,
)

__all__ = ["PING_EVERY", "StreamedAnswer"]

PING_EVERY: Final = 20.0
"""Seconds. Claude Code gives up after 300 s without an event."""

OPEN_AT_LAST: Final = 240.0
"""Seconds without a head, from the request's beginning. Claude Code gives up after 360."""

PINGS_IN_A_ROW: Final = 25
"""Claude Code counts at most 30 in a row as life; an empty delta starts the count anew."""

_PING: Final = frame(Ping())

_EMPTY_DELTAS: Final[dict[str, DeltaType]] = {"text": "text_delta", "thinking": "thinking_delta"}


class StreamedAnswer:
    """`send(events)`; used as `async with`, so that its timer ends with it."""

    def __init__(
        self,
        request: web.Request,
        message: Message,
        record: Record,
        *,
        ping_every: float = PING_EVERY,
    ) -> None:
        self._request = request
        self._message = message
        self._record = record
        self._ping_every = ping_every
        self._loop = asyncio.get_running_loop()
        self._opening = asyncio.Lock()
        self._last = self._loop.time()
        self._open_at_last = self._last + OPEN_AT_LAST
        self._due = self._open_at_last
        self._pings = 0
        self._block: BlockStart | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None
        headers = {
            "Content-Type": "text/event-stream; charset=utf-8",
            "Cache-Control": "no-cache",
            "X-Accel-Buffering": "no",
        }
        trace = record.trace if record.trace is not None and record.trace.bodies else None
        self.response = RecordedResponse(trace, headers) if trace else LateHead(headers=headers)
        self.opened = False
        """Whether the head and message_start are out: an error is an event from then on."""
        self.content = False
        """Whether content is out: nothing can be tried again from then on."""
        self._ended = False

    async def __aenter__(self) -> Self:
        self._arm()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        if kind is not None and self.opened:
            # No other response can follow on this connection.
            self._break_off()

    def asking(self, commit_after: float) -> None:
        """The provider has been asked: from here on silence is its own."""
        self._due = min(self._loop.time() + commit_after, self._open_at_last)
        self._arm()

    def waiting(self) -> None:
        """The provider refused for now; another attempt follows."""
        self._due = self._open_at_last
        self._arm()

    async def send(self, events: list[Event], failure: UpstreamError | None = None) -> None:
        """Write the events, all in one; `failure` is why the answer ends with them."""
        if failure is not None and self._passes_on(failure):
            events = _unended(events)
        if not events:
            return
        self._last = self._loop.time()
        self._pings = 0
        if len(events) == 1 and self.content and isinstance(delta := events[0], BlockDelta):
            # Nearly all of an answer.
            await self.response.write(frame(delta))
            return
        head = b"" if self.opened else await self._prepare()
        self.content = True
        raw = head + b"".join([frame(event) for event in self._noted(events)])
        if isinstance(events[-1], MessageStop):
            # It may take long to be read, and a ping behind it would be no part of the response.
            self._ended = True
            await self.response.write_eof(raw)
        else:
            await self.response.write(raw)

    async def fail(self, error: FccError) -> None:
        """The answer ends here, and says so.

        Claude Code asks again by itself after a connection that breaks inside a block, while an
        error event ends its turn: there, a cut is passed on as what it is.
        """
        if self.content and self._passes_on(error):
            self._break_off()
            return
        await self.response.write(
            self._text_end() + frame(error_event(error, self._record.request_id))
        )

    def _break_off(self) -> None:
        if self._request.transport is not None:
            self._request.transport.close()

    def _text_end(self) -> bytes:
        """The end of a text block that the translation was not asked to end: clients keep it then."""
        if self._block is None or not isinstance(self._block.content_block, TextBlock):
            return b""
        return frame(BlockStop(self._block.index))

    def _passes_on(self, error: FccError) -> bool:
        """Whether the client gets a cut as a cut."""
        cut = isinstance(error, CutError | StalledError)
        return cut and is_claude_code(self._request.headers.get("user-agent", ""))

    def _noted(self, events: list[Event]) -> list[Event]:
        """`events` without a second message_start; remembers which block is open."""
        for event in reversed(events):
            if isinstance(event, BlockStop):
                self._block = None
                break
            if isinstance(event, BlockStart):
                self._block = event
                break
        return events[1:] if isinstance(events[0], MessageStart) else events

    async def _open(self) -> None:
        if head := await self._prepare():
            await self.response.write(head)

    async def _prepare(self) -> bytes:
        """message_start, unless another has prepared the response by now."""
        async with self._opening:
            if self.opened:
                return b""
            self.response.headers.update(self._record.headers())
            await self.response.prepare(self._request)
            self.opened = True
            return frame(MessageStart(self._message))

    def _arm(self) -> None:
        """Look at `_due`, unless something looks earlier anyway."""
        if self._timer is None or self._timer.when() > self._due:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        """Silence may have lasted long enough; else look again when it would have."""
        now = self._loop.time()
        due = self._last + self._ping_every if self.opened else self._due
        if now >= due:
            self._last = now
            self._task = self._loop.create_task(self._keep_alive())
            due = now + self._ping_every
        self._timer = self._loop.call_at(due, self._tick)

    async def _keep_alive(self) -> None:
        if self._ended:
            return
        try:
            if self.opened:
                await self.response.write(self._sign_of_life())
            else:
                await self._open()
        except ConnectionError:
            # The client has left; its request is being cancelled.
            return

    def _sign_of_life(self) -> bytes:
        self._pings += 1
        delta = _EMPTY_DELTAS.get(_kind(self._block)) if self._block else None
        if self._pings <= PINGS_IN_A_ROW or self._block is None or delta is None:
            return _PING
        self._pings = 0
        return frame(BlockDelta(self._block.index, delta, ""))


def _unended(events: list[Event]) -> list[Event]:
    """`events` without the end of the block that was cut.

    Claude Code keeps a stopped block, and then asks for the rest of the answer, at most three
    times; an open one it discards, and asks for the whole answer again.
    """
    kept = len(events)
    while kept and _ends_a_block(events[kept - 1]):
        kept -= 1
    return events[:kept]


def _ends_a_block(event: Event) -> bool:
    signed = isinstance(event, BlockDelta) and event.type == "signature_delta"
    return signed or isinstance(event, BlockStop)


def _kind(start: BlockStart | None) -> str:
    return type(start.content_block).__name__.removesuffix("Block").lower() if start else ""
