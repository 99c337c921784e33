"""Think tags in the content, in any cut."""

import time
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.pieces import Reasoning, Text
from fcc.translate.reply.think import MAX_HELD, MAX_START, ThinkSplitter

TAGS = ("think", "thinking", "thought")


def split(*parts: str, truncated: bool = False, tags: tuple[str, ...] = TAGS, **how: Any) -> Any:
    """What the parts become, neighbours of a kind joined: a list of ("text"|"thinking", words)."""
    splitter = ThinkSplitter(tags, **how)
    pieces = [piece for part in parts for piece in splitter.feed(part)]
    return joined(pieces + splitter.finish(truncated=truncated))


def joined(pieces: list[Any]) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for piece in pieces:
        kind = "text" if isinstance(piece, Text) else "thinking"
        if out and out[-1][0] == kind:
            out[-1] = (kind, out[-1][1] + piece.text)
        else:
            out.append((kind, piece.text))
    return out


@pytest.mark.parametrize(
    ("content", "want"),
    [
        ("<think>x</think>y", [("thinking", "x"), ("text", "y")]),
        (" \n\t<think>x</think>y", [("thinking", "x"), ("text", "y")]),
        ("<THINK>x</Think>y", [("thinking", "x"), ("text", "y")]),
        ("<thinking>x</thinking>y", [("thinking", "x"), ("text", "y")]),
        ("<thought>x</thought>y", [("thinking", "x"), ("text", "y")]),
        ("<think>\n\nx\n</think>\n\ny", [("thinking", "x\n"), ("text", "y")]),
        ("<think></think>ok", [("text", "ok")]),
        ("<think>α🙂</think>β", [("thinking", "α🙂"), ("text", "β")]),
        ("<think>keep <b> and </thin gs</think>z",
         [("thinking", "keep <b> and </thin gs"), ("text", "z")]),
        ("<think>a</thinking>b</think>c", [("thinking", "a</thinking>b"), ("text", "c")]),
        ("<think>half", [("thinking", "half")]),
        ("<think>half</thi", [("thinking", "half</thi")]),
        ("<thi", [("text", "<thi")]),
        ("size <", [("text", "size <")]),
        ("  words", [("text", "  words")]),
        ("a<think>x</think>", [("text", "a<think>x</think>")]),
        ("Write `<think>` to start.", [("text", "Write `<think>` to start.")]),
        ("done</think> all set", [("text", "done</think> all set")]),
        ("<think>a</think><think>b</think>c", [("thinking", "a"), ("text", "<think>b</think>c")]),
        ("<thinker>x", [("text", "<thinker>x")]),
        ("", []),
        ("\n\n", [("text", "\n\n")]),
    ],
)  # fmt: skip
def test_a_tag_counts_at_the_start_and_nothing_is_lost(content: str, want: Any) -> None:
    assert split(content) == want
    assert split(*content) == want


@pytest.mark.parametrize(
    ("content", "want"),
    [
        ("Plan: <think>weigh</think>Pick.", [("text", "Plan: "), ("thinking", "weigh"), ("text", "Pick.")]),
        ("<think>a</think><think>b</think>c", [("thinking", "ab"), ("text", "c")]),
        ("p<think>q</think>r", [("text", "p"), ("thinking", "q"), ("text", "r")]),
        ("if (a <b) {}", [("text", "if (a <b) {}")]),
        ("a <", [("text", "a <")]),
        ("a</think>b", [("text", "a</think>b")]),
    ],
)  # fmt: skip
def test_tags_count_anywhere_where_the_profile_says_so(content: str, want: Any) -> None:
    assert split(content, anywhere=True) == want
    assert split(*content, anywhere=True) == want


IMPLICIT = [
    ("hm</think>yes", [("thinking", "hm"), ("text", "yes")]),
    ("<think>hm</think>yes", [("thinking", "hm"), ("text", "yes")]),
    ("hm</think>\n\nyes", [("thinking", "hm"), ("text", "yes")]),
    ("</think>yes", [("text", "yes")]),
    ("a </thin b</THINK>yes", [("thinking", "a </thin b"), ("text", "yes")]),
    ("no tag at all", [("text", "no tag at all")]),
]


@pytest.mark.parametrize(("content", "want"), IMPLICIT)
def test_all_before_the_first_closing_tag_is_reasoning_where_the_template_opens_it(
    content: str, want: Any
) -> None:
    assert split(content, implicit_open=True) == want


@pytest.mark.parametrize(("content", "want"), IMPLICIT)
def test_a_closing_tag_that_comes_in_many_chunks_is_seen(content: str, want: Any) -> None:
    assert split(*content, implicit_open=True) == want


