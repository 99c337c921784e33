"""Answers that talk about tool calls, tags and tokens reach the client to the last byte."""

import json
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.dialects.scanner import Scanner
from fcc.translate.dialects.table import DEFAULT
from fcc.translate.pieces import Text
from tests.dialect_texts import TOOLS, cut, cuts, scan

HONEST: list[str] = json.loads(
    (Path(__file__).parent / "fixtures" / "honest.json").read_text("utf-8")
)


CLOSED = [
    text
    for text in HONEST
    if text.count("```") % 2 == text.count("~~~") % 2 == 0 and "```<" not in text
]
"""Those that leave no fence open, which would turn the next text's inside out."""


def unchanged(parts: list[str], **how: bool) -> bool:
    pieces = scan(parts, **how)
    texts = [piece.text for piece in pieces if isinstance(piece, Text)]
    return len(texts) == len(pieces) and "".join(texts) == "".join(parts)


def test_there_are_enough_of_them():
    assert len(HONEST) >= 300
    assert len(set(HONEST)) == len(HONEST)


@pytest.mark.parametrize("text", HONEST, ids=lambda text: text[:30].encode("ascii", "replace"))
def test_an_honest_answer_does_not_change(text):
    for parts in cuts(text):
        assert unchanged(parts), parts


@given(text=st.sampled_from(HONEST), at=st.lists(st.integers(0, 400), max_size=12))
def test_an_honest_answer_does_not_change_in_any_cut(text, at):
    assert unchanged(cut(text, at))


@given(texts=st.lists(st.sampled_from(CLOSED), min_size=2, max_size=5), size=st.integers(1, 40))
def test_honest_answers_in_a_row_do_not_change(texts, size):
    text = "So:\n\n" + "\n\nAnd:\n\n".join(texts)
    assert unchanged(cut(text, range(size, len(text), size)))


@given(
    text=st.text(st.sampled_from('ab \n<>[]{}|`~"\\●=/_:;,()'), max_size=80), size=st.integers(1, 9)
)
def test_text_without_a_declared_name_does_not_change(text, size):
    assert unchanged(cut(text, range(size, len(text), size)))


def test_prose_goes_out_at_once():
    words = [
        "Plain",
        "prose,",
        "with",
        "a",
        "[link](x),",
        "a<b",
        "and",
        "3",
        ">",
        "2,",
        "goes",
        "out",
        "as",
        "it",
        "comes.",
        "",
    ]
    scanner = Scanner(DEFAULT, TOOLS, count())
    for word in words:
        assert scanner.feed(word + " ") == [Text(word + " ")]
