"""Which of fcc's errors is it? The first rule that fits an HTTP status, a code or a text.

A rule's codes and texts count more than any status, since providers put load, quota and a bad
key under one and the same status: NVIDIA answers 400 for a degraded function (Alishahryar1/
free-claude-code#1012), Moonshot 429 for quota and load alike, Gemini 400 for a bad key.
"""

import msgspec

from fcc.diagnosis.pattern import Pattern
from fcc.diagnosis.report import Report
from fcc.errors import (
    BadRequestError,
    BillingError,
    OverloadedError,
    RateLimitedError,
    RefusedKeyError,
    RefusedModelError,
    RefusedPermissionError,
    StalledError,
    UpstreamError,
    UpstreamServerError,
)

__all__ = ["HOPELESS", "RATE", "error_class", "not_about_size", "status_of"]

RATE = Pattern(
    r"(?i)rate.?limit|too many requests|quota exceeded|\b[TR]P[MD]\b"
    r"|(?:tokens|requests)[ _-]?(?:per|/)[ _-]?(?:sec|min|hour|day)"
)
"""Texts about how much a key may ask for in some time."""

HOPELESS = Pattern(
    r"(?i)too large to process|image input is not supported|mmproj|requires? --?jinja"
    r"|json schema conversion failed|failed to parse grammar|unhashable type|roles must alternate"
    r"|enable-auto-tool-choice|does not support (?:tools?|images|vision)\b"
    r"|requires more system memory"
)
"""Texts of a 500 that is about the request or the server's settings: another try ends alike."""

_DEGRADED = (
    r"\bDEGRADED\b|\bResourceExhausted\b|(?i:overloaded|worker.{0,30}request limit reached"
    r"|capacity (?:exceeded|reached|limit)|(?:at|no|over|out of|insufficient|exceed(?:s|ed)) "
    r"(?:\w+ ){0,2}capacity|too busy|experiencing high (?:traffic|demand|load))"
)
_NO_CREDIT = (
    r"(?i)exceeded your current quota|check your plan and billing|insufficient (?:account )?"
    r"(?:balance|credits?|funds|quota)|credit balance is too low|out of credits|more credits"
    r"|key limit exceeded|(?:account|access) (?:\w+ ){0,3}(?:overdue|arrears)|in arrears|余额不足|欠费"
)
# Gemini says "exceeded your current quota" of its limits per minute as well.
_QUOTA_RETURNS = r"(?i)retry (?:in|after) [0-9]|free_tier|per_?day|per_?minute|rate.?limit"
_NO_MODEL = (
    r"(?i)model(?: id| name)?:? (?:[`'\"]?[\w./:@-]{1,100}[`'\"]? )?(?:is |was |has |been ){0,2}"
    r"(?:does(?: not|n't) exist|not exist|not found|no longer|decommissioned|not available"
    r"|not supported|deprecated|not a valid)|not a valid model|unknown model|invalid model"
    r"|no such model|no models? loaded|no available channel|no endpoints found|模型不存在"
)

