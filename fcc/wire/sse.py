"""Server-sent events: bytes in any cut -> events.

Source: WHATWG HTML, section 9.2.6 (https://html.spec.whatwg.org/multipage/server-sent-events.html),
with one leniency: an event that the end of the stream cuts before its blank line is still given,
as some servers leave the last line end out.
"""

import msgspec

from fcc.errors import UpstreamServerError

__all__ = ["MAX_EVENT_BYTES", "SSEDecoder", "ServerSentEvent"]

MAX_EVENT_BYTES = 32 * 1024 * 1024
"""One event's size. A whole 200 KB answer in one event exists; a hundred times that does not."""

_LINE = 64
"""Bytes that a line costs beside its content: an event of nothing but empty ones has a size too."""

_BOM = b"\xef\xbb\xbf"


class ServerSentEvent(msgspec.Struct, frozen=True, gc=False):
    """One event: its name ("" where none was given) and its data lines, joined by newlines."""

    data: bytes
    event: bytes = b""


class SSEDecoder:
    """Linear in the bytes fed, whatever their cut. Comments, ids and retry times are dropped."""

    __slots__ = ("_between", "_buffer", "_data", "_event", "_return", "_size", "_start")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._data: list[bytes] = []
        self._event = b""
        self._return = False
        self._size = 0
        self._start = True
        self._between = True
        """Whether nothing of an event or of a line is held."""

    def feed(self, raw: bytes) -> list[ServerSentEvent]:
        """The events that `raw` completes.

        Raises UpstreamServerError for an event over MAX_EVENT_BYTES.
        """
        events: list[ServerSentEvent] = []
        # `find` takes half the time of `in`, and most reads are one event of one line.
        plain = not self._return and raw.find(b"\r") < 0
        if plain and not self._between:
            # What is held ends first: reads are cut anywhere, and all behind it may be plain.
            end = raw.find(b"\n\n") + 2
            if end > 1:
                self._by_line(raw[:end], events)
                raw = raw[end:]
        if plain and self._between and not (self._start and raw[:1] == _BOM[:1]):
            *blocks, raw = raw.split(b"\n\n")
            self._start = self._start and not blocks
            for block in blocks:
                if block[:6] == b"data: " and block.find(b"\n") < 0:
                    events.append(ServerSentEvent(block[6:]))
                else:
                    self._block(block, events)
        if raw:
            self._by_line(raw, events)
        return events

    def single(self, raw: bytes) -> bytes | None:
        """The data of `raw`, where that is one whole event of one line, as most reads are.

        None: it has to be fed.
        """
        end = len(raw) - 2
        whole = self._between and not self._start and raw[:6] == b"data: "
        if whole and raw.find(b"\n") == end and raw[end:] == b"\n\n" and raw.find(b"\r") < 0:
            return raw[6:end]
        return None

    def finish(self) -> list[ServerSentEvent]:
        """What the end of the stream completes."""
        events: list[ServerSentEvent] = []
        if self._buffer:
            line = bytes(self._buffer)
            self._line(line.removeprefix(_BOM) if self._start else line, events)
            self._buffer.clear()
        self._line(b"", events)
        return events

    def _block(self, block: bytes, events: list[ServerSentEvent]) -> None:
        """All lines of one event, without its blank line."""
        for line in block.split(b"\n"):
            self._line(line, events)
        self._line(b"", events)

    def _by_line(self, raw: bytes, events: list[ServerSentEvent]) -> None:
        for line in self._lines(raw):
            self._line(line, events)
        self._between = not (self._buffer or self._data or self._event or self._return)

    def _lines(self, raw: bytes) -> list[bytes]:
        """The lines that `raw` ends, without their ends; the rest is held."""
        if self._return:
            # The carriage return that ended the last read may be half of a CRLF.
            raw, self._return = b"\r" + raw, False
        if raw.endswith(b"\r"):
            raw, self._return = raw[:-1], True
        end = max(raw.rfind(b"\n"), raw.rfind(b"\r")) + 1
        if not end:
            self._buffer += raw
            self._guard(len(self._buffer))
            return []
        self._buffer += raw[:end]
        whole = bytes(self._buffer)
        self._buffer[:] = raw[end:]
        if self._start:
            self._start = False
            whole = whole.removeprefix(_BOM)
        return whole.splitlines()

    def _line(self, line: bytes, events: list[ServerSentEvent]) -> None:
        if not line:
            if self._data:
                events.append(ServerSentEvent(b"\n".join(self._data), self._event))
                self._data = []
                self._size = 0
            self._event = b""
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
            self._size += len(value) + _LINE
            self._guard(self._size)
        elif field == b"event":
            self._event = value

    def _guard(self, size: int) -> None:
        if size > MAX_EVENT_BYTES:
            raise UpstreamServerError(
                f"the provider sent an event of more than {MAX_EVENT_BYTES} bytes"
            )
