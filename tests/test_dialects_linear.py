"""Twice the text costs twice the time, whatever the text and however it is cut."""

import gc
import time
from itertools import count

import pytest

from fcc.translate.dialects.scanner import Scanner
from fcc.translate.dialects.table import DEFAULT
from fcc.translate.repair import mend
from tests.dialect_texts import TOOLS, cut

pytestmark = pytest.mark.slow  # CPU time needs enough work to be told from noise.

GROWTH = 2.2
TRIES = 8
"""Others use the machine too."""

SHAPES = {
    "prose": ("a", 1, 150_000),
    "brackets one by one": ("<", 1, 20_000),
    "brackets at once": ("<", 0, 100_000),
    "backticks": ("`", 1, 40_000),
    "bullets": ("● x\n", 1, 20_000),
    "openings": ("<tool_call>", 1, 20_000),
    "openings at once": ("<tool_call>", 0, 40_000),
    "unfinished calls": ('<tool_call>{"name": "Bash", "arguments": ["', 0, 150_000),
    "unfinished calls in parts": ('<tool_call>{"name": "Bash", "arguments": ["', 7, 60_000),
    "unfinished values": ("<function=Write><parameter=content>", 5, 60_000),
    "unfinished invokes": ('<｜DSML｜invoke name="Bash">', 0, 60_000),
    "bullets of calls": ("● <function=Write><parameter=content>", 0, 60_000),
    "code spans": ("`<tool_call>` ", 0, 60_000),
    "blanks": (" ", 1, 100_000),
}
CALLS = {
    "JSON arguments": ('<tool_call>{"name": "Write", "arguments": {"content": "', "a\\n", '"}}'),
    "tagged arguments": ("<function=Write><parameter=content>", "ab<\n", "</parameter>"),
    "ends inside a value": ("<function=Write><parameter=content>", "</parameter> x ", ""),
    "whole answer": ('{"name": "Write", "arguments": {"content": "', '\\"', '"}}'),
    "quoted": ('<|tool_call>call:Write{content:<|"|>', '<|"|> ', '<|"|>}'),
    "prefixed tags": (
        ']<]minimax[>[<tool_call>]<]minimax[>[<invoke name="Write">]<]minimax[>[<content>',
        "]<]minimax[>",
        "",
    ),
    "Python": ('[Write(content="', "ab\\n", '")]'),
}


def cost(text: str, size: int) -> float:
    parts = cut(text, range(size, len(text), size)) if size else [text]
    scanner = Scanner(DEFAULT, TOOLS, count())
    gc.collect()
    gc.disable()
    begun = time.process_time()
    try:
        for part in parts:
            scanner.feed(part)
        scanner.finish(clean=True)
        return time.process_time() - begun
    finally:
        gc.enable()


def grows_linearly(text: str, twice: str, size: int) -> bool:
    """Whether two neighbouring measurements say so: what grows by the square never does."""
    return any(cost(twice, size) <= GROWTH * cost(text, size) for _ in range(TRIES))


@pytest.mark.parametrize("shape", SHAPES)
def test_repeated_text_costs_by_its_length(shape):
    unit, size, length = SHAPES[shape]
    times = length // len(unit)
    assert grows_linearly(unit * times, unit * times * 2, size)


@pytest.mark.parametrize("shape", CALLS)
def test_a_call_costs_by_its_length(shape):
    before, unit, after = CALLS[shape]
    times = 40_000 // len(unit)
    once, twice = (before + unit * times * by + after for by in (1, 2))
    assert grows_linearly(once, twice, 1)


def test_a_megabyte_of_arguments_in_single_characters_comes_through():
    text = '<tool_call>{"name": "Write", "arguments": {"file_path": "/a", "content": "'
    scanner = Scanner(DEFAULT, TOOLS, count())
    for character in text + "x" * 1_000_000:
        assert scanner.feed(character) == []
    assert len(scanner.feed('"}}</tool_call>')) == 3


@pytest.mark.parametrize("unit", ['\\"', '"', "{", "[1,", "{}", ",", "'"])
def test_a_repair_costs_by_its_length(unit):
    def seconds(times: int) -> float:
        text = '{"a": "' + unit * times
        begun = time.process_time()
        mend(text, None)
        return time.process_time() - begun

    assert any(seconds(40_000) <= GROWTH * seconds(20_000) + 0.002 for _ in range(TRIES))
