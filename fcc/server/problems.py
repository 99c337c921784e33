"""Errors as clients are told them: status, Anthropic body, headers.

Claude Code treats statuses in its own way: it answers 401 with "Please run /login", hides the
message of a 404 and resends a 400 up to five times, but shows a 424 at once and as it is.
So what is permanent reaches it as 424; other clients get the natural status.
"""

import math

from aiohttp import web

from fcc.diagnosis.redact import redact
from fcc.errors import (
    FccError,
    OverloadedError,
    PromptTooLongError,
    RefusedError,
    RequestError,
    UpstreamError,
)
from fcc.wire.events import ErrorBody, ErrorDetails, ErrorEvent, encode

__all__ = ["error_event", "error_response", "is_claude_code", "status_for", "stopped"]

_SHOWN_AS_IT_IS = 424

_PATIENCE = 60.0
"""Seconds of a retry-after that a client may sleep through before it asks again. Claude Code gives
up at once where it is more; Anthropic's SDK would sleep for hours, and say nothing."""


def error_event(error: FccError, request_id: str) -> ErrorEvent:
    """The error as an event or a body. Its message ends with the request id."""
    body = ErrorBody(error.error_type, f"{redact(error.message)} (request_id={request_id})")
    if isinstance(error, RequestError) and error.error_code:
        body.details = ErrorDetails(error.error_code)
    return ErrorEvent(body, request_id)


def status_for(error: FccError, user_agent: str) -> int:
    """The HTTP status under which this client acts right."""
    carried = isinstance(error, UpstreamError) and error.permanent
    keeps = isinstance(error, PromptTooLongError) or _clients_can_fit(error)
    if carried and not keeps and is_claude_code(user_agent):
        return _SHOWN_AS_IT_IS
    return error.status


def error_response(error: FccError, request_id: str, user_agent: str = "") -> web.Response:
    """The whole response."""
    headers = {"request-id": request_id}
    if isinstance(error, UpstreamError):
        soon = error.retry_after is None or error.retry_after <= _PATIENCE
        headers["x-should-retry"] = "true" if error.retryable and soon else "false"
        if error.retry_after is not None:
            headers["retry-after"] = str(max(1, math.ceil(error.retry_after)))
    return web.Response(
        body=encode(error_event(error, request_id)),
        status=status_for(error, user_agent),
        content_type="application/json",
        headers=headers,
    )


def stopped() -> OverloadedError:
    """What clients are told whose answer a stopping daemon ends."""
    return OverloadedError("fcc is being stopped and had to end this answer; ask again")


def is_claude_code(user_agent: str) -> bool:
    """Whether the client is Claude Code, whose ways of recovering are known."""
    return user_agent.startswith("claude-cli/")


def _clients_can_fit(error: FccError) -> bool:
    """Whether the message makes Claude Code lower its max_tokens by itself."""
    return isinstance(error, RefusedError) and error.message.startswith("input length and")
