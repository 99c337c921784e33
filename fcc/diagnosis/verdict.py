"""Which of fcc's errors is a provider's answer, in which words, and what would mend the request?"""

from collections.abc import Mapping

import msgspec

from fcc.diagnosis import rules
from fcc.diagnosis.body import read, read_value
from fcc.diagnosis.overflow import OVERFLOW_CODES, Overflow, output_cap, overflow, unknown_field
from fcc.diagnosis.quota import quota
from fcc.diagnosis.rates import rates
from fcc.diagnosis.redact import redact
from fcc.diagnosis.report import Report
from fcc.diagnosis.steps import Source, next_step
from fcc.diagnosis.waits import retry_after
from fcc.diagnosis.words import calm, plain, shorten, status_phrase
from fcc.errors import (
    BadRequestError,
    Fix,
    OverloadedError,
    PromptTooLongError,
    RateLimitedError,
    RefusedSizeError,
    UpstreamError,
    UpstreamServerError,
)

__all__ = ["Source", "finish_error", "fix", "in_stream", "is_error_body", "refusal"]

_FEW_TOKENS = 4096
"""Where the input was not counted to its end and less than this is left, it hardly fits."""
_MAX_GENERATION = 200
"""Characters of a broken tool call that are worth showing."""


class _Case(msgspec.Struct, frozen=True):
    """One error with all that is needed to put it into words."""

    source: Source
    lead: str
    said: str
    report: Report
    status: int | None
    headers: Mapping[str, str]
    now: float | None

    def text(self, step: str) -> str:
        """Who, what and what to do, with nothing in it that makes a client compact."""
        said = self.said.rstrip(" .;:") if step else self.said
        return calm(f"{self.lead}: {said}; {step}" if step else f"{self.lead}: {said}")


def refusal(
    source: Source,
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: float | None = None,
) -> UpstreamError:
    """What an HTTP answer means that has an error's status, or 200 and no answer in it.

    `now` is the time in epoch seconds; without it dates in the headers don't count.
    """
    report = read(body)
    lead = f"{source.who} answered {status}"
    said = _said(report) or ("no reason given" if body.strip() else "an empty body")
    if name := status_phrase(status) if not report.text.strip() else "":
        said = f"{name}, with {said}"
    if report.page and status < 300:
        said = f"an HTML page in the place of an answer: {said}"
    if not body.strip() and status in {400, 413} and source.empty_is_overflow:
        return PromptTooLongError(f"prompt is too long ({lead}: {said})")
    counts = rules.status_of(status, report)
    return _judged(_Case(source, lead, said, report, counts, headers, now))


def in_stream(source: Source, error: object, *, status: int | None = None) -> UpstreamError:
    """What an error means that came where a part of an answer should have been.

    `error` is the value of the "error" key, or the whole chunk or body around it.
    """
    report = read_value(error)
    said = _said(report) or "no reason given"
    counts = rules.status_of(status, report)
    return _judged(_Case(source, f"{source.who} failed", said, report, counts, {}, None))


def finish_error(source: Source, reason: str) -> UpstreamError:
    """What a finish_reason means that says the answer failed."""
    said = shorten(redact(plain(reason)), 100) or "error"
    text = calm(f"{source.who} ended its answer with finish_reason {said}")
    if said == "insufficient_system_resource":
        return OverloadedError(text)
    return UpstreamServerError(text)


def is_error_body(value: object) -> bool:
    """Whether the decoded JSON of a 200 body, or of a chunk, reports an error."""
    if isinstance(value, list):
        return any(isinstance(part, dict) and is_error_body(part) for part in value)
    if not isinstance(value, dict):
        return False
    if value.get("error") or "error" in (value.get("type"), value.get("object")):
        return True
    base = value.get("base_resp")
    if isinstance(base, dict) and base.get("status_code") not in (0, "0", None):
        return True
    if "choices" in value:
        return False
    told = any(value.get(name) for name in ("detail", "errors"))
    return told or isinstance(value.get("message"), str) or read_value(value).status is not None


