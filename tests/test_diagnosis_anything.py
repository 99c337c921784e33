"""Whatever a provider sends, it becomes an error with a message."""

import json
import math

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.diagnosis.verdict import Source, finish_error, fix, in_stream, is_error_body, refusal
from fcc.errors import UpstreamError

SOURCE = Source("P", "m", "P_API_KEY", "https://api.p.test/v1")

KEYS = st.sampled_from(
    [
        "error",
        "message",
        "detail",
        "details",
        "code",
        "type",
        "status",
        "metadata",
        "raw",
        "headers",
        "param",
        "base_resp",
        "status_code",
        "status_msg",
        "failed_generation",
        "retryDelay",
        "violations",
        "errors",
        "msg",
        "loc",
        "title",
        "choices",
        "http_code",
        "error_type",
        "n_ctx",
        "n_prompt_tokens",
        "object",
        "reason",
        "quotaId",
        "response",
    ]
)
TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "maximum context length is 10 tokens, you requested 20 tokens",
            "try again in 5s",
            "max_tokens must be at most 8",
            "[{'loc': ('body', 'x'), 'msg': 'Extra inputs are not permitted'",
            '{"error": {"message": "in a string", "code": 429}}',
            "<html><title>x",
            "rate_limit_exceeded",
            "429",
            "9" * 400,
            "Limit 10, Requested 20 tokens per minute",
        ]
    ),
)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([400, 429, 500, 503, 10**400, -1]),
    st.floats(),
    TEXTS,
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(KEYS, TEXTS), inner, max_size=6)
    ),
    max_leaves=25,
)
STATUSES = st.one_of(st.integers(100, 999), st.sampled_from([200, 400, 413, 422, 429, 500, 503]))
HEADERS = st.dictionaries(
    st.sampled_from(["Retry-After", "retry-after-ms", "X-RateLimit-Reset", "ratelimit-reset-x"]),
    st.one_of(st.text(max_size=30), st.floats().map(str), st.integers().map(str)),
)
NOW = st.one_of(st.none(), st.floats())


def check(error):
    assert isinstance(error, UpstreamError)
    assert error.message.strip()
    assert error.message.isprintable()
    assert len(error.message) < 2000
    assert error.message.encode()
    assert 400 <= error.status < 600
    wait = error.retry_after
    assert wait is None or (wait >= 0 and math.isfinite(wait))


@given(STATUSES, HEADERS, st.one_of(st.binary(), TEXTS), NOW)
def test_any_body_makes_a_refusal(status, headers, body, now):
    raw = body if isinstance(body, bytes) else body.encode("utf-8", "replace")
    check(refusal(SOURCE, status, headers, raw, now=now))
    fix(status, raw)


@given(STATUSES, HEADERS, VALUES, st.integers(0, 400), NOW)
def test_any_json_makes_a_refusal_whole_or_cut(status, headers, value, cut, now):
    try:
        raw = json.dumps(value).encode()
    except ValueError:
        return
    for body in (raw, raw[:cut]):
        check(refusal(SOURCE, status, headers, body, now=now))
        fix(status, body)


@given(VALUES, st.one_of(st.none(), STATUSES))
def test_any_value_makes_an_error_in_a_stream(value, status):
    check(in_stream(SOURCE, value, status=status))
    check(in_stream(SOURCE, {"error": value}, status=status))
    assert isinstance(is_error_body(value), bool)


@given(st.text())
def test_any_finish_reason_makes_an_error(reason):
    check(finish_error(SOURCE, reason))


@pytest.mark.parametrize("depth", [20, 900, 20_000])
def test_depth_is_no_danger(depth):
    for opening, closing in (("[", "]"), ('{"error":', "}")):
        raw = (opening * depth + '"x"' + closing * depth).encode()
        check(refusal(SOURCE, 400, {}, raw))
    value: object = "x"
    for _ in range(depth):
        value = {"error": [value]}
    check(in_stream(SOURCE, value))


def test_a_value_of_another_type_is_an_error_without_a_reason():
    check(in_stream(SOURCE, object()))
    check(in_stream(SOURCE, 10**5000))
    check(in_stream(SOURCE, {"code": 10**5000, "error": {"retry_after": 10**5000}}))
    check(in_stream(SOURCE, msgspec.Raw(b'{"message":"raw"}')))
    assert "raw" in in_stream(SOURCE, msgspec.Raw(b'{"message":"raw"}')).message


@pytest.mark.parametrize("unit", ["a", "[", '"', "<script", "1,", "max_tokens ", "in the ", "sk-"])
def test_a_large_body_costs_no_more_than_a_small_one(unit):
    raw = (unit * 2_000_000)[:2_000_000].encode()
    check(refusal(SOURCE, 400, {}, raw))
    check(refusal(SOURCE, 400, {}, json.dumps({"error": raw.decode()}).encode()))
    fix(400, raw)
