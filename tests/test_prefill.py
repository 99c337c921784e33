"""A beginning that the client gave: dropped once, where the server repeats it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.reply.prefill import Prefill


def said(given_: str, *parts: str) -> str:
    prefill = Prefill(given_)
    return "".join(map(prefill.feed, parts)) + prefill.finish()


def test_a_repeated_beginning_is_dropped() -> None:
    assert said("The answer", "The answer", " is 4") == " is 4"


def test_a_repeated_beginning_is_dropped_in_any_cut() -> None:
    assert said("abc", *"abcd") == said("abc", "abcd") == said("abc", "ab", "cd") == "d"


@pytest.mark.parametrize("answer", ["abx", "xabc", "ab", "", "Abc"])
def test_an_answer_that_does_not_repeat_it_is_whole(answer: str) -> None:
    assert said("abc", *answer) == said("abc", answer) == answer


def test_it_is_dropped_once_only() -> None:
    assert said("ab", "ababab") == "abab"


def test_without_a_beginning_everything_passes_at_once() -> None:
    prefill = Prefill("")
    assert not prefill.open
    assert prefill.feed("a") == "a"


def test_it_is_open_until_it_is_certain() -> None:
    prefill = Prefill("abc")
    assert prefill.open
    assert prefill.feed("ab") == ""
    assert prefill.open
    assert prefill.feed("x") == "abx"
    assert not prefill.open
    assert prefill.finish() == ""


@given(st.text("ab", max_size=6), st.lists(st.text("ab", max_size=4), max_size=6))
def test_it_is_the_answer_without_the_beginning_in_any_cut(given_: str, parts: list[str]) -> None:
    answer = "".join(parts)
    assert said(given_, *parts) == answer.removeprefix(given_)
