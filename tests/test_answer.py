"""The client's side of a streamed answer: when its head goes out, and what keeps it alive."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from fcc.errors import CutError, FccError, OverloadedError, StalledError, UpstreamServerError
from fcc.server.answer import OPEN_AT_LAST, PING_EVERY, PINGS_IN_A_ROW
from fcc.server.gateway import GATEWAY
from fcc.settings.limits import Limits, Retry, Timeouts
from fcc.settings.profile import Profile
from fcc.upstream.lane import Lane
from tests.clock import now, virtually
from tests.conftest import app_of, profile_of, scripted
from tests.grammar import Seen, content, events_of, read
from tests.scripted import ASKED, CLAUDE_CODE, DONE, Scripted, call, chunk, data, text, usage


def default_lane(client: Any) -> Lane:
    gateway = client.server.app[GATEWAY]
    return gateway.lane(gateway.router.default)


pytestmark = pytest.mark.usefixtures("unblocked")

ONCE = Retry(attempts=1)


class Answer:
    """What a client saw, and at which second."""

    def __init__(self) -> None:
        self.status = 0
        self.head = 0.0
        self.headers: Any = {}
        self.reads: list[tuple[float, bytes]] = []
        self.broken = False

    @property
    def raw(self) -> bytes:
        return b"".join(raw for _, raw in self.reads)

    @property
    def seen(self) -> Seen:
        return read(self.raw)

    def times(self, name: str) -> list[float]:
        """When events of this name came."""
        return [at for at, raw in self.reads for kind, _ in events_of(raw) if kind == name]

    def names(self) -> list[str]:
        return [kind for kind, _ in events_of(self.raw)]


async def ask(client: Any, began: float, headers: Any = None, **fields: Any) -> Answer:
    answer = Answer()
    body = {**ASKED, "stream": True, **fields}
    async with client.post("/v1/messages", json=body, headers=headers) as response:
        answer.status, answer.headers = response.status, response.headers
        answer.head = round(now() - began, 1)
        try:
            while raw := await response.content.readany():
                answer.reads.append((round(now() - began, 1), raw))
        except aiohttp.ClientPayloadError:
            answer.broken = True
    return answer


def play(
    *answers: Any,
    profile: Profile | None = None,
    scene: Callable[[Any, float], Awaitable[Any]] = ask,
    headers: Any = None,
) -> Any:
    """What `scene` sees of an app whose backend gives these answers, on a clock that jumps."""

    async def main() -> Any:
        server = TestServer(app_of(profile or profile_of(retry=ONCE)))
        async with TestClient(server, timeout=aiohttp.ClientTimeout(total=None)) as client:
            scripted(server.app, Scripted(*answers))
            if scene is ask:
                return await ask(client, now(), headers)
            return await scene(client, now())

    return virtually(main())


def test_a_stream_has_the_headers_that_keep_it_a_stream() -> None:
    got = play(text("hi"))
    assert got.status == 200
    assert got.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert got.headers["Cache-Control"] == "no-cache"
    assert got.headers["X-Accel-Buffering"] == "no"
    assert got.headers["request-id"].startswith("req_")
    assert content(got.seen) == [{"type": "text", "text": "hi"}]


def test_message_start_names_the_model_that_was_asked_for_and_counts_the_input() -> None:
    message = play([*text("hi")[:-1], usage(50, 3), DONE]).seen.message
    assert message["model"] == ASKED["model"]
    assert message["type"] == "message"
    assert message["role"] == "assistant"
    assert message["usage"]["input_tokens"] > 0
    assert message["stop_reason"] is None


def test_the_head_waits_for_the_first_content() -> None:
    steps = [chunk(role="assistant"), 4.0, chunk(content=""), 4.0, *text("hi")]
    got = play(steps)
    assert got.head == 8
    assert got.times("message_start") == [8]


def test_a_chunk_reaches_the_client_when_it_comes() -> None:
    got = play([chunk(content="a"), 3.0, chunk(content="b"), 3.0, chunk("stop"), DONE])
    assert got.times("content_block_delta") == [0, 3]
    assert got.times("message_stop") == [6]


def test_an_error_before_the_first_content_keeps_its_status() -> None:
    got = play([chunk(role="assistant"), 9.0, data({"error": {"message": "x", "code": 503}})])
    assert (got.status, got.head) == (529, 9)


def test_silence_opens_the_answer_and_pings_follow() -> None:
    got = play([95.0, *text("hi")])
    assert (got.status, got.head) == (200, 10)
    assert got.times("message_start") == [10]
    assert got.times("ping") == [30, 50, 70, 90]
    assert got.times("content_block_start") == [95]
    assert got.names().count("message_start") == 1
    assert content(got.seen) == [{"type": "text", "text": "hi"}]


def test_an_error_after_silence_is_an_event() -> None:
    got = play([15.0, data({"error": {"message": "gone", "code": 503}})])
    assert got.status == 200
    assert got.names() == ["message_start", "error"]
    assert got.seen.error["type"] == "overloaded_error"
    assert got.seen.error["message"].endswith(f"(request_id={got.headers['request-id']})")


def test_a_profile_says_how_long_silence_may_last() -> None:
    got = play([15.0, *text("hi")], profile=profile_of(timeouts=Timeouts(commit_after=2.0)))
    assert got.head == 2


def test_events_are_no_silence() -> None:
    steps: list[Any] = []
    for _ in range(10):
        steps += [chunk(content="x"), PING_EVERY - 5]
    got = play([*steps, *text("end")])
    assert got.times("ping") == []


def test_pings_follow_silence_after_the_last_event() -> None:
    got = play([chunk(content="x"), 7.0, chunk(content="y"), 50.0, *text("z")])
    assert got.times("ping") == [27, 47]


@pytest.mark.parametrize(
    ("said", "delta"),
    [
        ([chunk(content="x")], {"type": "text_delta", "text": ""}),
        ([chunk(reasoning="x")], {"type": "thinking_delta", "thinking": ""}),
    ],
)
def test_after_many_pings_an_empty_delta_starts_the_count_anew(said: Any, delta: Any) -> None:
    got = play([*said, 60 * PING_EVERY + 1, *text("end")])
    signs = [(kind, event.get("delta")) for kind, event in events_of(got.raw)]
    quiet = [sign for sign in signs if sign[0] == "ping" or sign == ("content_block_delta", delta)]
    row = longest = 0
    for kind, _ in quiet:
        row = row + 1 if kind == "ping" else 0
        longest = max(longest, row)
    assert longest == PINGS_IN_A_ROW <= 29
    assert len(quiet) == 60
    assert got.seen.ended


def test_an_open_call_gets_pings_alone() -> None:
    got = play([call('{"a":', name="Read"), 100.0, call("1}"), chunk("tool_calls"), DONE])
    assert got.times("ping") == [20, 40, 60, 80]
    assert got.seen.ended


def test_waiting_for_another_attempt_is_no_silence_of_the_providers() -> None:
    patient = Retry(attempts=3, base=0.0, max_wait=60.0)
    refused = OverloadedError("busy", retry_after=40.0)
    got = play(refused, refused, text("hi"), profile=profile_of(retry=patient))
    assert (got.status, got.head) == (200, 80)
    assert got.names()[0] == "message_start"
    got = play(refused, refused, refused, profile=profile_of(retry=patient))
    assert (got.status, got.head) == (529, 80)


def test_a_wait_for_a_turn_opens_the_answer_before_the_client_gives_up() -> None:
    async def two(client: Any, began: float) -> Answer:
        await ask(client, began)
        return await ask(client, began)

    limits = Limits(requests=1, seconds=400.0)
    got = play(text("hi"), profile=profile_of(limits=limits, retry=ONCE), scene=two)
    assert got.head == OPEN_AT_LAST <= 300
    assert got.times("content_block_start") == [400]
    assert got.times("ping")[0] == OPEN_AT_LAST + PING_EVERY
    assert got.seen.ended


def test_a_client_that_leaves_the_queue_after_minutes_has_taken_nothing() -> None:
    async def three(client: Any, began: float) -> tuple[Answer, Any]:
        await ask(client, began)
        leaver = asyncio.create_task(ask(client, began))
        await asyncio.sleep(1)
        stayer = asyncio.create_task(ask(client, began))
        await asyncio.sleep(OPEN_AT_LAST + 3 * PING_EVERY)
        limiter = default_lane(client).doors[0].limiter
        assert (limiter.open, limiter.waiting, limiter.available()) == (0, 2, 0)
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        return await stayer, limiter

    limits = Limits(requests=1, seconds=400.0)
    got, limiter = play(text("hi"), profile=profile_of(limits=limits, retry=ONCE), scene=three)
    assert got.times("content_block_start") == [400]
    assert len(got.times("ping")) >= 7
    assert got.seen.ended
    assert (limiter.open, limiter.waiting) == (0, 0)


def test_a_wait_for_a_turn_is_no_silence_of_the_providers() -> None:
    async def two(client: Any, began: float) -> Answer:
        await ask(client, began)
        return await ask(client, began)

    limits = Limits(requests=1, seconds=100.0)
    got = play(text("hi"), profile=profile_of(limits=limits), scene=two)
    assert got.head == 100
    assert got.times("ping") == []


@pytest.mark.parametrize("error", [CutError("cut"), StalledError("silent")])
def test_a_cut_ends_an_answer_with_an_error_event(error: Any) -> None:
    got = play([chunk(content="half"), error])
    assert not got.broken
    assert got.names() == [
        "message_start", "content_block_start", "content_block_delta", "content_block_stop", "error",
    ]  # fmt: skip
    assert got.seen.error["type"] == error.error_type


@pytest.mark.parametrize("error", [CutError("cut"), StalledError("silent")])
def test_a_cut_reaches_claude_code_as_a_cut(error: Any) -> None:
    got = play([chunk(content="half"), error], headers=CLAUDE_CODE)
    assert got.broken
    assert got.names() == ["message_start", "content_block_start", "content_block_delta"]


def test_claude_code_is_told_of_other_errors() -> None:
    steps = [chunk(content="half"), data({"error": {"message": "x", "code": 500}})]
    got = play(steps, headers=CLAUDE_CODE)
    assert not got.broken
    assert got.seen.error["type"] == "api_error"


def test_claude_code_is_told_of_a_cut_that_came_before_any_content() -> None:
    got = play([15.0, CutError("cut")], headers=CLAUDE_CODE)
    assert not got.broken
    assert got.names() == ["message_start", "error"]


def test_a_call_that_was_cut_is_not_stopped() -> None:
    got = play([call('{"a":', name="Read"), UpstreamServerError("x")])
    assert got.names()[-2:] == ["content_block_delta", "error"]
    assert got.seen.open_block is not None


def test_an_answer_that_takes_too_long_in_all_ends_like_one_that_fell_silent() -> None:
    steps: list[Any] = [chunk(content="x")]
    for _ in range(20):
        steps += [10.0, chunk(content="y")]
    got = play(steps, profile=profile_of(retry=ONCE, timeouts=Timeouts(total=55.0)))
    assert got.times("error") == [55]
    assert got.names()[-2:] == ["content_block_stop", "error"]
    assert got.seen.error["type"] == "timeout_error"
    got = play(
        [*steps], profile=profile_of(retry=ONCE, timeouts=Timeouts(total=5.0)), headers=CLAUDE_CODE
    )
    assert got.broken
    assert got.names()[-1] == "content_block_delta"


def test_no_ping_follows_an_end_that_is_read_late() -> None:
    async def scene(client: Any, _: float) -> bytes:
        reader, writer = await asyncio.open_connection(client.host, client.port, limit=2**10)
        body = json.dumps({**ASKED, "stream": True}).encode()
        head = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        writer.write(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        await asyncio.sleep(5 * PING_EVERY)
        raw = await reader.read()
        writer.close()
        return raw

    raw = play([b"".join(text("x" * 20_000_000))], scene=scene)
    assert b"event: message_stop" in raw[-1000:]
    assert raw.endswith(b"\r\n0\r\n\r\n")


class Broken(FccError):
    """What no provider has to do with."""


@pytest.mark.parametrize("early", [[15.0], [chunk(content="half")]])
def test_what_goes_wrong_in_fcc_itself_is_told_in_an_answer_that_has_begun(early: Any) -> None:
    answer = play([*early, Broken("misread")])
    assert (answer.status, answer.broken) == (200, False)
    assert answer.names()[-1] == "error"
    assert b"misread" in answer.raw


def test_a_bug_breaks_off_an_answer_that_has_begun() -> None:
    answer = play([chunk(content="half"), KeyError("bug")])
    assert answer.broken
    assert answer.names()[-1] == "content_block_delta"
    assert b"HTTP/1.1" not in answer.raw


def test_nothing_is_left_running_when_an_answer_is_over() -> None:
    async def scene(client: Any, began: float) -> list[str]:
        before = asyncio.all_tasks()
        await ask(client, began)
        await asyncio.sleep(2 * PING_EVERY)
        return [repr(task) for task in asyncio.all_tasks() - before if "keep_alive" in repr(task)]

    assert play([15.0, *text("hi")], scene=scene) == []
