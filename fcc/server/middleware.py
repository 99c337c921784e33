"""Around every request: an id, the log's context, the client's token, errors in one shape."""

import asyncio
import hmac
import secrets
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
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
from fcc.server.live import LIVE_PATH
from fcc.server.page.files import FILES, wants_page
from fcc.server.problems import error_response, stopped
from fcc.server.record import LEFT, RECORD, Record
from fcc.server.recorded import answered

__all__ = ["is_loopback", "middlewares"]

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OPEN = frozenset({"/", "/health", "/api/hello", *FILES})
"""Paths that tell nothing and cost nothing: no token is asked for."""

_OF_THE_DAEMON = frozenset({"/status", "/metrics"})
"""Paths that tell of the daemon. A browser says no Origin when it gets from where its page is from."""

_MODEL_PATHS = frozenset({"/v1/messages", "/v1/v1/messages"})
"""Paths whose requests are counted and kept."""


@web.middleware
async def identified(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """A request id in header, body and log; one line in the log at the end."""
    gateway = request.app[GATEWAY]
    request_id = f"req_{secrets.token_hex(12)}"
    record = request[RECORD] = _record(request, request_id)
    posted = request.method == "POST" and request.path in _MODEL_PATHS
    watched = posted and gateway.config.observe
    if watched:
        gateway.watch.began(request_id, record.outcome)
        record.trace = gateway.recorder.begin(
            request_id, request.method, request.raw_path, request.headers.items()
        )
    status = LEFT
    # A page that watches is no answer to wait for.
    counted = nullcontext() if request.path == LIVE_PATH else gateway.answering()
    with logger.contextualize(request_id=request_id), counted:
        try:
            response = await handler(request)
            status = response.status
            if record.trace is not None:
                answered(record.trace, response)
            if not response.prepared:
                response.headers.setdefault("request-id", request_id)
        finally:
            outcome = record.outcome(status)
            record.log(outcome)
            if watched:
                gateway.watch.ended(outcome)
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
        raise asyncio.CancelledError from error
    except Exception:  # noqa: BLE001 - the outermost place: a bug must not look like silence
        logger.exception("a bug in fcc")
        problem = FccError("fcc failed by a bug of its own; its log has the details")
    record.failed(problem)
    return error_response(problem, record.request_id, request.headers.get("user-agent", ""))


@web.middleware
async def allowed(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Only who has the token, and no page of the web that a browser happens to show."""
    if request.method == "OPTIONS":
        return await nothing(request)
    if request.path not in _OPEN:
        _check_token(request)
        _check_origin(request)
    path = request.path
    shown = path in _OF_THE_DAEMON or path.startswith("/fcc/")
    if shown or (path == "/" and wants_page(request)):
        _check_host(request)
    return await handler(request)


middlewares = (identified, told, allowed)


def _record(request: web.Request, request_id: str) -> Record:
    return Record(
        request_id,
        request.method,
        request.path,
        client=request.headers.get("user-agent", ""),
        session=request.headers.get("x-claude-code-session-id", ""),
    )


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


def _check_host(request: web.Request) -> None:
    """No page of elsewhere whose name was made to lead here (DNS rebinding).

    Where a token is asked for, it keeps such a page out by itself.
    """
    config, named = request.app[GATEWAY].config, request.headers.get("host")
    if config.auth_token or named is None:
        return
    host = _host(f"//{named}").removesuffix(".")
    if not (_is_here(host) or host == config.server.host.lower()):
        raise _forbidden(
            f"{request.path} is not shown under the name {named!r}: ask by the address, as "
            f"http://127.0.0.1:{config.server.port}{request.path}, or set auth_token in config.toml "
            "and send it as Authorization: Bearer"
        )


def _is_here(host: str) -> bool:
    """Whether nobody else could have given this name to this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return bool(ip_address(host))
    except ValueError:
        return False


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
