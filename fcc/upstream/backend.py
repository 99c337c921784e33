"""Whatever can answer a chat-completions body: a protocol, and the one that asks over HTTP.

Upstream is a bare aiohttp post of prepared bytes and its raw reads: per-chunk SDK models cost 30
to 60 times as much as all the rest of the path.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final, Protocol, Self

import aiohttp

from fcc.diagnosis.rates import Rate, rates
from fcc.diagnosis.redact import redact
from fcc.diagnosis.verdict import Source, fix, refusal
from fcc.diagnosis.words import plain, shorten
from fcc.errors import CutError, Said, StalledError, UnreachableError, UpstreamError
from fcc.settings.profile import Profile
from fcc.upstream.body_end import end_with_connection
from fcc.upstream.proxy import proxy_for

__all__ = ["Backend", "ChatBackend", "Reads", "Told", "UpstreamStream", "new_session", "unheard"]

Told = Callable[[Sequence[Rate]], None]
"""Takes what an answer's head says of the provider's limits, as soon as there is a head."""

MAX_ERROR_BYTES: Final = 64 * 1024
"""Of an error body; the rest of a page says nothing more."""

LEFT_OVER_SECONDS: Final = 0.05
"""For the end of a body whose answer is over: it comes at once or is not worth a connection."""

ERROR_BODY_SECONDS: Final = 5.0
"""For an error body. Its status is known: words that come later are not worth a client's wait."""


class UpstreamStream(Protocol):
    """An answer that has begun."""

    async def read(self) -> bytes:
        """The next bytes, as they come; b"" at the end.

        Raises CutError or StalledError.
        """


class Backend(Protocol):
    """Where a body is answered."""

    def post(
        self, body: bytes, source: Source, told: Told
    ) -> AbstractAsyncContextManager[UpstreamStream]:
        """An open stream for as long as the block runs; `told` is called once, if at all.

        Raises UpstreamError where there is none.
        """


def unheard(_told: Sequence[Rate]) -> None:
    """For who does not care for limits."""


_CAUSES: Final[dict[type[Exception], str]] = {
    aiohttp.ConnectionTimeoutError: "no connection in time",
    aiohttp.ClientConnectorDNSError: "no such host",
    aiohttp.ClientSSLError: (
        "TLS failed: {}; behind a proxy, set SSL_CERT_FILE to its certificate authority"
    ),
    aiohttp.ClientConnectorError: "{}; is it running?",
    aiohttp.InvalidURL: "its base_url is no URL: {}",
}
"""Most special first."""

_MAX_WORDS: Final = 200
"""Characters of a library's words."""

_BROKEN: Final = (aiohttp.ClientError, OSError, RuntimeError)
"""What a read says of a connection that is gone; RuntimeError, if it went a moment ago."""

_NOT_ASKED: Final = float("inf")

_SURE: Final = 0.05
"""Seconds between two looks, both of which must find the same read waiting for too long."""

_PERMANENT: Final = (aiohttp.ClientSSLError, aiohttp.InvalidURL)
"""What trying again does not mend."""


