"""How does a reader learn that no more of a body will come?

aiohttp tells it, but for one case: when its C parser finds a chunk's framing broken (a wrong size,
no line end behind the data), it closes the connection, drops its timers and leaves the body
without an end, so that a read waits for ever (seen with 3.14.5).
"""

import asyncio
from functools import partial

import aiohttp

__all__ = ["end_with_connection"]


def end_with_connection(response: aiohttp.ClientResponse) -> None:
    """From here on a connection that is gone ends the body, with a ClientPayloadError."""
    connection = response.connection
    protocol = connection.protocol if connection is not None else None
    closed = protocol.closed if protocol is not None else None
    if closed is not None:
        closed.add_done_callback(partial(_end, response.content))
    else:
        _break(response.content)


def _end(content: aiohttp.StreamReader, closed: asyncio.Future[None]) -> None:
    if not closed.cancelled():
        # Retrieved: asyncio complains of an exception that nobody looks at.
        closed.exception()
    _break(content)


def _break(content: aiohttp.StreamReader) -> None:
    if not content.is_eof() and content.exception() is None:
        content.set_exception(aiohttp.ClientPayloadError("the body's framing is broken"))
