"""Bodies of every shape that providers use, and what each becomes."""

import json
import re

import pytest

from fcc.diagnosis.verdict import Source, in_stream, is_error_body, refusal
from fcc.errors import (
    BadRequestError,
    BillingError,
    OverloadedError,
    PromptTooLongError,
    RateLimitedError,
    RefusedKeyError,
    RefusedModelError,
    RefusedPermissionError,
    RefusedSizeError,
    StalledError,
    UpstreamServerError,
)

SOURCE = Source("Prov", "x/y", "PROV_API_KEY", "https://api.prov.test/v1")

RAW_OVERFLOW = json.dumps(
    {
        "error": {
            "message": "This model's maximum context length is 262144 tokens. However, your"
            " messages resulted in 262897 tokens. Please reduce the length of the messages.",
            "type": "Bad Request",
            "code": 400,
        }
    }
)

# (HTTP status, body, class, status, what the message has)
REFUSALS = [
    # OpenAI's shape
    (401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}},
     RefusedKeyError, 401, "Incorrect API key provided; set PROV_API_KEY"),
    (403, {"error": {"message": "Project does not have access to model `gpt-5`",
                     "code": "model_not_found"}}, RefusedModelError, 404, "does not have access"),
    (429, {"error": {"message": "That model is currently overloaded with other requests.",
                     "type": "server_error"}}, OverloadedError, 529, "overloaded with other"),
    (500, {"error": {"message": "The server had an error", "type": "server_error"}},
     UpstreamServerError, 500, "The server had an error"),
    (400, {"error": {"message": "Unsupported parameter: 'max_tokens' is not supported with this"
                     " model.", "code": "unsupported_parameter"}}, BadRequestError, 400,
     "Unsupported parameter"),
    (400, {"error": {"message": None, "type": None, "code": None, "param": None}},
     BadRequestError, 400, "400"),
    (409, {"error": {"message": "conflict"}}, UpstreamServerError, 502, "conflict"),
    # the fields at the top
    (401, {"message": "Unauthorized", "request_id": "r1"}, RefusedKeyError, 401, "Unauthorized"),
    (422, {"message": {"detail": [{"loc": ["body", "tools"], "msg": "field required",
                                   "type": "value_error"}]}}, BadRequestError, 400,
     "body.tools: field required"),
    (422, {"detail": [{"loc": ["body", "top_k"], "msg": "Extra inputs are not permitted",
                       "type": "extra_forbidden"}]}, BadRequestError, 400, "body.top_k: Extra"),
    (429, {"object": "error", "message": "Service tier capacity exceeded for this model.",
           "type": "service_tier_capacity_exceeded", "code": "3505"}, OverloadedError, 529,
     "capacity exceeded"),
    (429, {"message": "We're experiencing high traffic right now! Please try again soon.",
           "type": "too_many_requests_error", "code": "queue_exceeded"}, OverloadedError, 529,
     "high traffic"),
    (404, {"detail": "Not Found"}, RefusedModelError, 404,
     "base URL https://api.prov.test/v1"),
    (400, {"message": "Validation: Unsupported parameter(s): `logit_bias`",
           "type": "Bad Request", "code": 400}, BadRequestError, 400, "Unsupported parameter"),
    (503, {"success": False, "code": 50505, "msg": "Model service overloaded. Please try again"
           " later."}, OverloadedError, 529, "service overloaded"),
    # strings
    (400, {"error": "model 'llama9' not found, try pulling it first"}, RefusedModelError, 404,
     "try pulling"),
    (500, {"error": "llama runner process has terminated: exit status 2"}, UpstreamServerError,
     500, "terminated"),
    (400, {"error": "{'error': {'message': 'Rate limit exceeded, slow', 'code': 429}}"},
     BadRequestError, 400, "Rate limit exceeded"),
    (400, "Bad Request", BadRequestError, 400, "Bad Request"),
    (500, {"error": "Error code: 500 - {'error': {'message': \"it's broken\"}}"},
     UpstreamServerError, 500, "it's broken"),
    # arrays
    (429, [{"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "You exceeded your"
                      " current quota, please check your plan and billing details. * Quota"
                      " exceeded for metric: generate_content_free_tier_requests, limit: 20\n"
                      "Please retry in 36.5s."}}], RateLimitedError, 429, "retry in 36.5s"),
    (400, [{"error": {"code": 400, "message": "API key not valid. Please pass a valid API key.",
                      "status": "INVALID_ARGUMENT",
                      "details": [{"reason": "API_KEY_INVALID"}]}}], RefusedKeyError, 401,
     "not valid"),
    (400, ["first", "second"], BadRequestError, 400, "first; second"),
    (500, [], UpstreamServerError, 500, "500"),
    # a body in a body
    (400, {"error": {"message": "Provider returned error", "code": 400, "metadata":
                     {"raw": RAW_OVERFLOW, "provider_name": "Nvidia"}}}, PromptTooLongError, 400,
     "prompt is too long: 262897 tokens > 262144 maximum"),
    (502, {"error": {"message": "Provider returned error", "code": 502, "metadata":
                     {"raw": "<html><title>502 Bad Gateway</title></html>"}}},
     UpstreamServerError, 502, ": 502 Bad Gateway"),
    (400, {"error": {"message": "Provider returned error", "metadata": {"raw": {"error": {
        "message": "tool_use ids must be unique"}}}}}, BadRequestError, 400, "must be unique"),
    (400, {"error": {"error": {"message": "deep"}}}, BadRequestError, 400, "deep"),
    (400, {"error": {"message": json.dumps({"error": {"message": "deeper"}})}}, BadRequestError,
     400, "deeper"),
    # 413
    (413, {"error": {"code": "tokens_limit_reached", "message": "Request body too large for"
                     " gpt-4o model. Max size: 8000 tokens."}}, PromptTooLongError, 400,
     "^prompt is too long .*8000"),
    (413, {"error": {"message": "Request too large for model `x` on tokens per minute (TPM):"
                     " Limit 6000, Requested 9200, please reduce your message size and try again.",
                     "type": "tokens", "code": "rate_limit_exceeded"}}, RateLimitedError, 429,
     "reduce your message size"),
    (413, "<html><head><title>413 Request Entity Too Large</title></head></html>",
     RefusedSizeError, 413, "413 Request Entity Too Large"),
    (413, "", RefusedSizeError, 413, "empty body"),
    # billing
    (403, {"error": {"message": "Your account balance is insufficient", "type":
                     "exceeded_current_quota_error"}}, BillingError, 402, "add credit"),
    (429, {"error": {"code": "1113", "message": "Insufficient balance or no resource package."
                     " Please recharge."}}, BillingError, 402, "recharge"),
    (429, {"error": {"code": "1308", "message": "Usage limit reached for 5 hour. Your limit will"
                     " reset at 2026-11-26 03:00:00"}}, BillingError, 402, "Usage limit"),
    (400, {"code": "Arrearage", "message": "Access denied, please make sure your account is in"
           " good standing."}, BillingError, 402, "good standing"),
    (402, "<h1>Payment Required</h1>", BillingError, 402, "Payment Required"),
    # rate limits
    (429, {"error": {"code": "1302", "message": "High concurrency usage of this API"}},
     RateLimitedError, 429, "concurrency"),
    (429, "", RateLimitedError, 429, "Too Many Requests, with an empty body"),
    (429, {"error": {"message": "Your account reached max RPM", "type":
                     "rate_limit_reached_error"}}, RateLimitedError, 429, "max RPM"),
    # nothing that could be read
    (502, b"\xff\xfe\x00bad \xe9", UpstreamServerError, 502, "bad"),
    (500, '{"error":{"message":"CUDA out of memory. Tried to alloc', UpstreamServerError, 500,
     "CUDA out of memory"),
    (400, b'\xef\xbb\xbf{"error":{"message":"with a BOM"}}', BadRequestError, 400, "a BOM"),
    (503, 'event: error\ndata: {"error":{"message":"Loading model","code":503}}\n\n',
     OverloadedError, 529, "Loading model"),
    (503, "upstream connect error or disconnect/reset before headers. reset reason: overflow",
     OverloadedError, 529, "reset reason: overflow"),
    (520, "", UpstreamServerError, 502, "520"),
    (522, "error code: 522", StalledError, 504, "522"),
    (504, "<html><head><title>504 Gateway Time-out</title></head></html>", StalledError, 504,
     "504 Gateway Time-out"),
    (408, {"error": {"message": "request timed out"}}, StalledError, 504, "timed out"),
    (403, "<!DOCTYPE html><html><head><title>Just a moment...</title></head></html>",
     RefusedPermissionError, 403, "Just a moment"),
    (404, "404 page not found", RefusedModelError, 404, "base URL"),
    (405, {"detail": "Method Not Allowed"}, BadRequestError, 400, "Method Not Allowed"),
    (307, "", UpstreamServerError, 502, "check the base URL https://api.prov.test/v1"),
    (200, "<html><head><title>Sign in</title></head></html>", UpstreamServerError, 502,
     "an HTML page in the place of an answer: Sign in"),
    (200, "", UpstreamServerError, 502, "empty body"),
    (200, {"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}},
     BillingError, 402, "insufficient balance"),
    (200, {"base_resp": {"status_code": 1039, "status_msg": "token limit"}}, RateLimitedError,
     429, "token limit"),
    # wrong types everywhere
    (400, {"error": {"message": ["a", {"msg": "b"}], "code": {}, "type": [], "param": 7}},
     BadRequestError, 400, "a; b"),
    (400, {"error": 17, "status": True, "metadata": [], "details": {"x": 1}}, BadRequestError,
     400, "17"),
    (400, "null", BadRequestError, 400, "Bad Request, with no reason given"),
    (500, {"error": {"code": 10**400, "message": 1e308, "metadata": {"headers": {"a": None}}}},
     UpstreamServerError, 500, "500"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("http", "body", "kind", "status", "has"),
    REFUSALS,
    ids=[f"{i:02}-{row[0]}-{row[2].__name__}" for i, row in enumerate(REFUSALS)],
)
def test_a_refusal_is_understood_in_any_shape(http, body, kind, status, has):
    if isinstance(body, str):
        body = body.encode()
    elif not isinstance(body, bytes):
        body = json.dumps(body).encode()
    error = refusal(SOURCE, http, {}, body)
    assert type(error) is kind
    assert error.status == status
    assert re.search(has, error.message), error.message
    assert "Prov (x/y)" in error.message
    assert "<" not in error.message


# (the error, class, status, what the message has)
IN_STREAM = [
    ({"code": 502, "message": "Upstream error from Prov: connection reset",
      "metadata": {"error_type": "provider_unavailable"}}, UpstreamServerError, 502, "reset"),
    ({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}},
     OverloadedError, 529, "Overloaded"),
    ({"type": "rate_limit_error", "message": "slow down"}, RateLimitedError, 429, "slow down"),
    ({"message": "bad params (2013)", "http_code": "400"}, BadRequestError, 400, "2013"),
    ({"message": "Failed to call a function.", "type": "invalid_request_error",
      "code": "tool_use_failed", "failed_generation": "<function=Read>{", "status_code": 400},
     UpstreamServerError, 502, "failed_generation: <function=Read>{"),
    ({"message": "x", "metadata": {"error_type": "provider_overloaded"}}, OverloadedError, 529, "x"),
    ({"message": "x", "metadata": {"error_type": "rate_limit_exceeded"}}, RateLimitedError, 429, "x"),
    ({"message": "x", "metadata": {"error_type": "context_length_exceeded"}}, PromptTooLongError,
     400, "^prompt is too long"),
    ({"message": "x", "metadata": {"error_type": "authentication"}}, RefusedKeyError, 401, "x"),
    ({"message": "x", "metadata": {"error_type": "payment_required"}}, BillingError, 402, "x"),
    ({"message": "x", "metadata": {"error_type": "timeout"}}, StalledError, 504, "x"),
    ({"message": "x", "metadata": {"error_type": "not_found"}}, RefusedModelError, 404, "x"),
    ({"message": "x", "metadata": {"error_type": "permission_denied"}}, RefusedPermissionError,
     403, "x"),
    ({"message": "x", "metadata": {"error_type": "content_policy_violation"}}, BadRequestError,
     400, "x"),
    ({"message": "x", "metadata": {"error_type": "unmapped"}}, UpstreamServerError, 502, "x"),
    ({"message": "x", "type": "InternalServerError", "code": 500}, UpstreamServerError, 500, "x"),
    ({"message": "x", "type": "server_error"}, UpstreamServerError, 502, "x"),
    ("Model unloaded.", UpstreamServerError, 502, "Model unloaded"),
    ("", UpstreamServerError, 502, "no reason given"),
    ({}, UpstreamServerError, 502, "no reason given"),
    (None, UpstreamServerError, 502, "no reason given"),
    (True, UpstreamServerError, 502, "no reason given"),
    (503, OverloadedError, 529, "503"),
    ([{"error": {"code": 503, "status": "UNAVAILABLE", "message": "high demand"}}],
     OverloadedError, 529, "high demand"),
    ({"base_resp": {"status_code": 1002, "status_msg": "rate limit"}}, RateLimitedError, 429, "rate"),
    ({"object": "error", "message": "aborted by the scheduler", "code": 503}, OverloadedError, 529,
     "aborted"),
    ({"detail": "Internal Server Error"}, UpstreamServerError, 502, "Internal Server Error"),
    ({"error": {"message": "upstream connect error. reset reason: overflow", "code": "503"},
      "choices": []}, OverloadedError, 529, "overflow"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "kind", "status", "has"),
    IN_STREAM,
    ids=[f"{i:02}-{row[1].__name__}" for i, row in enumerate(IN_STREAM)],
)
def test_an_error_in_a_stream_is_understood_in_any_shape(value, kind, status, has):
    for form in (value, {"error": value}, json.dumps(value).encode()):
        error = in_stream(SOURCE, form)
        assert type(error) is kind
        assert error.status == status
        assert re.search(has, error.message), error.message
        assert "Prov (x/y)" in error.message


