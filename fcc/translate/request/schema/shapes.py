"""How is a JSON Schema rebuilt for providers that know only some of its shapes?"""

from typing import Any

from fcc.translate.request.schema.tree import Schema, everywhere

__all__ = [
    "alias_of_type",
    "alias_type",
    "inline_refs",
    "merge_all_of",
    "tuples_to_prefix_items",
    "type_everywhere",
    "type_into_branches",
]


_REFERENCES = ("$ref", "$defs", "definitions")


def inline_refs(schema: Schema) -> Schema:
    """Every `$ref` into the schema itself as what it stands for; a circle ends in {}."""
    return everywhere(schema, _Refs(schema).inline)


class _Refs:
    """Looks references up in one schema."""

    LIMIT = 1000
    """References followed in all: definitions that use each other twice grow as 2 to the n."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._open: list[str] = []
        self._followed = 0

    def inline(self, part: Schema) -> Schema:
        """`part` with what it refers to in the place of the reference."""
        rest = {key: value for key, value in part.items() if key not in _REFERENCES}
        ref = part.get("$ref")
        if not isinstance(ref, str):
            return rest
        self._followed += 1
        if ref in self._open or self._followed > self.LIMIT:
            return rest
        self._open.append(ref)
        found = everywhere(self._at(ref), self.inline)
        self._open.pop()
        return {**found, **rest}

    def _at(self, ref: str) -> Schema:
        place: Any = self._root if ref.startswith("#") else {}
        for step in ref.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            place = place.get(name) if isinstance(place, dict) else None
        return place if isinstance(place, dict) else {}


def merge_all_of(schema: Schema) -> Schema:
    """`allOf` as one schema with the properties and requirements of all of them."""

    def merge(part: Schema) -> Schema:
        if not isinstance(part.get("allOf"), list):
            return part
        result = {key: value for key, value in part.items() if key != "allOf"}
        for branch in part["allOf"]:
            if isinstance(branch, dict):
                result = _both(result, branch)
        return result

    return everywhere(schema, merge)


def _both(one: Schema, other: Schema) -> Schema:
    result = {**other, **one}
    for key in ("properties", "$defs", "definitions"):
        if isinstance(one.get(key), dict) and isinstance(other.get(key), dict):
            result[key] = {**one[key], **other[key]}
    if isinstance(one.get("required"), list) and isinstance(other.get("required"), list):
        result["required"] = list(dict.fromkeys([*one["required"], *other["required"]]))
    return result


def tuples_to_prefix_items(schema: Schema) -> Schema:
    """`items: [a, b]`, the older way to write a tuple, as `prefixItems`."""

    def spell(part: Schema) -> Schema:
        if not isinstance(part.get("items"), list):
            return part
        rest = {key: value for key, value in part.items() if key != "items"}
        return {**rest, "prefixItems": part["items"]}

    return everywhere(schema, spell)


def type_into_branches(schema: Schema) -> Schema:
    """A `type` beside `anyOf` as the type of each branch (Moonshot)."""

    def move(part: Schema) -> Schema:
        branches, kind = part.get("anyOf"), part.get("type")
        if not isinstance(branches, list) or kind is None:
            return part
        rest = {key: value for key, value in part.items() if key != "type"}
        typed = [{"type": kind, **b} if isinstance(b, dict) else b for b in branches]
        return {**rest, "anyOf": typed}

    return {**everywhere(schema, move), "type": "object"}


_ANY = [{"type": kind} for kind in ("string", "number", "boolean", "object", "array", "null")]
_HINTS = {"properties": "object", "required": "object", "items": "array", "prefixItems": "array"}
_ELSEWHERE = ("type", "anyOf", "oneOf", "allOf", "$ref")


def type_everywhere(schema: Schema) -> Schema:
    """A type for every property: by what else is said of it, else any (Moonshot)."""

    def name_types(part: Schema) -> Schema:
        properties = part.get("properties")
        if not isinstance(properties, dict):
            return part
        return {**part, "properties": {name: _typed(sub) for name, sub in properties.items()}}

    return everywhere(schema, name_types)


def _typed(part: object) -> object:
    if not isinstance(part, dict) or any(key in part for key in _ELSEWHERE):
        return part
    for key, kind in _HINTS.items():
        if key in part:
            return {"type": kind, **part}
    values = part.get("enum")
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return {"type": "string", **part}
    return {**part, "anyOf": _ANY}


def alias_type(schema: Schema) -> Schema:
    """An argument named `type` under another name: NVIDIA NIM takes it for the keyword."""
    properties = schema.get("properties")
    if not isinstance(properties, dict) or "type" not in properties:
        return schema
    alias = alias_of_type(schema)
    renamed = {(alias if name == "type" else name): sub for name, sub in properties.items()}
    result = {**schema, "properties": renamed}
    if isinstance(schema.get("required"), list):
        result["required"] = [alias if name == "type" else name for name in schema["required"]]
    return result


def alias_of_type(schema: Schema) -> str:
    """`type_`, with as many underscores as it takes to be new among the arguments."""
    alias = "type_"
    while alias in schema.get("properties", {}):
        alias += "_"
    return alias
