"""Whatever a provider's connection does, clients see a legal end in time, and nothing is left.

The clock jumps: a provider that is silent for its five minutes costs the test nothing.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest
from loguru import logger

from fcc.settings.limits import Timeouts
from tests.chaos.client import End, Response, ask, judged, request
from tests.chaos.clock import swiftly
from tests.chaos.daemon import REQUESTS, Left, daemon, left, patient
from tests.chaos.faults import FAULTS, Fault, Loss
from tests.chaos.recorded import ANSWERS, CALL, TEXT, TOOL, Recorded
from tests.chaos.upstream import Upstream, order
from tests.clock import now
from tests.command import free_port
from tests.scripted import ASKED, CLAUDE_CODE

ATTEMPTS = 2
PAUSE = 60.0

WAYS = {
    "stream": {"stream": True, "claude": False},
    "claude": {"stream": True, "claude": True},
    "whole": {"stream": False, "claude": False},
}
"""How clients ask."""

# What stays silent for long is opened, and can't be told by a status any more.
UNTOLD = {End.STATUS, End.EVENT}

ENDS = {
    Loss.NOTHING: {way: {End.WHOLE} for way in WAYS},
    Loss.ALL: {"stream": UNTOLD, "claude": UNTOLD, "whole": {End.STATUS}},
    Loss.REST: {"stream": {End.EVENT}, "claude": {End.BROKEN}, "whole": {End.STATUS}},
    Loss.WORDS: {"stream": {End.EVENT}, "claude": {End.EVENT}, "whole": {End.STATUS}},
    Loss.UNSURE: {way: set(End) for way in WAYS},
}
"""What each must see of a fault."""


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    logger.disable("fcc")
    yield
    logger.enable("fcc")


TOTAL = 2.0
"""Seconds for an answer that only the limit of all ends."""


def limits(fault: Fault) -> dict[str, float]:
    return {"total": TOTAL, "commit_after": 0.5} if fault.endless else {}


def patience(fault: Fault) -> float:
    """Seconds until the end of a request, and no more; some of them are the machine's."""
    return ATTEMPTS * (TOTAL if fault.endless else Timeouts().read) + 20.0


async def in_time(port: int, raw: bytes, seconds: float) -> Response:
    async with asyncio.timeout(seconds):
        return await ask(port, raw)


async def check_ends(port: int, prompt: str, answer: Recorded, fault: Fault) -> None:
    """Each way of asking, all at once."""
    asked = (in_time(port, request(prompt, **how), patience(fault)) for how in WAYS.values())
    for way, response in zip(WAYS, await asyncio.gather(*asked), strict=True):
        end = judged(response, answer, **WAYS[way])
        assert end in ENDS[fault.loss][way], f"{way}: {end}, but {fault.loss.value}"


EARLY = sorted(name for name, fault in FAULTS.items() if fault.early)
LATE = sorted(FAULTS.keys() - set(EARLY))


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("name", LATE)
def test_a_fault_has_a_legal_end_and_leaves_nothing(
    unblocked: None, name: str, answer: str
) -> None:
    async def run() -> None:
        async with (
            Upstream(pause=PAUSE) as upstream,
            daemon(patient(upstream.url, attempts=ATTEMPTS, **limits(FAULTS[name]))) as (
                gateway,
                port,
            ),
        ):
            tasks = len(asyncio.all_tasks())
            await check_ends(port, order(name, answer), ANSWERS[answer], FAULTS[name])
            kept = await upstream.left_with(len(WAYS) if FAULTS[name].keeps else 0)
            assert kept <= (len(WAYS) if FAULTS[name].keeps else 0)
            # Those are in the pool, each with a task of the provider's in this process.
            assert await left(gateway, tasks + kept) == Left()
            (door,) = gateway.lane(gateway.router.default).doors
            taken = REQUESTS - (door.limiter.available() or 0)
            assert len(WAYS) <= taken <= ATTEMPTS * len(WAYS)

    swiftly(run())


@pytest.mark.parametrize("name", EARLY)
def test_a_fault_before_the_request_has_a_legal_end_and_leaves_nothing(
    unblocked: None, name: str
) -> None:
    fault = FAULTS[name]

    async def run() -> None:
        async with (
            Upstream(fault, pause=PAUSE) as upstream,
            daemon(patient(upstream.url, attempts=ATTEMPTS)) as (gateway, port),
        ):
            tasks = len(asyncio.all_tasks())
            # More than any buffer on the way takes.
            await check_ends(port, "long " * 2_000_000, TEXT, fault)
            assert await left(gateway, tasks + upstream.open) == Left()

    swiftly(run())


def test_a_refused_connection_has_a_legal_end_and_leaves_nothing(unblocked: None) -> None:
    async def run() -> None:
        async with daemon(patient(f"http://127.0.0.1:{free_port()}/v1")) as (gateway, port):
            tasks = len(asyncio.all_tasks())
            await check_ends(port, "hello", TEXT, FAULTS["closes_on_accept"])
            assert await left(gateway, tasks) == Left()

    swiftly(run())


