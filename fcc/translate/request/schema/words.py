"""Which keywords are left out, and which are said in another way?"""

from fcc.translate.request.schema.tree import LISTS, MAPS, SINGLES, Rule, Schema, everywhere

__all__ = [
    "anchor_patterns",
    "const_to_enum",
    "drop_formats",
    "dropping",
    "no_booleans",
    "no_exclusive_bounds",
    "no_type_lists",
    "one_of_to_any_of",
]


def dropping(*keys: str) -> Rule:
    """A rule that leaves these keywords out everywhere."""

    def drop(part: Schema) -> Schema:
        return {key: value for key, value in part.items() if key not in keys}

    return lambda schema: everywhere(schema, drop)


def drop_formats(schema: Schema) -> Schema:
    """Only `date-time` and `enum` stay: Gemini takes these two formats and no other."""

    def drop(part: Schema) -> Schema:
        if part.get("format") in ("enum", "date-time"):
            return part
        return {key: value for key, value in part.items() if key != "format"}

    return everywhere(schema, drop)


def anchor_patterns(schema: Schema) -> Schema:
    """llama.cpp's grammar wants a pattern from ^ to $; a side that was open stays open."""

    def anchor(part: Schema) -> Schema:
        pattern = part.get("pattern")
        if not isinstance(pattern, str) or (pattern[:1] == "^" and pattern[-1:] == "$"):
            return part
        start = "" if pattern.startswith("^") else "^.*"
        end = "" if pattern.endswith("$") else ".*$"
        return {**part, "pattern": f"{start}{pattern}{end}"}

    return everywhere(schema, anchor)


def no_booleans(schema: Schema) -> Schema:
    """True allows anything, as {} does; what is false can't be there and is left out."""

    def spell(part: Schema) -> Schema:
        result: Schema = {}
        for key, value in part.items():
            if key in MAPS and isinstance(value, dict):
                kept = {name: _open(sub) for name, sub in value.items() if sub is not False}
                result[key] = kept
            elif key in LISTS and isinstance(value, list):
                result[key] = [_open(sub) for sub in value if sub is not False]
            elif key not in SINGLES or value is not False:
                result[key] = _open(value) if key in SINGLES else value
        return _only_known_required(result)

    return everywhere(schema, spell)


def _open(value: object) -> object:
    return {} if value is True else value


def _only_known_required(part: Schema) -> Schema:
    required, properties = part.get("required"), part.get("properties")
    if not isinstance(required, list) or not isinstance(properties, dict):
        return part
    known = [name for name in required if isinstance(name, str) and name in properties]
    return {**part, "required": known}


def no_type_lists(schema: Schema) -> Schema:
    """`type: [string, null]` as one branch for each type."""

    def spell(part: Schema) -> Schema:
        types = part.get("type")
        if not isinstance(types, list):
            return part
        rest = {key: value for key, value in part.items() if key != "type"}
        if not types or "anyOf" in part:
            return rest
        if len(types) == 1:
            return {"type": types[0], **rest}
        comments = {key: rest[key] for key in _COMMENTS if key in rest}
        return {"anyOf": [_branch(kind, rest) for kind in types], **comments}

    return everywhere(schema, spell)


_COMMENTS = ("title", "description", "default", "examples")
_NUMBER = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
_OF_TYPE = {
    "object": ("properties", "required", *MAPS[1:], "additionalProperties", "propertyNames"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains"),
    "string": ("pattern", "format", "minLength", "maxLength"),
    "number": _NUMBER,
    "integer": _NUMBER,
}
"""Which keywords speak of values of a type."""


def _branch(kind: object, rest: Schema) -> Schema:
    own = _OF_TYPE.get(str(kind), ())
    branch: Schema = {"type": kind, **{key: rest[key] for key in own if key in rest}}
    if isinstance(rest.get("enum"), list) and kind != "null":
        branch["enum"] = [value for value in rest["enum"] if value is not None]
    return branch


def no_exclusive_bounds(schema: Schema) -> Schema:
    """Inclusive bounds: the next whole number for integers, the same number else."""

    def spell(part: Schema) -> Schema:
        step = 1 if part.get("type") == "integer" else 0
        result = {key: value for key, value in part.items() if not key.startswith("exclusive")}
        low, high = part.get("exclusiveMinimum"), part.get("exclusiveMaximum")
        if isinstance(low, int | float):
            result.setdefault("minimum", low + step)
        if isinstance(high, int | float):
            result.setdefault("maximum", high - step)
        return result

    return everywhere(schema, spell)


def const_to_enum(schema: Schema) -> Schema:
    """`const: x` as an enum of one."""

    def spell(part: Schema) -> Schema:
        if "const" not in part:
            return part
        rest = {key: value for key, value in part.items() if key != "const"}
        return {**rest, "enum": [part["const"]]}

    return everywhere(schema, spell)


def one_of_to_any_of(schema: Schema) -> Schema:
    """`oneOf` as the looser `anyOf`."""

    def spell(part: Schema) -> Schema:
        if not isinstance(part.get("oneOf"), list):
            return part
        rest = {key: value for key, value in part.items() if key != "oneOf"}
        return {**rest, "anyOf": [*part.get("anyOf", ()), *part["oneOf"]]}

    return everywhere(schema, spell)
