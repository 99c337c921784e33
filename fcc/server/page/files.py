"""GET / and the page's files: what a browser loads before it has seen anything.

Nothing in them is secret, so no token is asked for; what there is to see comes from /fcc/live.
Policy: https://www.w3.org/TR/CSP3/.
"""

import hashlib
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import ETag, web

from fcc.server.gateway import GATEWAY
from fcc.server.health import about

__all__ = ["FILES", "front", "page_file", "wants_page"]

_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)

_HEADERS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Asked for again each time, and answered with 304: an upgrade shows at once.
    "Cache-Control": "no-cache",
}


class _File(msgspec.Struct, frozen=True):
    """A file as it goes out."""

    body: bytes
    content_type: str
    tag: str


def _file(body: bytes, content_type: str) -> _File:
    return _File(body, content_type, hashlib.sha256(body).hexdigest()[:20])


def _read(name: str) -> bytes:
    return (Path(__file__).parent / name).read_bytes()


FILES: Final = {
    "/fcc/page.css": _file(_read("page.css"), "text/css"),
    "/fcc/page.js": _file(_read("page.js"), "text/javascript"),
    "/fcc/icon.svg": _file(_read("icon.svg"), "image/svg+xml"),
}
"""Path -> what is there. Read before the daemon listens: nothing waits for a disk afterwards."""

_PAGE: Final = _read("index.html")

_OPEN_PAGE: Final = _file(_PAGE, "text/html")

_LOCKED_PAGE: Final = _file(_PAGE.replace(b"<html ", b"<html data-locked ", 1), "text/html")
"""Asks for the token at once, instead of being refused first."""


async def front(request: web.Request) -> web.Response:
    """The page for a browser; for everybody else a few words."""
    if wants_page(request):
        locked = request.app[GATEWAY].config.auth_token
        response = _response(request, _LOCKED_PAGE if locked else _OPEN_PAGE)
    else:
        response = await about(request)
    response.headers["Vary"] = "Accept"
    return response


async def page_file(request: web.Request) -> web.Response:
    """One of FILES."""
    return _response(request, FILES[request.path])


def wants_page(request: web.Request) -> bool:
    """Whether the client names HTML, and nothing else before it."""
    liked = _liked(request.headers.get("accept", ""))
    others = [liked.get(name, 0.0) for name in ("text/plain", "application/json")]
    return liked.get("text/html", 0.0) > max(others)


def _liked(accept: str) -> dict[str, float]:
    """Media type -> how much it is wanted, of those that are named."""
    liked = {}
    for part in accept.split(","):
        name, *parameters = (word.strip().lower() for word in part.split(";"))
        liked[name] = next((_weight(word[2:]) for word in parameters if word.startswith("q=")), 1.0)
    return liked


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _response(request: web.Request, file: _File) -> web.Response:
    known = request.if_none_match or ()
    if any(tag.value in (file.tag, "*") for tag in known):
        response = web.Response(status=304, headers=_HEADERS)
    else:
        response = web.Response(
            body=file.body, content_type=file.content_type, charset="utf-8", headers=_HEADERS
        )
    response.etag = ETag(file.tag)
    return response