def fix(status: int, body: bytes) -> Fix | None:
    """What to change before one more attempt, where a refusal says so; None: it says nothing."""
    report = read(body)
    if rules.status_of(status, report) not in {400, 413, 422} or report.page:
        return None
    if over := _overflow(status, report):
        most = _less_output(over)
        return Fix(max_tokens=most, lasting=False) if most else None
    if cap := output_cap(report.text):
        return Fix(max_tokens=cap.cap)
    named = {"unknown_parameter", "unsupported_parameter", "unsupported_value"}
    param = f"unknown parameter: '{report.param}'" if report.either(named) else ""
    field = unknown_field(report.text) or unknown_field(param)
    return Fix(drop_field=field) if field else None


def _less_output(over: Overflow) -> int:
    """The output that there is room for beside the input; 0 where there is none."""
    if over.prompt_tokens is None or over.limit is None or not _fits(over):
        return 0
    if over.at_least:
        return (over.max_tokens or 0) // 2
    room = over.limit - over.prompt_tokens
    return room - min(1000, room // 8)


def _fits(over: Overflow) -> bool:
    """Whether less output makes the request fit, as far as one can tell."""
    left = (over.limit or 0) - (over.prompt_tokens or 0)
    return over.fits_without_output and not (over.at_least and left < _FEW_TOKENS)


def _overflow(status: int | None, report: Report) -> Overflow | None:
    if report.page or rules.not_about_size(status, report):
        return None
    return overflow(report.text, report.either(OVERFLOW_CODES), report.numbers)


def _judged(case: _Case) -> UpstreamError:
    """The one way from a case to an error."""
    if over := _overflow(case.status, case.report):
        return _too_long(case, over)
    error = rules.error_class(case.status, case.report)
    if error is RateLimitedError:
        return _rate_limited(case)
    text = case.text(_step(case, error))
    if issubclass(error, UpstreamServerError):
        status = 500 if case.status == 500 else None
        hopeless = _hopeless(case)
        wait = None if hopeless else _wait(case)
        return error(text, status=status, retryable=not hopeless, retry_after=wait)
    if error is BadRequestError and case.status == 413:
        error = RefusedSizeError
    return error(text, retry_after=_wait(case) if error.retryable else None)


def _too_long(case: _Case, over: Overflow) -> UpstreamError:
    prompt, asked, limit = over.prompt_tokens, over.max_tokens, over.limit
    why = f"({case.lead}: {case.said})"
    if _fits(over):
        sizes = f"{prompt} + {asked} > {limit}"
        return BadRequestError(
            f"input length and `max_tokens` exceed context limit: {sizes} {calm(why)}"
        )
    if over.fits_without_output:
        prompt = (prompt or 0) + (asked or 0)
    sizes = "" if limit is None else f" for a limit of {limit} tokens"
    if prompt is not None and limit is not None and prompt >= limit:
        sizes = f": {prompt} tokens > {limit} maximum"
    error = PromptTooLongError(f"prompt is too long{sizes} {why}")
    error.limit = limit
    return error


def _rate_limited(case: _Case) -> UpstreamError:
    headers = {**case.report.headers, **_lower(case.headers)}
    wait = retry_after(headers, case.report.text, now=case.now)
    verdict = quota(case.report, wait, rates(headers, case.now))
    return RateLimitedError(
        case.text(verdict.step), retryable=verdict.retryable, retry_after=verdict.wait
    )


def _wait(case: _Case) -> float | None:
    """What the provider asks for; limits per key mean nothing beside a failure of its own."""
    headers = {
        name: value
        for name, value in {**case.report.headers, **_lower(case.headers)}.items()
        if "ratelimit" not in name
    }
    return retry_after(headers, case.report.text, now=case.now)


def _step(case: _Case, error: type[UpstreamError]) -> str:
    if case.status is not None and 300 <= case.status < 400:
        return f"check the base URL {case.source.address}".rstrip()
    if error is BadRequestError and (cap := output_cap(case.report.text)):
        return f"set CLAUDE_CODE_MAX_OUTPUT_TOKENS to at most {cap.cap}"
    return next_step(error, case.source, case.report)


def _hopeless(case: _Case) -> bool:
    """Whether the same request fails again for sure."""
    redirected = case.status is not None and 300 <= case.status < 400
    return redirected or case.status in {501, 505} or bool(rules.HOPELESS.search(case.report.text))


def _said(report: Report) -> str:
    said = shorten(redact(plain(report.text) or plain(", ".join(report.codes))))
    generation = redact(plain(report.generation))
    if 0 < len(generation) <= _MAX_GENERATION:
        return f"{said} (failed_generation: {generation})"
    return said


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
