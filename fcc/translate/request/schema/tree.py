"""Where in a JSON Schema do further schemas stand?"""

from collections.abc import Callable
from typing import Any

__all__ = ["LISTS", "MAPS", "SINGLES", "Rule", "Schema", "everywhere"]

Schema = dict[str, Any]
Rule = Callable[[Schema], Schema]

MAPS = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
"""Keywords whose value holds schemas by name."""
LISTS = ("anyOf", "oneOf", "allOf", "prefixItems", "items")
"""Keywords whose value may be a list of schemas."""
SINGLES = (
    *("items", "additionalProperties", "additionalItems", "unevaluatedProperties"),
    *("unevaluatedItems", "contains", "propertyNames", "not", "if", "then", "else"),
)
"""Keywords whose value may be one schema."""


def everywhere(schema: Schema, rule: Rule) -> Schema:
    """A new schema: `rule` applied to every sub-schema, the innermost first, then to itself.

    Sub-schemas that are just true or false are passed over.
    """
    result: Schema = {}
    for key, value in schema.items():
        if key in MAPS and isinstance(value, dict):
            result[key] = {name: _inner(part, rule) for name, part in value.items()}
        elif key in LISTS and isinstance(value, list):
            result[key] = [_inner(part, rule) for part in value]
        elif key in SINGLES:
            result[key] = _inner(value, rule)
        else:
            result[key] = value
    return rule(result)


def _inner(part: object, rule: Rule) -> object:
    return everywhere(part, rule) if isinstance(part, dict) else part
