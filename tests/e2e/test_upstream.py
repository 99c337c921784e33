"""Is the scripted upstream itself a Chat Completions server?"""

import json
from typing import Any

import httpx
import pytest

from tests.e2e.script import TRICKY, cue
from tests.e2e.upstream import KEY, MODEL, Upstream

pytestmark = pytest.mark.e2e
CHAT = "/chat/completions"


def ask(prompt: str, **more: Any) -> dict[str, Any]:
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}]} | more


@pytest.fixture
def api(upstream: Upstream) -> Any:
    headers = {"Authorization": f"Bearer {KEY}"}
    with httpx.Client(base_url=upstream.url, headers=headers, trust_env=False) as client:
        yield client


def chunks(response: httpx.Response) -> list[dict[str, Any]]:
    frames = response.text.split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    return [json.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]


@pytest.mark.parametrize("cuts", ["no", "odd"])
def test_a_stream_says_what_the_whole_message_says(api: httpx.Client, cuts: str) -> None:
    prompt = cue("text", run="agree") if cuts == "no" else cue("text", run="agree", cuts=cuts)
    whole = api.post(CHAT, json=ask(prompt)).json()["choices"][0]["message"]["content"]
    parts = chunks(api.post(CHAT, json=ask(prompt, stream=True)))
    deltas = [choice["delta"] for part in parts for choice in part["choices"]]
    assert "".join(delta.get("content", "") for delta in deltas) == whole
    assert TRICKY in whole
    assert parts[-1]["usage"]["completion_tokens"] > 0


@pytest.mark.parametrize("order", ["in_turn", "interleaved"])
def test_calls_keep_their_arguments_in_any_order(api: httpx.Client, order: str) -> None:
    prompt = cue("weather", run="calls", cities="Paris,Oslo", calls=order)
    arguments = {0: "", 1: ""}
    for part in chunks(api.post(CHAT, json=ask(prompt, stream=True))):
        for choice in part["choices"]:
            for call in choice["delta"].get("tool_calls", []):
                arguments[call["index"]] += call["function"]["arguments"]
    assert [json.loads(text)["city"] for text in arguments.values()] == ["Paris", "Oslo"]


def test_a_side_request_gets_a_plain_answer(api: httpx.Client) -> None:
    answer = api.post(CHAT, json=ask("A title, please.")).json()
    assert answer["choices"][0]["message"]["content"] == "OK"


def test_a_wrong_key_is_refused(upstream: Upstream) -> None:
    answer = httpx.post(upstream.url + CHAT, json=ask("Hello."), trust_env=False)
    assert answer.status_code == httpx.codes.UNAUTHORIZED


def test_only_the_first_answers_are_spoilt(api: httpx.Client) -> None:
    prompt = cue("text", run="spoilt", status=503, times=2)
    statuses = [api.post(CHAT, json=ask(prompt)).status_code for _ in range(4)]
    assert statuses == [503, 503, 200, 200]


@pytest.mark.parametrize(("fault", "end"), [("cut", "broken"), ("end", "broken")])
def test_a_fault_ends_the_stream_in_the_middle(
    api: httpx.Client, upstream: Upstream, fault: str, end: str
) -> None:
    with api.stream(
        "POST", CHAT, json=ask(cue("text", run=fault, fault=fault), stream=True)
    ) as got:
        seen = b""
        try:
            for data in got.iter_bytes():
                seen += data
        except httpx.TransportError:
            assert fault == "cut"
    assert b"Said for" in seen
    assert b"DONE" not in seen
    assert upstream.until(fault, lambda asked: asked.end == end, 1) is not None


def test_an_asker_that_leaves_is_noticed(api: httpx.Client, upstream: Upstream) -> None:
    body = ask(cue("words", run="leaver", pause=0.1), stream=True)
    with api.stream("POST", CHAT, json=body) as got:
        next(got.iter_bytes())
    assert upstream.until("leaver", lambda asked: asked.end == "left", 1) is not None
