"""The golden corpus: no body changes unseen, and none that its provider would refuse."""

import json
import sys
import time

import msgspec
import pytest

from fcc.translate.request.body import translate
from fcc.translate.signature import Kept, seal, tag
from fcc.wire.messages import decode_request
from tests.golden import (
    BASH,
    FOLDER,
    REQUESTS,
    Json,
    assistant,
    bodies,
    models,
    request,
    result,
    thinking,
    use,
    user,
    whole,
    written,
)
from tests.golden_rules import rules_for
from tests.strict import problems

MODELS = models()


def stored(name: str, kind: str) -> str:
    return (FOLDER / f"{name}.{kind}.json").read_text("utf-8")


@pytest.mark.parametrize("name", REQUESTS)
def test_the_bodies_are_what_they_were(name: str) -> None:
    """If the change is meant: `python -m tests.golden --write`, and read the difference."""
    asked = json.loads(stored(name, "request"))
    # Tokens hold deflated data, which every zlib packs in its own way.
    assert name == "reasoning_of_three_providers" or asked == REQUESTS[name]
    assert written(bodies(asked)) == stored(name, "bodies")


@pytest.mark.parametrize("label", MODELS)
@pytest.mark.parametrize("name", REQUESTS)
def test_no_provider_refuses_a_body(name: str, label: str) -> None:
    body = whole(json.loads(stored(name, "bodies")), label)
    assert problems(body, rules_for(label)) == []


def test_the_corpus_is_of_the_sizes_that_are_seen() -> None:
    sizes = sorted(len(stored(name, "request")) for name in REQUESTS)
    assert sizes[0] < 5_000
    assert sizes[-1] > 70_000
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 2_000_000


def test_a_longer_conversation_begins_as_the_shorter_one() -> None:
    whole_one = REQUESTS["long_history"]
    shorter = {**whole_one, "messages": whole_one["messages"][:-2]}
    for label in MODELS:
        long, short = (whole(bodies(asked), label)["messages"] for asked in (whole_one, shorter))
        assert long[: len(short) - 1] == short[:-1]


@pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer's own time would be measured")
def test_a_megabyte_takes_a_few_milliseconds() -> None:
    """300 messages and 60 tools: 15 ms of CPU at most where nothing else runs; twice that here."""
    asked = json.dumps(megabyte()).encode()
    assert len(asked) > 1_000_000
    model = MODELS["openrouter anthropic/claude-opus-4.8"]
    times = []
    for _ in range(5):
        start = time.process_time()
        translate(decode_request(asked), model)
        times.append(time.process_time() - start)
    assert min(times) < 0.030


def megabyte() -> Json:
    turns = []
    for n in range(150):
        words = f"thought {n} " * 30
        entry = msgspec.Raw(json.dumps({"type": "reasoning.text", "text": words}).encode())
        whom = tag(MODELS["openrouter anthropic/claude-opus-4.8"])
        signature = seal(whom, Kept([entry], {}, [words]))
        turns.append(
            assistant(thinking(words, signature), use(f"toolu_{n}", "Read", file_path="x"))
        )
        turns.append(user(result(f"toolu_{n}", "line of output\n" * 400)))
    tools = [{**BASH, "name": f"Tool{n}"} for n in range(60)]
    return request(*turns, tools=tools)
