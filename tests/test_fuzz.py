"""A short run of `make fuzz`, and what it is made of."""

from random import Random
from typing import Any

import pytest

from tests.fuzz import __main__ as fuzz
from tests.fuzz.shrink import shrunk
from tests.fuzz.targets import TARGETS, Target
from tests.fuzz.values import cut
from tests.grammar import content
from tests.test_streams import answer, translation_for

COUNTS = {"sse": 4000, "stream": 1500, "request": 1500, "error": 1000}


@pytest.mark.slow  # thousands of inputs
@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_is_fed_fails(name: str) -> None:
    done = fuzz.run([name], 7, 0, COUNTS[name])
    assert done.counts == {name: COUNTS[name]}
    assert not done.found


@pytest.mark.parametrize("name", TARGETS)
def test_a_number_and_a_seed_make_the_same_input_again(name: str) -> None:
    make = TARGETS[name].make
    assert [make(Random(n)) for n in range(20)] == [make(Random(n)) for n in range(20)]


def test_cuts_lose_nothing() -> None:
    for number in range(200):
        assert b"".join(cut(Random(number), b"some bytes")) == b"some bytes"


def test_what_fails_is_shown_as_small_as_it_fails() -> None:
    def fails(given: Any) -> bool:
        return b"x" in b"".join(given.get("reads", []))

    given = {"reads": [b"many bytes", b"and an x among them", b"more"], "else": [1, {"a": "b"}]}
    assert shrunk(given, fails) == {"reads": [b"x"]}


def test_a_failure_is_found_with_the_number_that_finds_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def check(given: Any) -> None:
        if given == 3:
            raise ValueError("three")

    target = Target(lambda dice: dice.randrange(5), check, 1)
    monkeypatch.setitem(TARGETS, "sse", target)
    (found,) = fuzz.run(["sse"], 1, 0, 50).found.values()
    assert (found.target, found.smallest, found.words) == ("sse", "3", "ValueError: three")
    assert fuzz.run(["sse"], 1, found.number, 1).found


# What it has found, and is no more.


@pytest.mark.parametrize(
    "delta",
    [
        b"[]", b'[{"content":"x"}]', b'{"tool_calls":[[]]}', b'{"tool_calls":[{"function":[]}]}',
        b'{"reasoning_details":[{"type":"reasoning.text","text":"\xb4"}]}',
    ],
)  # fmt: skip
def test_a_chunk_with_one_part_that_is_none_costs_nothing_else(delta: bytes) -> None:
    odd = b'data: {"choices":[{"index":0,"delta":%b,"usage":[]}]}\n\n' % delta
    rest = b'data: {"choices":[{"index":0,"delta":{"content":"kept"},"finish_reason":"stop"}]}\n\n'
    reads = [odd, rest]
    given = {"reads": reads, "tools": [], "reply": {}, "arguments": "live", "cut": False}
    TARGETS["stream"].check(given)
    got = answer(translation_for({"tools": []}), reads)
    assert content(got)[-1] == {"type": "text", "text": "kept"}
