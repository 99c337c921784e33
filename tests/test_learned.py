"""What a refusal teaches of a model."""

import json

import pytest

from fcc.errors import Fix
from fcc.upstream.learned import Learned, amended

BODY = json.dumps(
    {"model": "m", "max_tokens": 1000, "top_k": 5, "messages": [{"a": "é\u2028"}]}
).encode()


def test_a_field_is_left_out() -> None:
    body = json.loads(amended(BODY, Fix(drop_field="top_k")))
    assert "top_k" not in body
    assert body["messages"] == [{"a": "é\u2028"}]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_output_limit_is_lowered(name: str) -> None:
    body = json.dumps({name: 1000}).encode()
    assert json.loads(amended(body, Fix(max_tokens=300))) == {name: 300}


@pytest.mark.parametrize("value", ["many", 10.5, None, -1, True])
def test_what_is_no_number_is_no_limit_to_lower(value: object) -> None:
    assert amended(json.dumps({"max_tokens": value}).encode(), Fix(max_tokens=5)) is None


@pytest.mark.parametrize(
    "fix",
    [
        Fix(),
        Fix(drop_field="nothing"),
        Fix(max_tokens=1000),
        Fix(max_tokens=2000),
        Fix(max_tokens=0),
    ],
)
def test_a_fix_that_changes_nothing_gives_no_body(fix: Fix) -> None:
    assert amended(BODY, fix) is None


def test_what_is_lasting_is_remembered() -> None:
    learned = Learned()
    assert learned.amend(BODY) == BODY
    learned.learn(Fix(max_tokens=300))
    learned.learn(Fix(max_tokens=500))
    learned.learn(Fix(drop_field="top_k"))
    got = json.loads(learned.amend(BODY))
    assert got["max_tokens"] == 300
    assert "top_k" not in got
    assert learned.amend(b'{"max_tokens":10}') == b'{"max_tokens":10}'


def test_what_is_true_of_one_request_is_not_remembered() -> None:
    learned = Learned()
    learned.learn(Fix(max_tokens=5, lasting=False))
    assert learned.amend(BODY) == BODY
