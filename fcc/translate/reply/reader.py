"""An upstream body, bytes in any cut, into pieces: every provider difference ends here.

    raw -> SSEDecoder -> Chunk -> ChunkReader (fields) -> ThinkSplitter -> Scanner -> pieces
                                              `-> ToolCallAssembler --------------------+

A body that is no event stream is told by its first character: `{` or `[` is one JSON value, a
whole completion or an error; `<` is a page of some proxy.
"""

import msgspec

from fcc.diagnosis.redact import redact
from fcc.diagnosis.verdict import Source, in_stream, is_error_body
from fcc.diagnosis.words import calm, plain, shorten
from fcc.errors import CutError, UpstreamError, UpstreamServerError
from fcc.settings.profile import Reply
from fcc.translate.context import Context
from fcc.translate.pieces import Failure, Piece
from fcc.translate.reply.chunks import ChunkReader
from fcc.translate.reply.fields import plain_text
from fcc.wire.chat import Chunk
from fcc.wire.json import decode, loads
from fcc.wire.sse import MAX_EVENT_BYTES, ServerSentEvent, SSEDecoder

__all__ = ["Reader"]

_CHUNK = msgspec.json.Decoder(Chunk)
_PAGE_READ = 4000
"""Bytes of what is no answer, for the words of the error."""