def test_an_implicit_tag_that_never_closes_was_reasoning_if_the_answer_was_cut_by_length() -> None:
    assert split("so long", implicit_open=True, truncated=True) == [("thinking", "so long")]
    assert split("so long", implicit_open=True, truncated=False) == [("text", "so long")]


def test_what_is_held_for_an_implicit_tag_has_a_bound() -> None:
    splitter = ThinkSplitter(TAGS, implicit_open=True)
    said: list[Any] = []
    for _ in range(MAX_HELD // 1000 + 2):
        said += splitter.feed("x" * 1000)
    assert sum(len(piece.text) for piece in said) >= MAX_HELD
    assert joined(said + splitter.feed("</think>y")) == [
        ("thinking", "x" * sum(len(p.text) for p in said if isinstance(p, Reasoning))),
        ("text", "y"),
    ]


def test_white_space_at_the_start_is_not_held_without_end() -> None:
    splitter = ThinkSplitter(TAGS)
    assert splitter.feed(" " * (MAX_START - 1)) == []
    assert joined(splitter.feed("  ")) == [("text", " " * (MAX_START + 1))]


def test_without_tags_everything_is_text_at_once() -> None:
    splitter = ThinkSplitter(())
    assert splitter.idle
    assert splitter.feed("<think>x") == [Text("<think>x")]


def test_a_splitter_is_idle_once_nothing_can_change_any_more() -> None:
    splitter = ThinkSplitter(TAGS)
    assert not splitter.idle
    splitter.feed("<think>x</think>")
    assert not splitter.idle
    splitter.feed("y")
    assert splitter.idle
    assert not ThinkSplitter(TAGS, anywhere=True).idle


def test_tags_are_text_once_the_provider_reasons_in_a_field_of_its_own() -> None:
    splitter = ThinkSplitter(TAGS, anywhere=True)
    assert splitter.feed("<th") == []
    assert splitter.release() == [Text("<th")]
    assert joined(splitter.feed("ink>x</think>y") + splitter.finish()) == [
        ("text", "ink>x</think>y")
    ]


def test_what_a_tag_had_opened_stays_reasoning_when_the_field_comes_later() -> None:
    splitter = ThinkSplitter(TAGS)
    assert splitter.feed("<think>a</thi") == [Reasoning("a")]
    assert splitter.release() == [Reasoning("</thi")]
    assert splitter.release() == []


def test_tags_are_named_in_any_case() -> None:
    assert split("<Think>a</think>b", tags=("Think",)) == [("thinking", "a"), ("text", "b")]
    assert split(*"<Think>a</think>b", tags=("Think",)) == [("thinking", "a"), ("text", "b")]


@pytest.mark.parametrize("content", ["<thınk>a</think>b", "<thİnk>a</think>b"])
def test_letters_that_only_unicode_takes_for_an_i_make_no_tag(content: str) -> None:
    assert split(content) == [("text", content)]


_WORDS = st.lists(
    st.sampled_from(["<think>", "</think>", "<", "</", "think", ">", "\n", " ", "a", "<thinking>",
                     "</thinking>", "é", "</THINK>", "<th"]),
    max_size=14,
)  # fmt: skip
_HOW = st.sampled_from([{}, {"anywhere": True}, {"implicit_open": True}])


@given(_WORDS, _HOW, st.booleans(), st.data())
def test_any_cut_splits_the_same(
    words: list[str], how: dict[str, bool], truncated: bool, data: st.DataObject
) -> None:
    text = "".join(words)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    parts = [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]
    want = split(text, truncated=truncated, **how)
    assert split(*parts, truncated=truncated, **how) == want
    assert split(*text, truncated=truncated, **how) == want


@given(_WORDS, st.data())
def test_no_character_is_lost_but_tags_and_the_line_ends_around_them(
    words: list[str], data: st.DataObject
) -> None:
    text = "".join(words)
    got = "".join(said for _, said in split(*text, anywhere=True))
    kept = iter(text)
    assert all(character in kept for character in got), "something was invented"
    bare = text.replace("\n", "").lower()
    for tag in TAGS:
        bare = bare.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    letters = [c for c in got.lower() if c in "aé"]
    assert letters == [c for c in bare if c in "aé"][: len(letters)]
    assert len(letters) == sum(c in "aé" for c in bare)


@pytest.mark.parametrize("how", [{}, {"anywhere": True}, {"implicit_open": True}])
def test_one_character_chunks_take_linear_time(how: dict[str, bool]) -> None:
    def seconds(size: int) -> float:
        splitter = ThinkSplitter(TAGS, **how)
        splitter.feed("<think>")
        began = time.process_time()
        for _ in range(size):
            splitter.feed("<")
        return time.process_time() - began

    short = max(min(seconds(4_000) for _ in range(3)), 0.001)
    assert seconds(32_000) < 8 * short * 4
