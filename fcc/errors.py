"""Every exception of fcc, with the HTTP status and the Anthropic error type it becomes.

The tree is the map: a class says what the client is told. Sources: the error types of the
Messages API (https://docs.anthropic.com/en/api/errors).
"""

from typing import ClassVar, NamedTuple

__all__ = [
    "AuthenticationError",
    "BadRequestError",
    "BillingError",
    "BudgetError",
    "ConfigError",
    "CutError",
    "FccError",
    "Fix",
    "LocalProtocolError",
    "MethodNotAllowedError",
    "NotFoundError",
    "OverloadedError",
    "PromptTooLongError",
    "RateLimitedError",
    "RefusedError",
    "RefusedKeyError",
    "RefusedModelError",
    "RefusedPermissionError",
    "RefusedSizeError",
    "RequestError",
    "RequestTooLargeError",
    "Said",
    "StalledError",
    "UnreachableError",
    "UpstreamError",
    "UpstreamServerError",
]


class FccError(Exception):
    """What can go wrong, in words for the person who reads it."""

    status: int = 500
    error_type: ClassVar[str] = "api_error"

    @property
    def message(self) -> str:
        """The text alone: lower case or a name first, no request id, no secret."""
        return str(self)


class ConfigError(FccError):
    """A file, an option or an environment variable that can't be used; the CLI exits with 2."""


class LocalProtocolError(FccError):
    """fcc itself broke a rule of the wire: a bug."""


# The client's side.


class RequestError(FccError):
    """The client's request can't be understood."""

    status = 400
    error_type = "invalid_request_error"

    def __init__(self, message: str, *, error_code: str | None = None) -> None:
        super().__init__(message)
        self.error_code = error_code
        """Goes out as `error.details.error_code`, which the SDKs act on."""


class AuthenticationError(FccError):
    """The client's token for fcc is missing or wrong."""

    status = 401
    error_type = "authentication_error"


class NotFoundError(FccError):
    """No such path or model here."""

    status = 404
    error_type = "not_found_error"


class MethodNotAllowedError(FccError):
    """The path is here, the method is not."""

    status = 405
    error_type = "invalid_request_error"


class RequestTooLargeError(FccError):
    """The client's body is over the limit."""

    status = 413
    error_type = "request_too_large"


# The provider's side.


class Fix(NamedTuple):
    """What to change before one more attempt, where a refusal says so."""

    max_tokens: int | None = None
    """Ask for no more output than this."""
    drop_field: str | None = None
    """Leave this field out, if it is in the body."""
    lasting: bool = True
    """True of every request to this model, and not only beside this one's input."""


class Said(NamedTuple):
    """A provider's answer that is an error, as it came."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


class UpstreamError(FccError):
    """The provider did not answer as asked.

    `retryable`: the same request may succeed later. `retry_after`: seconds the provider asked
    for, or None. `permanent`: it never will without a person; the status is a matter of form.
    """

    status = 502
    retryable: bool = True
    fix: Fix | None = None
    said: Said | None = None

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        if status is not None:
            self.status = status
        if retryable is not None:
            self.retryable = retryable
        self.retry_after = retry_after

    @property
    def permanent(self) -> bool:
        """Whether trying again is pointless until a person changes something."""
        return not self.retryable


class UnreachableError(UpstreamError):
    """No connection, no name, no TLS: nothing of the request was answered."""


class StalledError(UpstreamError):
    """Connected, and then silent for longer than the profile allows."""

    status = 504
    error_type = "timeout_error"


class CutError(UpstreamError):
    """The stream ended before the answer did."""


class UpstreamServerError(UpstreamError):
    """The provider failed by its own account, or answered something that is no answer."""


class OverloadedError(UpstreamError):
    """The provider has no capacity at this moment."""

    status = 529
    error_type = "overloaded_error"


class RateLimitedError(UpstreamError):
    """Too many requests or tokens for this key or this model."""

    status = 429
    error_type = "rate_limit_error"


class RefusedError(UpstreamError):
    """The provider understood and said no."""

    retryable = False


class BadRequestError(RefusedError):
    """The provider does not take this request."""

    status = 400
    error_type = "invalid_request_error"


class PromptTooLongError(BadRequestError):
    """The input does not fit the model's context window; the wording makes clients compact."""

    limit: int | None = None
    """The window in tokens, where the provider names it."""


class RefusedSizeError(BadRequestError):
    """The request's body is larger than the provider takes."""

    status = 413
    error_type = "request_too_large"


class RefusedKeyError(RefusedError):
    """The provider does not accept the key."""

    status = 401
    error_type = "authentication_error"


class BillingError(RefusedError):
    """No credit, or a quota that waiting does not restore."""

    status = 402
    error_type = "billing_error"


class BudgetError(BillingError):
    """What the person allows for a day is spent: fcc does not ask the provider."""


class RefusedPermissionError(RefusedError):
    """The key is known and may not do this."""

    status = 403
    error_type = "permission_error"


class RefusedModelError(RefusedError):
    """The provider does not offer the model to this account."""

    status = 404
    error_type = "not_found_error"