def test_a_broken_chunk_is_told_at_once(unblocked: None) -> None:
    """aiohttp's C parser leaves the reader without a word: a body waits for its end for ever."""

    async def run() -> None:
        async with (
            Upstream(pause=PAUSE) as upstream,
            daemon(patient(upstream.url, attempts=ATTEMPTS)) as (_, port),
        ):
            for name in ("names_a_chunk_in_nonsense", "leaves_a_chunks_end_out"):
                began = now()
                await ask(port, request(order(name)))
                assert now() - began < 1

    swiftly(run())


def test_a_refusal_is_told_before_its_last_word(unblocked: None) -> None:
    async def run() -> None:
        async with (
            Upstream(pause=PAUSE) as upstream,
            daemon(patient(upstream.url, attempts=ATTEMPTS)) as (_, port),
        ):
            began = now()
            response = await ask(
                port, request(order("refuses_in_words_that_drip_without_end"), claude=True)
            )
            assert response.status == 500
            assert now() - began < 15

    swiftly(run())


# A cut at every byte.

AT_ONCE = 50


def known(answer: Recorded, raw: bytes) -> int:
    """How many bytes of the response it takes to know that the answer is whole."""
    last = answer.body[: answer.finished].rpartition(b"\n")[2]
    return raw.index(last) + len(last)


@pytest.mark.slow  # thousands of requests
@pytest.mark.parametrize(
    ("name", "raw"), [("text", TEXT.close_delimited()), ("call", CALL.chunked())]
)
async def test_a_cut_at_any_byte_is_never_told_as_the_end(name: str, raw: bytes) -> None:
    answer = ANSWERS[name]
    whole_from = known(answer, raw)
    seen: Counter[End] = Counter()

    async def check(port: int, at: int, *, reset: bool) -> None:
        claude = (at + reset) % 2 == 0
        prompt = order("cut_and_reset" if reset else "cut_and_closed", name, at)
        response = await in_time(port, request(prompt, claude=claude), 60)
        end = judged(response, answer, stream=True, claude=claude)
        seen[end] += 1
        where = f"cut at {at} of {len(raw)}, known as whole from {whole_from} on: {end}"
        assert end is not End.WHOLE or at >= whole_from, where
        assert end is End.WHOLE or at < whole_from or reset, where

    async def check_all(port: int, cuts: Iterator[tuple[int, bool]]) -> None:
        for at, reset in cuts:
            await check(port, at, reset=reset)

    async with Upstream() as upstream, daemon(patient(upstream.url)) as (gateway, port):
        tasks = len(asyncio.all_tasks())
        cuts = iter([(at, reset) for at in range(len(raw)) for reset in (False, True)])
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(check_all(port, cuts))
        assert await left(gateway, tasks) == Left()
        assert await upstream.left_with(0) == 0
    assert set(seen) == set(End), "each kind of end is met"


# The official SDK.

SDK = [
    "answers_well", "drips", "resets_before_the_head", "is_silent_before_the_head",
    "answers_a_page", "answers_noise", "resets_in_mid_answer", "closes_in_mid_chunk",
    "is_silent_in_mid_answer", "breaks_off_with_an_error", "promises_less_than_it_sends",
    "refuses_and_closes", "closes_after_the_bill", "answers_302",
]  # fmt: skip


SOON = {"read": 0.4, "first_byte": 0.4, "total": 1.5, "commit_after": 0.15}
"""Seconds. The SDK starts threads, and time that jumps does not wait for them."""


@pytest.mark.parametrize("agent", ["sdk", "claude"])
@pytest.mark.parametrize("name", SDK)
async def test_the_sdk_sees_a_whole_answer_or_an_error(
    unblocked: None, name: str, agent: str
) -> None:
    whole = FAULTS[name].loss is Loss.NOTHING
    async with (
        Upstream() as upstream,
        daemon(patient(upstream.url, attempts=ATTEMPTS, **SOON)) as (gateway, port),
        anthropic.DefaultAsyncHttpxClient(trust_env=False) as transport,
    ):
        tasks = len(asyncio.all_tasks())
        client = anthropic.AsyncAnthropic(
            base_url=f"http://127.0.0.1:{port}", api_key="any", max_retries=0, timeout=60,
            http_client=transport, default_headers=CLAUDE_CODE if agent == "claude" else None,
        )  # fmt: skip
        await (sdk_is_told(client, name) if whole else sdk_is_refused(client, name))
        await client.close()
        assert await left(gateway, tasks + upstream.open) == Left()


def asked(name: str) -> dict[str, Any]:
    messages = [{"role": "user", "content": order(name, "call")}]
    return {**ASKED, "messages": messages, "tools": [TOOL]}


async def sdk_is_told(client: anthropic.AsyncAnthropic, name: str) -> None:
    async with client.messages.stream(**asked(name)) as stream:
        message = await stream.get_final_message()
    assert [block.type for block in message.content] == [kind for kind, _ in CALL.blocks]
    assert message.stop_reason == "tool_use"


async def sdk_is_refused(client: anthropic.AsyncAnthropic, name: str) -> None:
    with pytest.raises((anthropic.APIError, httpx2.TransportError)):
        async with client.messages.stream(**asked(name)) as stream:
            await stream.get_final_message()
    with pytest.raises(anthropic.APIStatusError):
        await client.messages.create(**asked(name))