class Reader:
    """`feed(raw) -> pieces`; `finish(cut) -> pieces`. A Failure or Finish is the last piece."""

    def __init__(self, source: Source, reply: Reply, context: Context | None = None) -> None:
        self._source = source
        self._decoder = SSEDecoder()
        self._chunks = ChunkReader(source, reply, context or Context())
        self._head = b""
        self._body: bytearray | None = None
        self._seen = 0
        self.done = False
        """Whether the answer is over: what the provider still sends does not matter."""

    @property
    def finished(self) -> bool:
        """Whether a finish_reason has come: a stream that breaks off after it lost nothing."""
        return self.done or self._chunks.finished

    @property
    def repairs(self) -> dict[str, int]:
        """What was recovered or mended, by name."""
        return self._chunks.repairs

    def feed(self, raw: bytes) -> list[Piece]:
        """The pieces that `raw` completes."""
        if self.done:
            return []
        if not self._seen:
            raw = self._sniff(raw)
            if not raw:
                return []
        if self._body is not None:
            return self._keep(raw)
        data = self._decoder.single(raw)
        if data is not None:
            return self._single(data)
        try:
            events = self._decoder.feed(raw)
        except UpstreamServerError as error:
            return self._fail(error)
        return self._events(events)

    def finish(self, cut: UpstreamError | None = None) -> list[Piece]:
        """The end of the body; `cut` is why it ended early, if the transport knows."""
        if self.done:
            return []
        if self._body is not None and cut is None:
            return self._whole(bytes(self._body))
        pieces = self._events(self._decoder.finish(), last=True)
        if self.done:
            return pieces
        if self._chunks.finished:
            return [*pieces, *self._end()]
        return [*pieces, *self._fail(cut or self._early_end())]

    def _sniff(self, raw: bytes) -> bytes:
        """Decide by the first character what the body is; b"" while none has come."""
        raw, self._head = self._head + raw, b""
        first = raw.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
        if not first:
            self._head = raw[-3:]
            return b""
        self._seen = 1
        if first in b"{[<":
            self._body = bytearray()
        return raw

    def _keep(self, raw: bytes) -> list[Piece]:
        assert self._body is not None
        self._body += raw
        if len(self._body) > MAX_EVENT_BYTES:
            return self._fail(UpstreamServerError("the provider's answer has no end"))
        return []

    def _single(self, data: bytes) -> list[Piece]:
        """As `_events`, for a stream that comes chunk by chunk: each step less counts there."""
        try:
            chunk = _CHUNK.decode(data)
        except (ValueError, RecursionError):
            return self._events([ServerSentEvent(data)])
        text = plain_text(chunk)
        if text is None:
            return self._data(data, chunk, last=False)
        return self._chunks.say(text) if text else []

    def _events(self, events: list[ServerSentEvent], *, last: bool = False) -> list[Piece]:
        pieces: list[Piece] = []
        texts: list[str] = []
        for event in events:
            chunk = _well_formed(event)
            text = plain_text(chunk) if chunk is not None else None
            if text is not None:
                texts.append(text)
                continue
            pieces += self._say(texts)
            if event.data == b"[DONE]":
                empty = not (self._chunks.finished or self._chunks.heard)
                pieces += self._fail(self._early_end()) if empty else self._end()
            elif event.event == b"error":
                pieces += self._fail(in_stream(self._source, _value(event.data)))
            elif event.data:
                pieces += self._data(event.data, chunk, last=last)
            if self.done:
                return pieces
        return [*pieces, *self._say(texts)]

    def _say(self, texts: list[str]) -> list[Piece]:
        """Chunks that say text and nothing else are read as one: most are such."""
        text = "".join(texts)
        texts.clear()
        return self._chunks.say(text) if text else []

    def _data(self, data: bytes, chunk: Chunk | None = None, *, last: bool) -> list[Piece]:
        self._seen += 1
        try:
            chunk = decode(data, _CHUNK, Chunk) if chunk is None else chunk
        except (ValueError, RecursionError):
            value = _value(data)
            if is_error_body(value):
                # Gemini sends errors as an array.
                return self._fail(in_stream(self._source, value))
            return [] if last else self._fail(self._no_chunk(data))
        if chunk.error is not None or chunk.base_resp is not None or chunk.type == "error":
            value = _value(data)
            if is_error_body(value):
                return self._fail(in_stream(self._source, value))
        pieces = self._chunks.feed(chunk)
        if pieces and isinstance(pieces[-1], Failure):
            self.done = True
        return pieces

    def _whole(self, body: bytes) -> list[Piece]:
        """A body that is one JSON value, or no JSON."""
        if body.lstrip()[:1] == b"<":
            return self._fail(self._no_chunk(body, "an HTML page, not an event stream"))
        value = _value(body)
        if is_error_body(value):
            return self._fail(in_stream(self._source, value))
        if not isinstance(value, dict):
            return self._fail(self._no_chunk(body, "JSON that is no completion"))
        pieces = self._data(body, last=False)
        if self.done:
            return pieces
        if not self._chunks.finished and not self._chunks.heard:
            return [*pieces, *self._fail(self._no_chunk(body, "JSON that is no completion"))]
        return [*pieces, *self._end()]

    def _end(self) -> list[Piece]:
        self.done = True
        return self._chunks.finish()

    def _fail(self, error: UpstreamError) -> list[Piece]:
        self.done = True
        return [*self._chunks.abort(), Failure(error)]

    def _early_end(self) -> UpstreamError:
        who = f"{self._source.provider} ({self._source.model})"
        if not self._chunks.heard:
            return CutError(f"{who} sent an empty stream: 200, no output and no finish_reason")
        return CutError(
            f"the stream from {who} ended before the answer was finished: no finish_reason, no [DONE]"
        )

    def _no_chunk(self, data: bytes, what: str = "invalid data, no chunk") -> UpstreamError:
        shown = calm(redact(shorten(plain(data[:_PAGE_READ].decode("utf-8", "replace")), 200)))
        who = f"{self._source.provider} ({self._source.model})"
        return UpstreamServerError(f"{who} answered 200 with {what}: {shown}")


def _well_formed(event: ServerSentEvent) -> Chunk | None:
    """The event's chunk, where it is one by the book."""
    if event.event or event.data == b"[DONE]":
        return None
    try:
        return _CHUNK.decode(event.data)
    except (ValueError, RecursionError):
        return None


def _value(data: bytes) -> object:
    try:
        return loads(data)
    except (ValueError, RecursionError):
        return data.decode("utf-8", "replace")
