"""Where the rest of a text begins that was cut."""

from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fcc.translate.reply.overlap import ANOTHER, LONGEST, SHORTEST, Overlap

SAID = "The quick brown fox jumps over the lazy dog. It was seen by a man who"


def rest(said: str, *parts: str) -> str:
    overlap = Overlap(said)
    return "".join(map(overlap.feed, parts)) + overlap.finish()


@pytest.mark.parametrize(
    ("said", "told", "want"),
    [
        (SAID, " ran home.", " ran home."),
        (SAID, SAID + " ran home.", " ran home."),
        (SAID, "It was seen by a man who ran home.", " ran home."),
        (SAID, SAID, ""),
        (SAID, "", ""),
        ("Hi", "Hi there", " there"),
        # A few characters are no evidence, nor is what repeats itself, nor what has no letter.
        ("he said ha", "haha", "haha"),
        ("| --- | --- | --- |", " --- | --- | --- |\n| a |", " --- | --- | --- |\n| a |"),
        ("ha ha ha ha ha ", "ha ha ha ha ha!", "ha ha ha ha ha!"),
        ("def f():\n            ", "            return 1", "            return 1"),
        ("#", "## Title", "## Title"),
        ("", "anything", "anything"),
    ],
)  # fmt: skip
def test_the_rest_is_what_was_not_said(said: str, told: str, want: str) -> None:
    assert rest(said, told) == want
    assert rest(said, *told) == want


def test_what_can_be_no_repetition_passes_at_once() -> None:
    overlap = Overlap(SAID)
    assert overlap.feed(" ran") == " ran"
    assert not overlap.open


def test_what_may_be_one_is_held_until_it_is_certain() -> None:
    overlap = Overlap(SAID)
    assert overlap.feed("It was seen by ") == ""
    assert overlap.open
    assert overlap.feed("a man who ran") == " ran"
    assert not overlap.open


def test_all_of_a_long_text_is_recognized_and_nothing_of_it_is_held() -> None:
    said = " ".join(map(str, range(5000)))
    overlap = Overlap(said)
    for at in range(0, len(said), 1000):
        assert overlap.feed(said[at : at + 1000]) == ""
        assert len(overlap._held) == 0
    assert overlap.feed(" and on") == " and on"


def test_no_more_is_held_than_the_longest_end() -> None:
    said = " ".join(map(str, range(5000)))
    overlap = Overlap(said)
    for at in range(len(said) - LONGEST + 10, len(said), 7):
        overlap.feed(said[at : at + 7])
        assert len(overlap._held) <= LONGEST


def test_another_answer_is_no_rest() -> None:
    overlap = Overlap(SAID)
    assert overlap.feed(SAID[:ANOTHER]) == ""
    assert overlap.feed(" girl, and ") == ""
    assert overlap.another


def test_a_chance_beginning_is_no_other_answer() -> None:
    overlap = Overlap(SAID)
    assert overlap.feed("The quick ") + overlap.feed("man ran.") == "The quick man ran."
    assert not overlap.another


_TEXT = st.text(st.sampled_from("ab c.\n"), max_size=40) | st.text(max_size=40)
_CUTS = st.lists(st.integers(0, 400), max_size=8)


def cut_at(text: str, places: list[int]) -> list[str]:
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@given(_TEXT, _TEXT, _CUTS)
def test_the_cut_of_what_comes_makes_no_difference(said: str, told: str, cuts: list[int]) -> None:
    assert rest(said, *cut_at(told, cuts)) == rest(said, told)


@given(st.text(max_size=300), _TEXT)
def test_only_an_end_of_what_was_said_is_ever_left_out(said: str, told: str) -> None:
    kept = rest(said, told)
    assert told.endswith(kept)
    assert said.endswith(told.removesuffix(kept) if kept else told) or kept == told or said == told


_WORDS = st.lists(
    st.sampled_from(
        ["alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"]
    ),
    max_size=60,
).map(" ".join)


@given(_WORDS, st.integers(0, 400), st.integers(0, 400), _CUTS)
def test_whatever_is_repeated_the_text_is_what_it_would_have_been(
    answer: str, cut: int, back: int, cuts: list[int]
) -> None:
    cut %= len(answer) + 1
    back %= cut + 1
    said, told = answer[:cut], answer[cut - back :]
    assume(back == 0 or back == cut or back >= SHORTEST)
    # Where the answer itself says something twice, nobody can tell which is meant.
    squares = [n for n in range(1, cut + 1) if n != back and said.endswith(told[:n])]
    assume(not [n for n in squares if n >= SHORTEST or n == cut])
    end = said[cut - back :]
    assume(all(end[n:] != end[:-n] for n in range(1, back // 2 + 1)))
    assert said + rest(said, *cut_at(told, cuts)) == answer