def test_the_status_that_the_caller_knows_counts_more_than_the_one_in_the_object():
    error = in_stream(SOURCE, {"message": "no", "code": 500}, status=429)
    assert type(error) is RateLimitedError


def test_a_200_says_nothing_against_the_status_in_the_object():
    error = in_stream(SOURCE, {"message": "no", "code": 429}, status=200)
    assert type(error) is RateLimitedError


@pytest.mark.parametrize(
    "value",
    [
        {"error": {"message": "x"}},
        {"error": "x"},
        [{"error": {"code": 503}}],
        {"type": "error", "error": {}},
        {"object": "error", "message": "x"},
        {"base_resp": {"status_code": 1002, "status_msg": "x"}},
        {"detail": "Not Found"},
        {"message": "no Route matched with those values"},
        {"status": 500, "title": "Internal Server Error"},
        {"error": {"code": 502}, "choices": [{"delta": {"content": ""}}]},
        {"code": 429, "msg": "slow down", "success": False},
    ],
)
def test_a_body_that_reports_an_error_is_seen(value):
    assert is_error_body(value)


@pytest.mark.parametrize(
    "value",
    [
        {"choices": []},
        {"choices": [{"delta": {"content": "error"}}], "error": None},
        {"choices": [], "base_resp": {"status_code": 0, "status_msg": ""}},
        {"choices": [], "usage": {"prompt_tokens": 500}, "error": {}},
        {"id": "c1", "object": "chat.completion.chunk", "usage": {"prompt_tokens": 3}},
        {"type": "ping"},
        {"error": ""},
        {},
        [],
        [{"choices": []}],
        None,
        "error",
        500,
    ],
)
def test_a_body_that_reports_none_is_left_alone(value):
    assert not is_error_body(value)


