"""The JSON alone, without what a model puts around it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.reply.alone import alone

SCHEMA = {
    "type": "object",
    "properties": {"a": {"type": "integer"}},
    "required": ["a"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    "said",
    [
        '{"a": 1}', ' \n{"a": 1}\n', '\ufeff{"a": 1}', '```json\n{"a": 1}\n```', '```\n{"a": 1}```',
        'Here it is:\n```json\n{"a": 1}\n```\nAnything else?', 'Sure! {"a": 1}', '{"a": 1} Done.',
        'As [1] says, {this} is it: {"a": 1} [2]', 'I drop {"b": 1} and take {"a": 1}.',
        'First {"a": "x"}, better {"a": 1}', '{"a": 1}\n\nAgain: {"a": 1}', '[x](y) {} [] {"a": 1}',
        'Use {"a": <integer>} like this: {"a": 1}', '~~~json\n{"a": 1}\n~~~',
    ],
)  # fmt: skip
def test_what_stands_around_it_is_taken_off(said: str) -> None:
    assert alone(said, SCHEMA).text == '{"a": 1}'


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ("", "there is no whole JSON value in it"),
        ("I can't do that.", "there is no whole JSON value in it"),
        ('{"a": 1', "there is no whole JSON value in it"),
        ('{"a": NaN}', "there is no whole JSON value in it"),
        ('{"a": "x"}', "$.a: must be integer, not string"),
        ('See: {"a": "x"}', "$.a: must be integer, not string"),
        ('"{\\"a\\": 1}"', "$: must be object, not string"),
        ('[{"a": 1}]', "$: must be object, not array"),
        ('{"x": {"a": 1}', "there is no whole JSON value in it"),
        ('Either {"a": 1} or {"a": 2}', "there are several JSON values in it"),
    ],
)
def test_what_is_wrong_is_told(said: str, wrong: str) -> None:
    found = alone(said, SCHEMA)
    assert (found.text, found.wrong) == (None, wrong)


def test_a_part_of_a_broken_value_is_not_the_answer() -> None:
    assert alone('{"items": [{"a": 1}, {"a":', {"type": "object"}).text is None


def test_a_value_that_is_no_object_counts_where_it_stands_alone() -> None:
    assert alone("5", {"type": "integer"}).text == "5"
    assert alone('```\n"x"\n```', {"type": "string"}).text == '"x"'
    assert alone("[1, 2]", {"type": "array"}).text == "[1, 2]"
    assert alone("It is 5", {"type": "integer"}).text is None


def test_the_text_is_kept_as_it_was_written() -> None:
    said = '{ "a" : 1e3 , "b":"\\u00e4```\\n{}" }'
    assert alone(f"```json\n{said}\n```", {"type": "object"}).text == said


_VALUES = st.dictionaries(st.text(max_size=4), st.integers() | st.text(max_size=9), max_size=4)
_PROSE = st.text(alphabet=st.characters(exclude_characters='{}[]"`'), max_size=30)


@given(_PROSE, _VALUES, _PROSE, st.booleans())
def test_prose_around_any_object_is_taken_off(
    before: str, value: dict[str, Any], after: str, fence: bool
) -> None:
    text = json.dumps(value)
    inner = f"\n```json\n{text}\n```\n" if fence else text
    found = alone(before + inner + after, {"type": "object"})
    assert found.text is not None
    assert json.loads(found.text) == value


@given(st.text(alphabet='{}[]",:1a `\n\\', max_size=60))
def test_what_is_given_is_json_whatever_was_said(said: str) -> None:
    found = alone(said, {})
    assert (found.text is None) == bool(found.wrong)
    if found.text is not None:
        json.loads(found.text)


@pytest.mark.parametrize(
    "said", ['{"' * 50_000, "[" * 50_000, "[0," * 50_000, '{"a' * 50_000 + '"', "{ " * 50_000]
)
def test_brackets_without_end_are_given_up(said: str) -> None:
    assert alone(said, {}).text is None


@pytest.mark.parametrize("blank", [" ", "\t", "\n", " \n"])
def test_a_fence_full_of_blanks_is_given_up(blank: str) -> None:
    assert alone("```json\n{" + blank * 300_000 + "x", {}).text is None
