"""Where a JSON value does not satisfy a JSON Schema."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.translate.valid import misfit

STRING: dict[str, Any] = {"type": "string"}
PAIR = {"type": "object", "properties": {"a": STRING, "b": {"type": "integer"}}, "required": ["a"]}
CLOSED = {**PAIR, "additionalProperties": False}
TREE: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"below": {"type": "array", "items": {"$ref": "#/$defs/node"}}},
            "required": ["name"],
        }
    },
}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({}, None), (True, 1), (STRING, "x"), ({"type": ["string", "null"]}, None),
        ({"type": "number"}, 1), ({"type": "number"}, 1.5), ({"type": "integer"}, 2.0),
        (PAIR, {"a": "x"}), (PAIR, {"a": "x", "b": 1, "c": 2}), (CLOSED, {"a": "x", "b": 1}),
        ({"enum": ["a", 1, None]}, 1.0), ({"const": {"a": [1]}}, {"a": [1.0]}),
        ({"type": "array", "items": STRING}, []), ({"type": "array", "items": STRING}, ["a", "b"]),
        ({"prefixItems": [STRING, {"type": "integer"}], "items": False}, ["a", 1]),
        ({"items": [STRING]}, ["a", 1]), ({"minItems": 1, "maxItems": 2}, [1, 2]),
        ({"minimum": 1, "maximum": 3}, 3), ({"exclusiveMinimum": 1}, 1.5), ({"minLength": 2}, "ab"),
        ({"minimum": 5}, "text"), ({"minLength": 5}, 1), ({"properties": {"a": STRING}}, [1]),
        ({"anyOf": [STRING, {"type": "null"}]}, None), ({"allOf": [STRING, {"maxLength": 3}]}, "abc"),
        ({"oneOf": [STRING, {"type": "integer"}]}, 1), ({"not": STRING}, 1),
        (TREE, {"name": 1, "below": [{"name": 2, "below": []}]}),
        ({"$ref": "https://elsewhere/x"}, 1), ({"$ref": "#/nowhere"}, 1), ({"$ref": 5}, 1),
        ({"type": "object", "additionalProperties": STRING}, {"x": "y"}),
        ({"additionalProperties": False, "patternProperties": {"^x": {}}}, {"xa": 1}),
        ({"properties": {"a/b~c": STRING}, "allOf": [{"$ref": "#/properties/a~1b~0c"}]}, "x"),
        ({"type": 5, "enum": "x", "required": [[], 3], "properties": [], "anyOf": {}, "items": 3}, {}),
        ({"pattern": "(a+)+$", "format": "date", "unknown": 1}, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa!"),
    ],
)  # fmt: skip
def test_what_fits_has_no_misfit(schema: Any, value: Any) -> None:
    assert misfit(value, schema) == ""


@pytest.mark.parametrize(
    ("schema", "value", "words"),
    [
        (False, 1, "$: must not be there"),
        (STRING, 1, "$: must be string, not integer"),
        ({"type": ["string", "null"]}, 1.5, "$: must be string or null, not number"),
        ({"type": "integer"}, True, "$: must be integer, not boolean"),
        ({"type": "number"}, False, "$: must be number, not boolean"),
        ({"type": "integer"}, 2.5, "$: must be integer, not number"),
        (PAIR, {"b": 1}, "$: 'a' is missing"),
        (PAIR, {"a": "x", "b": "1"}, "$.b: must be integer, not string"),
        (CLOSED, {"a": "x", "c": 1}, "$.c: must not be there"),
        ({"additionalProperties": STRING}, {"c": 1}, "$.c: must be string, not integer"),
        ({"enum": ["a", 1]}, True, '$: must be one of ["a",1]'),
        ({"const": [1]}, [1, 2], "$: must be [1]"),
        ({"items": STRING}, ["a", 1], "$[1]: must be string, not integer"),
        ({"prefixItems": [STRING], "items": False}, ["a", 1], "$[1]: must not be there"),
        ({"items": [STRING]}, [1], "$[0]: must be string, not integer"),
        ({"minItems": 1}, [], "$: must have at least 1 items"),
        ({"maxLength": 2}, "abc", "$: must have at most 2 characters"),
        ({"minimum": 1}, 0.5, "$: must be at least 1"),
        ({"exclusiveMaximum": 1}, 1, "$: must be less than 1"),
        ({"minProperties": 1}, {}, "$: must have at least 1 properties"),
        ({"oneOf": [STRING, {"maxLength": 3}]}, "a", "exactly one schema of oneOf, and fits 2"),
        ({"not": STRING}, "a", "$: must not fit the schema of not"),
        ({"allOf": [STRING, {"maxLength": 1}]}, "ab", "$: must have at most 1 characters"),
        (
            {"anyOf": [STRING, {"type": "null"}]},
            1,
            "$: fits none of anyOf ($: must be string, not integer; or $: must be null, not integer)",
        ),
        (TREE, {"name": 1, "below": [{"name": 1}, {}]}, "$.below[1]: 'name' is missing"),
    ],
)
def test_the_first_misfit_is_told_with_its_place(schema: Any, value: Any, words: str) -> None:
    assert words in misfit(value, schema)


def test_a_schema_that_goes_round_in_circles_judges_nothing() -> None:
    assert misfit(1, {"$ref": "#"}) == ""
    assert misfit(1, {"allOf": [{"$ref": "#"}, {"$ref": "#"}]}) == ""


def test_a_schema_that_doubles_with_every_step_is_given_up() -> None:
    steps = {f"d{n}": {"allOf": [{"$ref": f"#/d{n + 1}"}] * 2} for n in range(60)}
    assert misfit("x", {**steps, "$ref": "#/d0"}) == ""


@pytest.mark.parametrize("reference", ["#node", "other.json", "", "#/$defs/none", 1])
def test_a_reference_that_leads_nowhere_asks_nothing(reference: Any) -> None:
    part = {"$anchor": "node", "type": "string"}
    schema = {"type": "object", "properties": {"a": {"$ref": reference}}, "$defs": {"part": part}}
    assert misfit({"a": "text"}, schema) == ""


@pytest.mark.parametrize("before", range(7))
def test_a_value_of_which_not_all_is_looked_at_is_not_found_wrong(before: int) -> None:
    either = {"oneOf": [{"type": "integer"}, {"type": "string"}]}
    item = {"properties": {"a": either, "b": {"not": {"type": "string"}}}}
    schema = {"allOf": [True] * before, "items": item}
    assert misfit([{"a": 1, "b": 2}] * 10_000, schema) == ""


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=8,
)
_WORDS = st.sampled_from(
    [
        "type",
        "enum",
        "const",
        "required",
        "properties",
        "additionalProperties",
        "items",
        "prefixItems",
        "minItems",
        "maximum",
        "minLength",
        "anyOf",
        "allOf",
        "oneOf",
        "not",
        "$ref",
        "$defs",
    ]
)


@given(_JSON, st.dictionaries(_WORDS, _JSON, max_size=5))
def test_no_schema_is_too_odd(value: Any, schema: dict[str, Any]) -> None:
    assert isinstance(misfit(value, schema), str)


@given(_JSON)
def test_every_value_is_its_own_const_and_in_its_own_enum(value: Any) -> None:
    assert misfit(value, {"const": value, "enum": [value]}) == ""