@pytest.mark.parametrize(
    ("status", "body", "retryable"),
    [
        (500, {"error": {"message": "Image input is not supported - hint: you may need to provide"
                         " the mmproj"}}, False),
        (500, {"error": {"message": "input (9 tokens) is too large to process."}}, False),
        (500, {"error": {"message": "tools param requires --jinja flag"}}, False),
        (500, {"error": {"message": "unhashable type: 'dict'"}}, False),
        (500, {"error": "model requires more system memory (5.6 GiB) than is available"}, False),
        (500, {"error": {"message": "CUDA error"}}, True),
        (501, {"error": {"message": "not implemented"}}, False),
        (503, {"error": {"message": "Loading model"}}, True),
        (498, "", True),
        (529, "", True),
        (502, "", True),
        (301, "", False),
        (200, "<html></html>", True),
        (400, {"error": {"message": "no"}}, False),
        (429, {"error": {"message": "slow down"}}, True),
        (429, {"error": {"message": "Rate limit reached on requests per day (RPD)"}}, False),
        (429, {"error": {"message": "Rate limit reached on tokens per day (TPD). Please try again"
                         " in 5h3m."}}, False),
        (429, {"error": {"message": "Rate limit reached on tokens per day (TPD). Please try again"
                         " in 12m3s."}}, True),
        (429, {"error": {"message": "Rate limit of 150 per 86400s exceeded for UserByModelByDay."
                         " Please wait 39000 seconds before retrying."}}, False),
        (429, [{"error": {"message": "Quota exceeded for metric: free_tier_requests, limit: 0"}}],
         False),
        (413, {"error": {"message": "on tokens per minute (TPM): Limit 6000, Requested 9000"}},
         False),
    ],
)  # fmt: skip
def test_what_another_attempt_can_not_mend_is_not_tried_again(status, body, retryable):
    raw = body if isinstance(body, str) else json.dumps(body)
    assert refusal(SOURCE, status, {}, raw.encode()).retryable is retryable