def new_session() -> aiohttp.ClientSession:
    """The one session for all providers: no cookies, no limit of its own, no decompression."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=30),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        headers={"User-Agent": "fcc", "Accept-Encoding": "identity"},
    )


class ChatBackend:
    """Asks `base_url`/chat/completions."""

    def __init__(self, session: aiohttp.ClientSession, profile: Profile, key: str) -> None:
        self._session = session
        self._profile = profile
        self.url = f"{profile.base_url.rstrip('/')}/chat/completions"
        self._proxy = proxy_for(self.url)
        self.headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
        if key:
            self.headers["Authorization"] = f"Bearer {key}"
        self.headers |= profile.headers
        # Silence is looked after here: aiohttp would set a timer anew for every read.
        self._timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=profile.timeouts.connect, sock_read=None
        )
        self._first_byte = profile.timeouts.first_byte or profile.timeouts.read
        self._silence = max(profile.timeouts.read, profile.timeouts.first_byte)
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def post(
        self, body: bytes, source: Source, told: Told = unheard
    ) -> AsyncIterator[UpstreamStream]:
        """An open stream. Raises UpstreamError: refused, unreachable or stalled."""
        try:
            async with asyncio.timeout(self._first_byte):
                response = await self._session.post(
                    self.url,
                    data=body,
                    headers=self.headers,
                    timeout=self._timeout,
                    allow_redirects=False,
                    proxy=self._proxy,
                )
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _unanswered(error, source) from error
        # It is on its way: 500 open streams would keep 500 bodies.
        del body
        over = False
        try:
            end_with_connection(response)
            well = response.status == 200
            told(rates(response.headers, time.time(), waits=well))
            if not well:
                raise await _refusal(response, source)
            with Reads(response, source, self._first_byte, self._silence) as reads:
                yield reads
            over = True
        finally:
            if over and not response.content.at_eof():
                self._end_later(response)
            else:
                response.release()

    def _end_later(self, response: aiohttp.ClientResponse) -> None:
        """The answer is over, and nobody waits for the end of its body: a client that has got all
        may leave at once.
        """
        ending = asyncio.create_task(_use_up(response))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)


class Reads:
    """The raw reads of one response; used as `with`, so that its timer ends with it.

    One timer looks now and then how long the present read has waited: a timer of its own for each
    read costs more than reading its chunk.
    """

    __slots__ = (
        "_asked", "_content", "_limit", "_loop", "_response", "_silence", "_source", "_stalled",
        "_suspect", "_timer", "headers", "status",
    )  # fmt: skip

    def __init__(
        self, response: aiohttp.ClientResponse, source: Source, first_byte: float, silence: float
    ) -> None:
        """`first_byte` and `silence`: seconds that the first read and any other may last."""
        self.status = response.status
        self.headers = response.headers
        self._response = response
        self._content = response.content
        self._source = source
        self._limit = first_byte
        self._silence = silence
        self._stalled = False
        self._suspect = _NOT_ASKED
        """The read that seemed to last too long at the last look."""
        self._loop = asyncio.get_running_loop()
        self._asked = _NOT_ASKED
        """When the present read began, by the loop's clock."""
        self._timer = self._loop.call_later(first_byte, self._look)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    async def read(self) -> bytes:
        self._asked = self._loop.time()
        try:
            raw = await self._content.readany()
        except _BROKEN as error:
            if self._stalled:
                words = f"{_who(self._source)} fell silent in mid-answer"
                raise StalledError(words) from error
            raise CutError(
                f"the connection to {_who(self._source)} broke in mid-stream, "
                f"the answer is incomplete: {redact(_words(error))}"
            ) from error
        self._asked = _NOT_ASKED
        if self._limit != self._silence:
            self._limit = self._silence
            self._timer.cancel()
            self._timer = self._loop.call_later(self._silence, self._look)
        return raw

    def _look(self) -> None:
        """The read that goes on is over if it has lasted too long; else look again when it would."""
        now = self._loop.time()
        due = min(self._asked, now) + self._limit
        if due > now:
            self._timer = self._loop.call_at(due, self._look)
            return
        if self._asked != self._suspect:
            # The process may have stood still: what came meanwhile is read first.
            self._suspect = self._asked
            self._timer = self._loop.call_later(_SURE, self._look)
            return
        self._stalled = True
        # Whoever reads is told.
        self._response.close()


async def _use_up(response: aiohttp.ClientResponse) -> None:
    """Read what stands behind `[DONE]`, mostly the body's end: only a connection whose body was
    read to its end is used again, and another one costs a TLS handshake.
    """
    try:
        with suppress(TimeoutError, *_BROKEN):
            async with asyncio.timeout(LEFT_OVER_SECONDS):
                while await response.content.readany():
                    pass
    finally:
        response.release()


async def _refusal(response: aiohttp.ClientResponse, source: Source) -> UpstreamError:
    body = b""
    try:
        async with asyncio.timeout(ERROR_BODY_SECONDS):
            while len(body) < MAX_ERROR_BYTES and (raw := await response.content.readany()):
                body += raw
    except (aiohttp.ClientError, TimeoutError, OSError):
        # The status has been said; what is left of the body can only have been words.
        pass
    error = refusal(source, response.status, response.headers, body, now=time.time())
    error.fix = fix(response.status, body)
    error.said = Said(response.status, tuple(response.headers.items()), body)
    return error


def _unanswered(error: Exception, source: Source) -> UpstreamError:
    """What it means that no answer began."""
    who, words = _who(source), redact(_words(error))
    for kind, cause in _CAUSES.items():
        if isinstance(error, kind):
            return UnreachableError(
                f"{who} at {source.base_url} can't be reached: {cause.format(words)}",
                retryable=kind not in _PERMANENT,
            )
    if isinstance(error, TimeoutError):
        return StalledError(f"{who} accepted the request and did not answer in time")
    return UnreachableError(f"the connection to {who} broke before an answer began: {words}")


def _who(source: Source) -> str:
    return f"{source.provider} ({source.model})"


def _words(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return error.os_error.strerror or str(error.os_error)
    if isinstance(error, aiohttp.ClientPayloadError):
        # "400, message: Not enough data to satisfy transfer length header" is nobody's status.
        return "its body ended too soon"
    # Of what is no HTTP, aiohttp quotes all that came.
    return shorten(redact(plain(str(error))), _MAX_WORDS) or type(error).__name__
