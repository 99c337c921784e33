"""Does the official SDK hear of what fails as it would from Anthropic, and can it leave?"""

from typing import Any

import anthropic
import pytest
from anthropic import Anthropic

from tests.e2e.script import cue
from tests.e2e.sdk import SDK, WEATHER, answer, ask, texts
from tests.e2e.upstream import Asked, Upstream
from tests.e2e.wire import FAULT

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize(
    ("status", "kind", "errors"),
    [
        (400, "invalid_request_error", ("BadRequestError", "BadRequestError")),
        (401, "authentication_error", ("AuthenticationError", "AuthenticationError")),
        (402, "billing_error", ("APIStatusError", "PaymentRequiredError")),
        (403, "permission_error", ("PermissionDeniedError", "PermissionDeniedError")),
        (404, "not_found_error", ("NotFoundError", "NotFoundError")),
        (413, "request_too_large", ("RequestTooLargeError", "ContentTooLargeError")),
        (422, "invalid_request_error", ("BadRequestError", "BadRequestError")),
        (429, "rate_limit_error", ("RateLimitError", "RateLimitError")),
        (500, "api_error", ("InternalServerError", "InternalServerError")),
        (503, "overloaded_error", ("OverloadedError", "OverloadedError")),
        (529, "overloaded_error", ("OverloadedError", "OverloadedError")),
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["created", "streamed"])
def test_a_refusal_keeps_its_class(
    client: Anthropic, run: str, status: int, kind: str, errors: tuple[str, str], stream: bool
) -> None:
    """`errors` are the classes of the SDK's major versions."""
    with pytest.raises(vars(anthropic)[errors[SDK - 1]]) as caught:
        client.messages.create(**ask(cue("text", run=run, status=status)), stream=stream)
    refusal = caught.value
    assert isinstance(refusal, anthropic.APIStatusError)
    assert refusal.type == kind
    assert f"scripted refusal {status}" in str(refusal)
    assert refusal.request_id
    assert isinstance(refusal.body, dict)
    assert refusal.body["request_id"] == refusal.request_id
    if status < 429:
        # Nothing but a person can change it, so no client shall try again.
        assert refusal.response.headers["x-should-retry"] == "false"


def test_a_long_retry_after_is_passed_on_at_once(client: Anthropic, run: str) -> None:
    with pytest.raises(anthropic.RateLimitError) as caught:
        client.messages.create(**ask(cue("text", run=run, status=429, retry_after=120)))
    assert 100 < int(caught.value.response.headers["retry-after"]) <= 120


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_passing_refusal_is_never_seen(
    client: Anthropic, upstream: Upstream, run: str, status: int
) -> None:
    message = client.messages.create(**ask(cue("text", run=run, status=status, times=1)))
    assert texts(message) == [answer(run)]
    assert len(upstream.asked(run)) == 2


def test_a_full_context_window_is_told_in_anthropics_words(client: Anthropic, run: str) -> None:
    with pytest.raises(
        anthropic.BadRequestError, match="prompt is too long: 140000 tokens > 131072 maximum"
    ):
        client.messages.create(**ask(cue("text", run=run, overflow=0)))


@pytest.mark.parametrize("fault", ["error", "cut", "end"])
@pytest.mark.parametrize("where", ["text", "reasoning", "arguments"])
def test_a_broken_stream_raises_and_closes_no_call(
    client: Anthropic, run: str, fault: str, where: str
) -> None:
    prompt = cue("weather", run=run, fault=fault, where=where, reasoning="reasoning_content")
    seen: list[Any] = []
    with pytest.raises(anthropic.APIStatusError) as caught:
        for event in client.messages.create(**ask(prompt, tools=[WEATHER]), stream=True):
            seen.append(event)  # noqa: PERF402  what came before the error counts
    assert caught.value.type == "api_error"
    if fault == "error":
        assert FAULT in str(caught.value)
    assert not any(event.type in ("message_delta", "message_stop") for event in seen)
    calls = {
        event.index
        for event in seen
        if event.type == "content_block_start" and event.content_block.type == "tool_use"
    }
    stopped = {event.index for event in seen if event.type == "content_block_stop"}
    assert not calls & stopped


@pytest.mark.parametrize("fault", ["error", "cut", "end"])
def test_a_broken_stream_is_asked_for_again_while_nobody_has_seen_it(
    client: Anthropic, upstream: Upstream, run: str, fault: str
) -> None:
    prompt = cue("text", run=run, fault=fault, where="start", times=1)
    with client.messages.stream(**ask(prompt)) as stream:
        assert texts(stream.get_final_message()) == [answer(run)]
    assert len(upstream.asked(run)) == 2


@pytest.mark.parametrize("fault", ["error", "cut", "end"])
def test_a_whole_message_is_never_a_broken_one(client: Anthropic, run: str, fault: str) -> None:
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**ask(cue("text", run=run, fault=fault)))
    assert caught.value.status_code >= 500


def test_closing_a_stream_closes_the_upstream(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    with client.messages.stream(**ask(cue("words", run=run, pause=0.1))) as stream:
        assert next(iter(stream.text_stream))
    assert upstream.until(run, _ended, 1) is not None
    assert upstream.asked(run)[-1].end == "left"


def test_a_client_that_gives_up_waiting_closes_the_upstream(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    with pytest.raises(anthropic.APITimeoutError):
        client.with_options(timeout=0.7).messages.create(**ask(cue("words", run=run, pause=0.1)))
    assert upstream.until(run, _ended, 1) is not None
    assert upstream.asked(run)[-1].end == "left"


@pytest.mark.slow  # The response is opened after ten seconds of silence.
def test_a_silent_provider_does_not_look_like_a_dead_one(
    client: Anthropic, upstream: Upstream, run: str
) -> None:
    with client.messages.create(**ask(cue("text", run=run, stall=13)), stream=True) as stream:
        events = iter(stream)
        assert next(events).type == "message_start"
        assert upstream.asked(run)[-1].writes == 0
        assert [event.type for event in events][-1] == "message_stop"


def _ended(asked: Asked) -> bool:
    return asked.end != ""
