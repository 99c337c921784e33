"""How must a tool's JSON Schema be written for a provider?

Every rule takes a whole schema and gives a new one; none changes what it is given. A profile
lists the rules it needs. Who refuses what: Gemini (oh-my-pi#5604), Moonshot (vercel/ai#18921,
earendil-works/pi#4138), Kimi K2.6 (anomalyco/opencode#26405), llama.cpp's grammar.
"""

from collections.abc import Sequence

from fcc.translate.request.named import named
from fcc.translate.request.schema import shapes, words
from fcc.translate.request.schema.tree import Rule, Schema

__all__ = ["RULES", "aliases", "as_object", "rewritten"]

_CONDITIONS = ("if", "then", "else", "not", "dependentSchemas", "dependentRequired")

_SINGLE: dict[str, Rule] = {
    "drop_meta": words.dropping("$schema", "$id", "$comment", "$anchor"),
    "drop_examples": words.dropping("examples"),
    "drop_defaults": words.dropping("default"),
    "drop_patterns": words.dropping("pattern"),
    "drop_property_names": words.dropping("propertyNames", "patternProperties"),
    "drop_conditions": words.dropping(*_CONDITIONS),
    "drop_additional_properties": words.dropping("additionalProperties", "unevaluatedProperties"),
    "drop_formats": words.drop_formats,
    "anchor_patterns": words.anchor_patterns,
    "no_booleans": words.no_booleans,
    "no_type_lists": words.no_type_lists,
    "no_exclusive_bounds": words.no_exclusive_bounds,
    "const_to_enum": words.const_to_enum,
    "one_of_to_any_of": words.one_of_to_any_of,
    "merge_all_of": shapes.merge_all_of,
    "inline_refs": shapes.inline_refs,
    "tuples_to_prefix_items": shapes.tuples_to_prefix_items,
    "type_into_branches": shapes.type_into_branches,
    "type_everywhere": shapes.type_everywhere,
    "alias_type": shapes.alias_type,
}

_SETS: dict[str, tuple[str, ...]] = {
    "general": ("drop_meta", "drop_examples", "drop_formats", "no_booleans", "no_type_lists"),
    "gemini": (
        *("inline_refs", "merge_all_of", "no_exclusive_bounds", "no_booleans", "no_type_lists"),
        *("const_to_enum", "one_of_to_any_of", "drop_conditions", "drop_property_names"),
        *("drop_additional_properties", "drop_formats", "drop_meta", "drop_examples"),
        "drop_defaults",
    ),
    "nim": ("drop_meta", "no_booleans", "no_type_lists", "alias_type"),
    "moonshot": (
        *("drop_meta", "no_booleans", "no_type_lists", "tuples_to_prefix_items"),
        *("type_into_branches", "type_everywhere"),
    ),
    "llama_cpp": ("anchor_patterns", "drop_formats"),
}


def _in_order(names: Sequence[str]) -> Rule:
    def apply(schema: Schema) -> Schema:
        for name in names:
            schema = _SINGLE[name](schema)
        return schema

    return apply


RULES: dict[str, Rule] = _SINGLE | {name: _in_order(names) for name, names in _SETS.items()}
"""What a profile's `ask.schema` may name: single rules, and one provider's set of them."""


def rewritten(schema: object, names: Sequence[str]) -> Schema:
    """A tool's schema as the provider takes it: by the rules, and an object in any case."""
    result = as_object(schema)
    for name in names:
        result = named(RULES, name, "schema")(result)
    return as_object(result)


def as_object(schema: object) -> Schema:
    """The schema of an object with properties, as the arguments of a call are one."""
    result: Schema = dict(schema) if isinstance(schema, dict) else {}
    if result.get("type") != "object":
        result["type"] = "object"
    if not isinstance(result.get("properties"), dict):
        result["properties"] = {}
    return result


def aliases(given: Schema, sent: Schema) -> dict[str, str]:
    """The provider's name of an argument -> the client's, where a rule gave it another."""
    alias = shapes.alias_of_type(given)
    had, has = given["properties"], sent["properties"]
    return {alias: "type"} if "type" in had and "type" not in has and alias in has else {}
