"""Token estimates: offline, never nothing, and better with every report."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.tokens import OutputCount, Ratio, estimate


def test_an_estimate_is_at_least_one() -> None:
    assert estimate(b"") == estimate(b"x") == 1


def test_english_prose_is_about_four_bytes_a_token() -> None:
    body = b"The quick brown fox jumps over the lazy dog. " * 100
    assert len(body) / 5 < estimate(body) < len(body) / 3


def test_other_scripts_cost_more_tokens_a_character_than_english() -> None:
    assert estimate("猫がいる".encode() * 50) > estimate(b"abcd" * 50)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_an_estimate_grows_with_the_text(some: bytes, more: bytes) -> None:
    assert estimate(some) <= estimate(some + more)


def test_special_tokens_in_the_text_are_text() -> None:
    assert estimate(b"<|endoftext|>") == estimate(b"x" * 13)


@pytest.mark.parametrize("count", [1, 3])
def test_images_cost_by_their_number_and_not_by_their_bytes(count: int) -> None:
    small = b'{"url":"data:image/png;base64,QUJD"}' * count
    large = (b'{"url":"data:image/png;base64,' + b"QUJD" * 50_000 + b'"}') * count
    assert estimate(small) == estimate(large)
    assert 1000 * count < estimate(large) < 2000 * count


def test_text_after_an_image_still_counts() -> None:
    image = b'{"url":"data:image/png;base64,QUJD="}'
    assert estimate(image + b"word " * 1000) > estimate(image) + 1000


def test_an_answer_is_counted_in_any_cut() -> None:
    text = "Grüße, 世界! plain words and more of them"
    whole, cut = OutputCount(), OutputCount()
    whole.add(text)
    for character in text:
        cut.add(character)
    assert whole.tokens == cut.tokens > 5


def test_an_answer_of_nothing_counts_one() -> None:
    count = OutputCount()
    count.add("")
    assert count.tokens == 1


def test_a_lone_surrogate_in_an_answer_counts_like_a_character() -> None:
    count = OutputCount()
    count.add("\ud83d" * 100)
    assert count.tokens > 1


def test_a_ratio_begins_at_one_and_nears_what_is_reported() -> None:
    ratio = Ratio()
    assert ratio.value == 1.0
    errors = []
    for _ in range(6):
        ratio.learn(1000, 1300)
        errors.append(abs(ratio.value - 1.3))
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.05


@pytest.mark.parametrize(("estimated", "reported"), [(0, 10), (10, 0), (-1, 5), (5, -1)])
def test_a_report_of_nothing_teaches_nothing(estimated: int, reported: int) -> None:
    ratio = Ratio()
    ratio.learn(estimated, reported)
    assert ratio.value == 1.0


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6))))
def test_no_report_moves_a_ratio_out_of_its_bounds(reports: list[tuple[int, int]]) -> None:
    ratio = Ratio()
    for estimated, reported in reports:
        ratio.learn(estimated, reported)
    assert Ratio.LOW <= ratio.value <= Ratio.HIGH


def test_of_a_session_only_what_came_since_the_last_report_is_estimated() -> None:
    ratio = Ratio()
    ratio.learn(1000, 1300, "a")
    assert ratio.tokens(1000, "a") == 1300
    assert ratio.tokens(1100, "a") == 1300 + round(100 * ratio.value)
    assert ratio.tokens(1000, "b") == ratio.tokens(1000) == round(1000 * ratio.value)


def test_a_shorter_request_of_a_session_is_no_continuation() -> None:
    ratio = Ratio()
    ratio.learn(1000, 1300, "a")
    assert ratio.tokens(100, "a") == round(100 * ratio.value)


@given(st.lists(st.tuples(st.integers(1, 10**6), st.integers(1, 10**6))), st.integers(1, 10**6))
def test_more_never_counts_less(reports: list[tuple[int, int]], estimated: int) -> None:
    ratio = Ratio()
    for known, reported in reports:
        ratio.learn(known, reported, "a")
    assert ratio.tokens(estimated, "a") <= ratio.tokens(estimated + 1, "a")


def test_the_sessions_that_are_remembered_are_bounded() -> None:
    ratio = Ratio()
    for number in range(Ratio.SESSIONS + 1):
        ratio.learn(1000, 1300, str(number))
    assert ratio.tokens(1000, "0") == ratio.tokens(1000)
    assert ratio.tokens(1000, "1") == 1300


def test_after_the_first_answers_the_error_is_below_three_percent() -> None:
    """A tokenizer that counts prose, code and JSON otherwise, and a conversation that mixes them."""
    chance = random.Random(7)
    ratio, estimated, true, errors = Ratio(), 20_000, 20_000 * 1.15, []
    for _ in range(30):
        ratio.learn(estimated, round(true), "a")
        part = chance.randrange(200, 6000)
        estimated, true = estimated + part, true + part * chance.choice([0.85, 1.1, 1.35])
        errors.append(abs(ratio.tokens(estimated, "a") / true - 1))
    assert sum(errors[2:]) / len(errors[2:]) < 0.03
    assert max(errors[2:]) < 0.06
