"""Every recorded error body and error stream comes out as its expectation says."""

import json
import re
from pathlib import Path

import pytest

from fcc.diagnosis.verdict import Fix, Source, finish_error, fix, in_stream, is_error_body, refusal
from fcc.errors import UpstreamError

FIXTURES = Path(__file__).parent / "fixtures"
ERRORS = json.loads((FIXTURES / "errors.json").read_text())
NOW = 1_795_000_000.0


def body_of(entry):
    body = entry["body"]
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def source_of(entry):
    cerebras = entry["provider"] == "cerebras"
    return Source(entry["provider"], "some/model", "SOME_API_KEY", "http://h:1/v1", cerebras)


def error_ids():
    return [f"{i:02}-{entry['provider']}-{entry['status']}" for i, entry in enumerate(ERRORS)]


@pytest.mark.parametrize("entry", ERRORS, ids=error_ids())
def test_a_recorded_refusal_becomes_what_its_expectation_says(entry):
    error = refusal(source_of(entry), entry["status"], entry["headers"], body_of(entry), now=NOW)
    expect = entry["expect"]
    assert (error.status, error.error_type) == (expect["status"], expect["type"])
    assert re.search(expect["message_matches"], error.message)
    assert error.retryable is expect["retryable"]
    if "retry_after" in expect:
        assert error.retry_after == expect["retry_after"]


@pytest.mark.parametrize("entry", ERRORS, ids=error_ids())
def test_a_recorded_body_means_the_same_inside_a_200(entry):
    body = entry["body"]
    if isinstance(body, str) or "0a1b" in str(body):
        pytest.skip("not JSON, or the status is told by HTTP alone")
    assert is_error_body(body)
    error = in_stream(source_of(entry), body, status=entry["status"])
    assert (error.status, error.error_type) == (entry["expect"]["status"], entry["expect"]["type"])


@pytest.mark.parametrize("entry", ERRORS, ids=error_ids())
def test_a_recorded_refusal_tells_how_to_mend_the_request(entry):
    mend = fix(entry["status"], body_of(entry))
    expect = entry["expect"]
    if expect.get("clamp_and_retry"):
        assert mend is not None
        assert mend.max_tokens is not None
        assert 0 < mend.max_tokens < 64000
    elif "strip_and_retry" in expect:
        assert mend == Fix(drop_field=expect["strip_and_retry"])
    else:
        assert mend is None


def recorded_streams():
    """Streams whose error is told by an object in them, with that object."""
    for path in sorted((FIXTURES / "streams").glob("*.expect.json")):
        expect = json.loads(path.read_text())
        if not expect.get("error"):
            continue
        sse = path.with_name(path.name.replace(".expect.json", ".sse")).read_text()
        for line in sse.splitlines():
            if line.startswith(("data: {", "data: [{")):
                chunk = json.loads(line.removeprefix("data: "))
                if is_error_body(chunk):
                    yield pytest.param(chunk, expect["error"], id=expect["case"])


@pytest.mark.parametrize(("chunk", "expect"), list(recorded_streams()))
def test_a_recorded_error_in_a_stream_becomes_what_its_expectation_says(chunk, expect):
    source = Source("Prov", "some/model")
    inner = chunk["error"] if isinstance(chunk, dict) else chunk[0]["error"]
    for value in (chunk, inner, json.dumps(chunk), json.dumps(inner).encode()):
        error = in_stream(source, value)
        assert error.status == expect["http_status_if_unstarted"]
        assert error.error_type == expect["type"]
        assert re.search(expect["message_matches"], error.message)


def test_there_are_recorded_errors_in_streams():
    assert len(list(recorded_streams())) >= 10


@pytest.mark.parametrize(
    ("reason", "status", "type"),
    [
        ("error", 502, "api_error"),
        ("abort", 502, "api_error"),
        ("network_error", 502, "api_error"),
        ("insufficient_system_resource", 529, "overloaded_error"),
        ("", 502, "api_error"),
    ],
)
def test_a_finish_reason_that_means_failure_names_itself(reason, status, type):
    error = finish_error(Source("Z.ai", "glm-5"), reason)
    assert isinstance(error, UpstreamError)
    assert (error.status, error.error_type) == (status, type)
    assert "Z.ai (glm-5)" in error.message
    assert reason in error.message
