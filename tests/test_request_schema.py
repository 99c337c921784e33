"""Schema rules: what each makes of a schema, and that none changes what it is given."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fcc.settings.profile import Ask
from fcc.translate.request.schema.rules import RULES, rewritten
from tests.test_request_body import HI, sent, translated
from tests.test_request_turns import assistant, call


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


NULL = {"type": "null"}
TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("rule", "given_schema", "expected"),
    [
        ("drop_meta", {**of(a={"$id": "x", "$comment": "y"}), "$schema": "z"}, of(a={})),
        ("drop_meta", of(**{"$id": TEXT}), of(**{"$id": TEXT})),
        ("drop_examples", of(a={"examples": [1], "type": "integer"}), of(a={"type": "integer"})),
        ("drop_defaults", of(a={"default": 1}), of(a={})),
        ("drop_patterns", of(a={"pattern": "x"}, pattern=TEXT), of(a={}, pattern=TEXT)),
        ("drop_property_names", {**of(), "propertyNames": TEXT}, of()),
        ("drop_conditions", {**of(), "if": {}, "then": {}, "not": {}}, of()),
        ("drop_additional_properties", {**of(), "additionalProperties": False}, of()),
        ("drop_formats", of(a={"format": "uri"}), of(a={})),
        ("drop_formats", of(a={"format": "date-time"}), of(a={"format": "date-time"})),
        ("anchor_patterns", of(a={"pattern": "x"}), of(a={"pattern": "^.*x.*$"})),
        ("anchor_patterns", of(a={"pattern": "^x$"}), of(a={"pattern": "^x$"})),
        ("anchor_patterns", of(a={"pattern": "^x"}), of(a={"pattern": "^x.*$"})),
        ("no_booleans", of(a=True, b={"items": True}), of(a={}, b={"items": {}})),
        (
            "no_booleans",
            {**of(a=False, b=TEXT), "required": ["a", "b"], "additionalProperties": False},
            {**of(b=TEXT), "required": ["b"]},
        ),
        ("no_booleans", of(a={"anyOf": [True, False, TEXT]}), of(a={"anyOf": [{}, TEXT]})),
        (
            "no_booleans",
            of(a={"default": True, "enum": [False]}),
            of(a={"default": True, "enum": [False]}),
        ),
        (
            "no_booleans",
            {**of(), "additionalProperties": True},
            {**of(), "additionalProperties": {}},
        ),
        ("no_type_lists", of(a={"type": ["string", "null"]}), of(a={"anyOf": [TEXT, NULL]})),
        ("no_type_lists", of(a={"type": ["string"]}), of(a=TEXT)),
        (
            "no_type_lists",
            of(
                a={
                    "type": ["string", "null"],
                    "description": "d",
                    "minLength": 1,
                    "enum": ["x", None],
                }
            ),
            of(a={"anyOf": [{**TEXT, "minLength": 1, "enum": ["x"]}, NULL], "description": "d"}),
        ),
        (
            "no_exclusive_bounds",
            of(a={"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}),
            of(a={"type": "integer", "minimum": 1, "maximum": 9}),
        ),
        ("no_exclusive_bounds", of(a={"exclusiveMinimum": 0.5}), of(a={"minimum": 0.5})),
        ("const_to_enum", of(a={"const": "x"}, const=TEXT), of(a={"enum": ["x"]}, const=TEXT)),
        ("one_of_to_any_of", of(a={"oneOf": [TEXT, NULL]}), of(a={"anyOf": [TEXT, NULL]})),
        (
            "merge_all_of",
            of(x={"allOf": [{**of(a=TEXT), "required": ["a"]}, {**of(b=TEXT), "required": ["b"]}]}),
            of(x={**of(a=TEXT, b=TEXT), "required": ["a", "b"]}),
        ),
        ("inline_refs", {**of(a={"$ref": "#/$defs/T"}), "$defs": {"T": TEXT}}, of(a=TEXT)),
        (
            "inline_refs",
            {
                **of(a={"$ref": "#/definitions/L"}),
                "definitions": {"L": of(next={"$ref": "#/definitions/L"})},
            },
            of(a=of(next={})),
        ),
        ("inline_refs", of(a={"$ref": "https://elsewhere"}), of(a={})),
        (
            "tuples_to_prefix_items",
            of(a={"type": "array", "items": [TEXT, NULL]}),
            of(a={"type": "array", "prefixItems": [TEXT, NULL]}),
        ),
        (
            "type_into_branches",
            of(a={"type": "string", "anyOf": [{"minLength": 1}, {"enum": [""]}]}),
            of(a={"anyOf": [{**TEXT, "minLength": 1}, {**TEXT, "enum": [""]}]}),
        ),
        (
            "type_everywhere",
            of(a={"enum": ["x"]}, b={"items": TEXT}, c={"properties": {}}, d=TEXT),
            of(
                a={"type": "string", "enum": ["x"]},
                b={"type": "array", "items": TEXT},
                c={"type": "object", "properties": {}},
                d=TEXT,
            ),
        ),
        (
            "alias_type",
            {**of(type=TEXT, type_=NULL), "required": ["type"]},
            {**of(type__=TEXT, type_=NULL), "required": ["type__"]},
        ),
        ("alias_type", of(a=of(type=TEXT)), of(a=of(type=TEXT))),
    ],
)
def test_a_rule(rule: str, given_schema: Any, expected: Any) -> None:
    assert rewritten(given_schema, [rule]) == expected


def test_rules_apply_in_the_order_the_profile_has_them() -> None:
    schema = of(a={"oneOf": [{"const": 1}]})
    assert rewritten(schema, ["const_to_enum", "one_of_to_any_of"]) == of(
        a={"anyOf": [{"enum": [1]}]}
    )


def test_definitions_that_double_each_other_stay_small() -> None:
    defs = {
        f"d{n}": of(a={"$ref": f"#/$defs/d{n + 1}"}, b={"$ref": f"#/$defs/d{n + 1}"})
        for n in range(40)
    }
    made = rewritten(
        {**of(x={"$ref": "#/$defs/d0"}), "$defs": {**defs, "d40": TEXT}}, ["inline_refs"]
    )
    assert len(repr(made)) < 200_000


REFUSED_BY_GEMINI = {
    *("$schema", "additionalProperties", "exclusiveMinimum", "exclusiveMaximum", "propertyNames"),
    *("patternProperties", "const", "$ref", "$defs", "allOf", "oneOf", "not", "if"),
}

LEAF = st.sampled_from(
    [
        TEXT,
        {"type": ["string", "null"]},
        {"const": 1},
        {"type": "number", "exclusiveMinimum": 0},
        {"$ref": "#/$defs/x"},
        True,
        False,
        {"type": "string", "format": "uri"},
        {},
    ]
)
SCHEMAS = st.recursive(
    LEAF,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "properties": st.dictionaries(
                st.sampled_from(["a", "type", "items"]), inner, max_size=3
            ),
            "required": st.just(["a", "type"]),
            "items": inner,
            "anyOf": st.lists(inner, max_size=2),
            "oneOf": st.lists(inner, max_size=2),
            "allOf": st.lists(inner, max_size=2),
            "additionalProperties": inner,
            "propertyNames": inner,
            "$defs": st.dictionaries(st.just("x"), inner),
            "not": inner,
            "enum": st.just([1, None]),
        },
    ),
    max_leaves=12,
)


def keywords(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {key for part in schema for key in keywords(part)}
    if not isinstance(schema, dict):
        return set()
    inner = [*schema.get("properties", {}).values()]
    inner += [value for key, value in schema.items() if key not in ("properties", "enum")]
    return {*schema, *(key for part in inner for key in keywords(part))}


@given(schema=SCHEMAS)
def test_gemini_gets_no_keyword_that_it_refuses(schema: Any) -> None:
    assert not keywords(rewritten(schema, ["gemini"])) & REFUSED_BY_GEMINI


@settings(max_examples=30)
@pytest.mark.parametrize("rule", RULES)
@given(schema=SCHEMAS)
def test_no_rule_fails_or_changes_its_input_and_the_root_stays_an_object(
    rule: str, schema: Any
) -> None:
    before = copy.deepcopy(schema)
    made = rewritten(schema, [rule])
    assert schema == before
    assert made["type"] == "object"
    assert isinstance(made["properties"], dict)


def test_an_argument_under_another_name_has_it_in_the_history_too_and_can_be_turned_back() -> None:
    ask = Ask(schema=("nim",))
    tools = [{"name": "Stat", "input_schema": of(type=TEXT, path=TEXT)}]
    turns = [*HI, assistant(call("a", type="x", path="/"))]
    body = sent(turns, ask, tools=tools)
    assert list(body["tools"][0]["function"]["parameters"]["properties"]) == ["type_", "path"]
    arguments = body["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert arguments == '{"type_":"x","path":"/"}'
    assert translated(turns, ask, tools=tools).tools[0].aliases == {"type_": "type"}
    assert translated(turns, tools=tools).tools[0].aliases == {}


def test_what_is_no_name_is_not_required() -> None:
    ask = Ask(schema=("no_booleans",))
    schema = {**of(path=TEXT), "required": [{}, ["path"], "path", None]}
    body = sent(HI, ask, tools=[{"name": "Stat", "input_schema": schema}])
    assert body["tools"][0]["function"]["parameters"]["required"] == ["path"]
