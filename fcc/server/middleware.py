"""Around every request: an id, the log's context, the client's token, errors in one shape."""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from urllib.parse import urlsplit

from aiohttp import web
from loguru import logger

from fcc.errors import (
    AuthenticationError,
    FccError,
    MethodNotAllowedError,
    NotFoundError,
    RequestError,
)
from fcc.server.gateway import GATEWAY
from fcc.server.health import nothing
from fcc.server.problems import error_response, stopped
from fcc.server.record import RECORD, Record

__all__ = ["is_loopback", "middlewares"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OPEN = frozenset({"/", "/health", "/api/hello"})
"""Paths that tell nothing and cost nothing: no token is asked for."""


@web.middleware
async def identified(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """A request id in header, body and log; one line in the log at the end."""
    gateway = request.app[GATEWAY]
    request_id = f"req_{secrets.token_hex(12)}"
    record = request[RECORD] = Record(request_id, request.method, request.path)
    status = 499  # what nginx calls a client that left
    with logger.contextualize(request_id=request_id), gateway.answering():
        try:
            response = await handler(request)
            status = response.status
            if not response.prepared:
                response.headers.setdefault("request-id", request_id)
        finally:
            record.log(status)
        return response


@web.middleware
async def told(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Every error as an Anthropic error."""
    record = request[RECORD]
    try:
        return await handler(request)
    except FccError as error:
        problem = error
    except asyncio.CancelledError:
        if not request.app[GATEWAY].stopping:
            raise
        problem = stopped()
    except web.HTTPNotFound:
        problem = NotFoundError(f"there is no {request.method} {request.path} here")
    except web.HTTPMethodNotAllowed as error:
        allowed = ", ".join(sorted(error.allowed_methods))
        problem = MethodNotAllowedError(f"{request.path} takes {allowed}, not {request.method}")
    except web.HTTPException as error:
        problem = RequestError(error.reason)
        problem.status = error.status
    except ConnectionError as error:
        # In the middle of a write: the same as when it leaves between two.
        record.outcome = "client left"
        raise asyncio.CancelledError from error
    except Exception:  # noqa: BLE001 - the outermost place: a bug must not look like silence
        logger.exception("a bug in fcc")
        problem = FccError("fcc failed by a bug of its own; its log has the details")
    record.outcome = problem.error_type
    return error_response(problem, record.request_id, request.headers.get("user-agent", ""))


@web.middleware
async def allowed(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Only who has the token, and no page of the web that a browser happens to show."""
    if request.method == "OPTIONS":
        return await nothing(request)
    if request.path not in _OPEN:
        _check_token(request)
        _check_origin(request)
    return await handler(request)


middlewares = (identified, told, allowed)


def _check_token(request: web.Request) -> None:
    token = request.app[GATEWAY].config.auth_token
    if not token:
        return
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    given = [request.headers.get("x-api-key", "")]
    if scheme.lower() == "bearer":
        given.append(bearer.strip())
    # All are compared, in constant time, whichever fits.
    fits = [
        hmac.compare_digest(one.encode("utf-8", "surrogateescape"), token.encode()) for one in given
    ]
    if not any(fits):
        raise AuthenticationError(
            "this fcc wants its own token: set ANTHROPIC_AUTH_TOKEN to the auth_token of "
            "config.toml (or FCC_AUTH_TOKEN of the daemon)"
        )


def _check_origin(request: web.Request) -> None:
    origin = request.headers.get("origin")
    if origin and not is_loopback(_host(origin)):
        raise _forbidden(f"a page of {origin} may not use this gateway")


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).hostname or ""
    except ValueError:
        return ""


def _forbidden(words: str) -> RequestError:
    error = RequestError(words)
    error.status = 403
    return error


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nothing else."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