_BAD_KEY = (
    r"(?i)(?:invalid|incorrect|expired|missing|wrong|no) (?:or \w+ )?(?:api[ _-]?key|access token)"
    r"|api[ _-]?key (?:is |was |has |provided )?(?:been )?(?:not valid|invalid|expired|revoked"
    r"|incorrect|missing|not found|required|disabled)|authentication (?:fails|failed|required)"
)


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an error one of a class: any of these is enough."""

    error: type[UpstreamError]
    statuses: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    text: Pattern | None = None
    unless: Pattern | None = None
    """Texts, and codes, beside which codes and text of the rule mean nothing."""
    clear: frozenset[int] = frozenset()
    """Statuses that say more than a text."""

    def fits(self, status: int | None, report: Report) -> bool:
        """Whether the rule is about this error."""
        if status in self.statuses:
            return True
        said = "" if report.page else report.text[:4000]
        if self.unless and self.unless.search(" ".join((said, *report.codes))):
            return False
        if report.either(self.codes):
            return True
        return self.text is not None and status not in self.clear and bool(self.text.search(said))


def _codes(names: str) -> frozenset[str]:
    return frozenset(names.split())


_RULES = (
    _Rule(
        # The model's own slip: it wrote a call that Groq can't read, and may do better next time.
        error=UpstreamServerError,
        codes=_codes("tool_use_failed output_parse_failed"),
    ),
    _Rule(
        error=OverloadedError,
        codes=_codes(
            "overloaded overloaded_error engine_overloaded engine_overloaded_error capacity"
            " provider_overloaded server_overloaded model_overloaded server_busy queue_exceeded"
            " service_tier_capacity_exceeded capacity_exceeded insufficient_system_resource"
        ),
        text=Pattern(_DEGRADED),
        unless=RATE,
        clear=frozenset({401, 402, 403, 404, 410}),
    ),
    _Rule(error=BillingError, statuses=frozenset({402})),
    _Rule(
        error=BillingError,
        # 1113, 1308 to 1313: Z.ai's balance and its plans' windows.
        codes=_codes(
            "insufficient_quota exceeded_current_quota exceeded_current_quota_error"
            " billing_error billing_not_active billing_hard_limit_reached payment_required"
            " insufficient_balance insufficient_credits insufficient_funds arrearage"
            " account_overdue_error 1113 1308 1309 1310 1311 1313"
        ),
        text=Pattern(_NO_CREDIT),
        unless=Pattern(_QUOTA_RETURNS),
    ),
    _Rule(
        error=RefusedModelError,
        statuses=frozenset({404, 410}),
        codes=_codes(
            "model_not_found model_not_available model_decommissioned model_not_supported"
            " unknown_model unavailable_model model_not_open not_found_error 1211"
        ),
        text=Pattern(_NO_MODEL),
        clear=frozenset({401, 408, 413, 429, 504}),
    ),
    _Rule(
        error=RefusedKeyError,
        statuses=frozenset({401}),
        codes=_codes(
            "authentication_error authentication invalid_api_key api_key_invalid unauthenticated"
            " invalid_authentication_error incorrect_api_key_error unauthorized"
        ),
        text=Pattern(_BAD_KEY),
        clear=frozenset({429}),
    ),
    _Rule(
        error=RateLimitedError,
        statuses=frozenset({429}),
        codes=_codes(
            "rate_limit_error rate_limit_exceeded rate_limit_reached_error rate_limited"
            " too_many_requests resource_exhausted 1302 1303 1305"
        ),
        text=RATE,
        clear=frozenset({400, 422}),
    ),
    _Rule(error=OverloadedError, statuses=frozenset({498, 503, 529})),
    _Rule(error=RefusedPermissionError, statuses=frozenset({403})),
    _Rule(error=StalledError, statuses=frozenset({408, 504, 522, 524, 598, 599})),
    # Conflict, locked, too early: of the moment, not of the request.
    _Rule(error=UpstreamServerError, statuses=frozenset({409, 421, 423, 425})),
    _Rule(error=BadRequestError, statuses=frozenset(range(400, 500))),
)

_NAMED_STATUS = {
    400: "bad_request bad_request_error invalid_request invalid_request_error invalid_argument"
    " invalid_prompt invalid_parameter invalid_value validation_error unprocessable"
    " unprocessable_entity content_policy_violation content_filter refusal max_tokens_exceeded"
    " string_too_long precondition_failed invalid_image failed_precondition not_supported_error 1210 1213 1214 1301",
    403: "permission_error permission_denied forbidden access_denied permission_denied_error",
    404: "not_found",
    413: "payload_too_large request_too_large",
    500: "internal_server_error internal",
    503: "unavailable unavailable_error service_unavailable service_unavailable_error",
    504: "timeout timeout_error gateway_timeout request_timeout deadline_exceeded",
}
_STATUS_BY_CODE = {
    code: status for status, names in _NAMED_STATUS.items() for code in names.split()
}


def status_of(http: int | None, report: Report) -> int | None:
    """The status that counts: of HTTP, or else of the body, or else of a type that has one."""
    if http is not None and http >= 300:
        return http
    named = _STATUS_BY_CODE.get(report.either(_STATUS_BY_CODE))
    return report.status if report.status is not None else named


def error_class(status: int | None, report: Report) -> type[UpstreamError]:
    """The class of fcc's error; what no rule knows is a failure of the provider."""
    return next((rule.error for rule in _RULES if rule.fits(status, report)), UpstreamServerError)


_NOT_ABOUT_SIZE = frozenset({401, 402, 403, 429})
_OF_ANOTHER_KIND = _codes(
    "rate_limit_exceeded rate_limit_error too_many_requests payment_required billing_error"
    " insufficient_quota string_too_long string_above_max_length"
)


def not_about_size(status: int | None, report: Report) -> bool:
    """Whether it is about something else than the context, whatever its words are."""
    return status in _NOT_ABOUT_SIZE or report.either(_OF_ANOTHER_KIND) != ""
