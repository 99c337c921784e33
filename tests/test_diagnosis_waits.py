"""What a provider says about waiting, in headers and in sentences."""

import json

import pytest

from fcc.diagnosis.verdict import Source, refusal
from fcc.diagnosis.waits import retry_after

NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "6"}, 6),
        ({"Retry-After": "1.5"}, 1.5),
        ({"RETRY-AFTER": " 20 "}, 20),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "30s"}, 30),
        ({"retry-after-ms": "1500", "retry-after": "9"}, 1.5),
        ({"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"}, 30),
        ({"retry-after": "2026-09-21T14:13:50Z"}, 30),
        ({"x-ratelimit-reset": "1790000030000"}, 30),
        ({"X-RateLimit-Reset": "1790000030"}, 30),
        ({"x-ratelimit-reset": "30"}, 30),
        ({"ratelimit-reset": "30"}, 30),
        ({"x-ratelimit-reset-requests": "2m59.56s"}, 179.56),
        ({"x-ratelimit-reset-tokens": "6ms"}, 0.006),
        ({"x-ratelimit-reset-requests": "1h2m3s", "x-ratelimit-reset-tokens": "5.3s",
          "x-ratelimit-remaining-requests": "10", "x-ratelimit-remaining-tokens": "0"}, 5.3),
        ({"x-ratelimit-reset-requests": "1h2m3s", "x-ratelimit-reset-tokens": "5.3s",
          "x-ratelimit-remaining-requests": "0", "x-ratelimit-remaining-tokens": "7"}, 3723),
        ({"x-ratelimit-reset-requests": "1h2m3s", "x-ratelimit-reset-tokens": "5.3s",
          "x-ratelimit-remaining-requests": "3", "x-ratelimit-remaining-tokens": "7"}, 5.3),
    ],
)  # fmt: skip
def test_a_header_tells_the_wait(headers, seconds):
    assert retry_after(headers, "", now=NOW) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"retry-after": ""},
        {"retry-after": "soon"},
        {"retry-after": "-5"},
        {"retry-after": "nan"},
        {"retry-after": "inf"},
        {"retry-after": "1e999"},
        {"retry-after": "٣"},
        {"retry-after": "9" * 500},
        {"retry-after": "Mon, 99 Foo 2026"},
        {"retry-after": "Mon, 21 Sep 2026 14:12:50 GMT"},
        {"x-ratelimit-reset": "1789999999"},
        {"x-ratelimit-limit": "50"},
    ],
)
def test_a_header_that_says_nothing_useful_is_no_wait(headers):
    assert retry_after(headers, "", now=NOW) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"retry-after": "Mon, 21 Sep 2026 14:13:50 GMT"},
        {"x-ratelimit-reset": "1790000030000"},
        {"x-ratelimit-reset": "1790000030"},
    ],
)
def test_moments_mean_nothing_without_the_time(headers):
    assert retry_after(headers, "") is None


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Please try again in 5.289s.", 5.289),
        ("Please try again in 7m12s. Visit", 432),
        ("try again in 350ms", 0.35),
        ("try again in 1h2m3.5s", 3723.5),
        ("Please retry after 20 seconds.", 20),
        ("Please retry after 1 minute.", 60),
        ("Please retry in 36.981267s.", 36.981267),
        ("Please wait 39000 seconds before retrying.", 39000),
        ("try again in 1 hour and 5 minutes", 3900),
        ("Your quota will reset after 3h21m5s.", 12065),
        ("Retry-After: 30", 30),
        ('{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s"}', 30),
        ("RETRY AFTER 20 SECONDS", 20),
        ("try again later", None),
        ("try again in a few seconds", None),
        ("try again at 12:30", None),
        ("took 20 seconds", None),
        ("", None),
    ],
)
def test_a_sentence_tells_the_wait(text, seconds):
    assert retry_after({}, text) == (None if seconds is None else pytest.approx(seconds))


def test_the_header_counts_more_than_the_sentence_and_this_more_than_a_reset():
    headers = {"x-ratelimit-reset-tokens": "50s"}
    assert retry_after(headers, "try again in 5.3s") == pytest.approx(5.3)
    assert retry_after({**headers, "retry-after": "6"}, "try again in 5.3s") == 6


def refused(status, headers, body):
    return refusal(Source("P", "m"), status, headers, json.dumps(body).encode(), now=NOW)


def test_gemini_tells_its_delay_in_the_details():
    error = refused(429, {}, [{"error": {"code": 429, "message": "Resource has been exhausted",
        "status": "RESOURCE_EXHAUSTED", "details": [
            {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
                {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"}]},
            {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "30s"}]}}])  # fmt: skip
    assert (error.status, error.retryable, error.retry_after) == (429, True, 30)


def test_geminis_daily_quota_is_no_matter_of_waiting():
    error = refused(429, {}, [{"error": {"code": 429, "message": "Resource has been exhausted",
        "status": "RESOURCE_EXHAUSTED", "details": [{"violations": [
            {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}])  # fmt: skip
    assert (error.status, error.retryable) == (429, False)


def test_openrouter_tells_its_reset_in_the_metadata():
    body = {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-min", "metadata":
            {"headers": {"X-RateLimit-Reset": "1790000030000"}}}}  # fmt: skip
    error = refused(429, {}, body)
    assert (error.retryable, error.retry_after) == (True, 30)


@pytest.mark.parametrize("hours", [2, 20])
def test_a_daily_quota_with_a_far_reset_is_not_waited_for(hours):
    body = {"error": {"code": 429, "message": "Rate limit exceeded: free-models-per-day"}}
    headers = {"X-RateLimit-Reset": str(int((NOW + hours * 3600) * 1000))}
    error = refused(429, headers, body)
    assert (error.retryable, error.retry_after) == (False, None)
    assert f"used up for another {hours} hours" in error.message


def test_the_rate_limit_of_a_key_is_no_wait_for_an_overloaded_provider():
    headers = {"x-ratelimit-reset": "50"}
    assert refused(503, headers, {"error": "busy"}).retry_after is None
    assert refused(503, {**headers, "Retry-After": "4"}, {"error": "busy"}).retry_after == 4
    assert refused(429, headers, {"error": "slow"}).retry_after == 50


def test_what_is_not_tried_again_has_no_wait():
    assert refused(400, {"retry-after": "5"}, {"error": "no"}).retry_after is None


def test_a_model_that_is_loading_tells_how_long():
    error = refused(503, {}, {"error": "Model x is currently loading", "estimated_time": 20.0})
    assert (error.status, error.retry_after) == (529, 20)


@pytest.mark.parametrize(
    ("headers", "permanent"),
    [
        ({"retry-after": "3600"}, False),
        ({"retry-after": "3601"}, True),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "5h3m"}, True),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "50m"}, False),
        ({"x-ratelimit-remaining-requests-day": "0"}, True),
        ({"x-ratelimit-remaining-requests-day": "1"}, False),
        ({"x-ratelimit-remaining-requests-minute": "0"}, False),
        ({"x-ratelimit-remaining-requests-day": "0", "retry-after": "20"}, False),
    ],
)  # fmt: skip
def test_what_comes_back_in_an_hour_or_more_is_a_quota_whatever_the_words(headers, permanent):
    assert refused(429, headers, {"error": "slow down"}).permanent is permanent
