"""Does an object fit a tool's schema, as far as it is safe to say without a full validator?"""

from collections.abc import Mapping
from typing import Any

__all__ = ["allowed_types", "fits", "type_of"]

_NAMES: dict[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    float: "number",
    str: "string",
    list: "array",
    dict: "object",
}


def type_of(value: object) -> str:
    """JSON Schema's word for the type of a decoded JSON value."""
    return _NAMES[type(value)]


def allowed_types(schema: object) -> frozenset[str]:
    """The types a schema allows; empty where it does not say."""
    if not isinstance(schema, Mapping):
        return frozenset()
    declared = schema.get("type")
    if isinstance(declared, str):
        return frozenset((declared,))
    if isinstance(declared, list):
        return frozenset(name for name in declared if isinstance(name, str))
    if isinstance(schema.get("enum"), list):
        return frozenset(_NAMES.get(type(value), "") for value in schema["enum"])
    for union in ("anyOf", "oneOf"):
        if isinstance(schema.get(union), list):
            members = [allowed_types(member) for member in schema[union]]
            return frozenset().union(*members) if all(members) else frozenset()
    return frozenset()


def fits(value: object, schema: Mapping[str, Any]) -> bool:
    """Whether `value` is an object with every required argument, none that is forbidden, and
    declared ones of the declared type.
    """
    if not isinstance(value, dict):
        return False
    required, properties = schema.get("required"), schema.get("properties")
    if isinstance(required, list) and any(name not in value for name in required):
        return False
    if not isinstance(properties, Mapping):
        return True
    if schema.get("additionalProperties") is False and not value.keys() <= properties.keys():
        return False
    return all(_is_of(value[name], properties[name]) for name in value if name in properties)


def _is_of(value: object, schema: object) -> bool:
    types = allowed_types(schema)
    if not types or type_of(value) in types:
        return True
    if type(value) is int:
        return "number" in types
    return type(value) is float and value.is_integer() and "integer" in types
