"""Token estimates: offline, never nothing, and better with every report."""

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
