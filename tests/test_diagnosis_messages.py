"""What the person reads, and what the client must not find in it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.diagnosis.verdict import Source, finish_error, in_stream, refusal
from fcc.errors import OverloadedError, PromptTooLongError, RateLimitedError, UpstreamServerError

SOURCE = Source("NVIDIA NIM", "z-ai/glm-5", "NVIDIA_API_KEY", "https://integrate.test/v1")

# What Claude Code 2.1.330 takes for an overflow, in any letter case.
ALARMS = [
    "prompt is too long",
    "input is too long for requested model",
    "maximum context length",
    "context_length_exceeded",
    "exceeds the context window",
    "contextwindowexceedederror",
    "longer than the maximum model length",
    "longer than the model's context length",
    "exceeds the available context size",
    "exceeds the maximum number of tokens allowed",
    "exceeded model token limit",
    "input token length too long",
    "input tokens exceed the configured limit",
    "maximum context limit",
    "maximum prompt length",
    "prompt exceeds max length",
    "tokens in request more than max tokens allowed",
    "range of input length should be",
    "context window exceeds limit",
    "but model only supports up to",
    "reduce the length of the messages",
    "`inputs` tokens + `max_new_tokens` must be",
    "context exceeds your deployment",
]


def said(message, **more):
    return json.dumps({"error": {"message": message, **more}}).encode()


@pytest.mark.parametrize("alarm", ALARMS)
@pytest.mark.parametrize("status", [402, 403, 429])
def test_an_error_that_is_no_overflow_does_not_make_the_client_compact(alarm, status):
    for phrase in (alarm, alarm.upper(), alarm.replace(" ", "\n"), f"{alarm} {alarm}"):
        error = refusal(SOURCE, status, {}, said(phrase))
        assert not isinstance(error, PromptTooLongError)
        assert not any(other in error.message.lower() for other in ALARMS), error.message


@pytest.mark.parametrize("alarm", ALARMS)
def test_a_rate_limit_in_tokens_does_not_make_the_client_compact(alarm):
    text = f"Rate limit on tokens per minute (TPM): {alarm}"
    for error in (
        refusal(SOURCE, 413, {}, said(text)),
        in_stream(SOURCE, {"message": text, "code": 429}),
        finish_error(SOURCE, alarm),
        refusal(Source(alarm, alarm, alarm, alarm), 404, {}, b"no"),
    ):
        assert not any(other in error.message.lower() for other in ALARMS), error.message
        assert "context window" not in error.message.lower()


@pytest.mark.parametrize("alarm", ALARMS)
def test_a_client_that_can_ask_for_less_output_is_not_made_to_compact(alarm):
    text = (
        f"maximum context length is 4096 tokens. You requested 5000 tokens (2000 in the messages,"
        f" 3000 in the completion). {alarm}"
    )
    error = refusal(SOURCE, 400, {}, said(text))
    head = "input length and `max_tokens` exceed context limit: 2000 + 3000 > 4096 "
    assert error.message.startswith(head)
    assert not any(other in error.message.lower() for other in ALARMS), error.message


@given(st.lists(st.sampled_from([*ALARMS, " ", "x", "\n", "-"]), max_size=8), st.booleans())
def test_no_mixture_of_phrases_makes_the_client_compact(phrases, spaced):
    text = (" " if spaced else "").join(phrases)
    error = refusal(SOURCE, 429, {}, said(text))
    assert not any(alarm in error.message.lower() for alarm in ALARMS)


@pytest.mark.parametrize(
    ("status", "message", "step"),
    [
        (401, "Unauthorized", "set NVIDIA_API_KEY to a key that NVIDIA NIM accepts"),
        (404, "Not found for account 'xyz'", "`fcc doctor`"),
        (402, "no more", "add credit or raise the limit at NVIDIA NIM"),
        (429, "slow down", "wait a moment, or use another model"),
        (503, "busy", "wait a moment, or use another model"),
        (400, '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser',
         "this server can't call tools: start vLLM with --enable-auto-tool-choice"),
        (500, "tools param requires --jinja flag", "start llama-server with --jinja"),
        (500, "input (9 tokens) is too large to process.", "--ubatch-size"),
        (500, "image input is not supported", "a model that sees images"),
        (404, "No endpoints found that support tool use.", "a model that can call tools"),
        (400, "max_tokens: at most 8192 completion tokens",
         "CLAUDE_CODE_MAX_OUTPUT_TOKENS to at most 8192"),
    ],
)  # fmt: skip
def test_the_next_step_stands_at_the_end_of_the_message(status, message, step):
    text = refusal(SOURCE, status, {}, said(message)).message
    assert text.startswith(f"NVIDIA NIM (z-ai/glm-5) answered {status}: {message[:15]}")
    assert step in text.rpartition("; ")[2]
    assert not text.endswith(".")


def test_without_a_key_variable_the_message_names_the_doctor():
    assert "fcc doctor" in refusal(Source("P", "m"), 401, {}, said("no")).message


def test_a_source_without_words_still_makes_a_sentence():
    assert refusal(Source("", ""), 500, {}, b"").message.startswith("the provider answered 500: ")


def test_a_long_text_is_cut_in_its_middle():
    text = refusal(SOURCE, 500, {}, said("begin " + "x" * 5000 + " the end")).message
    assert len(text) < 750
    assert "begin" in text
    assert text.endswith("the end")


def test_a_long_generation_that_could_not_be_read_is_left_out():
    error = {"message": "m", "code": "tool_use_failed", "failed_generation": "g" * 5000}
    assert "ggg" not in in_stream(SOURCE, error).message


@pytest.mark.parametrize(
    ("page", "shown"),
    [
        ("<html><head><title>502 Bad Gateway</title></head><body><h1>nginx</h1></body></html>",
         "502 Bad Gateway"),
        ("<html><body><h1>Error</h1><p>long</p></body></html>", "Error"),
        ("<html><body>502 <b>Bad</b> Gateway</body></html>", "502 Bad Gateway"),
        ("<!DOCTYPE html>\n<html lang=en>\n<TITLE lang=en>A &amp; B</TITLE>", "A & B"),
        ("<html><script>alert('x')</script><style>p{}</style><p>Down</p></html>", "Down"),
        ("<html><title></title><h1 class='x'>Sorry</h1>", "Sorry"),
        ("<html><title>cut o", "cut o"),
    ],
)  # fmt: skip
def test_of_a_page_its_heading_is_shown(page, shown):
    assert refusal(SOURCE, 502, {}, page.encode()).message.endswith(f"answered 502: {shown}")


def test_a_page_that_talks_of_limits_is_judged_by_its_status_alone():
    page = b"<html><title>Oops</title>rate limit, maximum context length, invalid api key</html>"
    assert type(refusal(SOURCE, 502, {}, page)) is UpstreamServerError
    assert type(refusal(SOURCE, 503, {}, page)) is OverloadedError


def test_control_characters_do_not_reach_the_terminal():
    text = refusal(SOURCE, 500, {}, said("a\x1b[31mred\x00\u202eb\nc")).message
    assert text.isprintable()


def test_a_text_with_lone_surrogates_can_be_sent():
    text = in_stream(SOURCE, {"message": "a\ud800b"}).message
    assert text.encode()


def test_the_words_of_the_upstreams_upstream_are_preferred():
    raw = "z-ai/glm is temporarily rate-limited upstream. Please retry shortly"
    error = refusal(SOURCE, 429, {}, said("Provider returned error", metadata={"raw": raw}))
    assert type(error) is RateLimitedError
    assert "temporarily rate-limited upstream" in error.message
    assert "Provider returned error" not in error.message


def test_a_message_that_says_something_is_not_replaced():
    error = refusal(SOURCE, 400, {}, said("tools are broken", metadata={"raw": "other"}))
    assert "tools are broken" in error.message


@pytest.mark.parametrize("status", [307, 404])
def test_a_base_url_is_named_without_its_password(status):
    source = Source("P", "m", base_url="https://me:hunter22@host.test/v1")
    text = refusal(source, status, {}, b"no").message
    assert "https://***@host.test/v1" in text
    assert "hunter22" not in text


def test_a_base_url_that_is_none_does_no_harm():
    assert refusal(Source("P", "m", base_url="http://[bad"), 413, {}, b"").status == 413
