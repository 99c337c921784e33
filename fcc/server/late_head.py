"""A response whose head goes out with its first content."""

from aiohttp import web

__all__ = ["LateHead"]


class LateHead(web.StreamResponse):
    """A streamed answer whose head waits for the first write: one packet instead of two."""

    _send_headers_immediately = False
