"""What became of a Messages request on its way to a body: kept, changed, dropped, added?

It compares what there is and knows no rule of the translation, so that it tells its mistakes too.
"""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Literal, NamedTuple

__all__ = ["Change", "changes", "differences"]

_MOST = 12
"""Of one kind that are told one by one."""

_COMPARED = 300
"""Texts that are looked for in each other."""

_ELSEWHERE = ("messages", "system", "tools")
"""Fields that are not compared as they are."""


class Change(NamedTuple):
    """One line: `=` kept, `~` changed, `-` dropped, `+` added."""

    kind: Literal["=", "~", "-", "+"]
    field: str
    words: str


def changes(request: dict[str, Any], body: dict[str, Any]) -> list[Change]:
    """From the client's request to the body that went upstream."""
    return [
        *_fields(request, body),
        *_turns(request, body),
        *_tools(_list(request.get("tools")), _list(body.get("tools"))),
        *_texts(_request_texts(request), _body_texts(body)),
    ]


def differences(before: Any, after: Any, path: str = "") -> Iterator[Change]:
    """Between two JSON values, as between the bodies of two attempts."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            inner = f"{path}.{key}".lstrip(".")
            if key not in after:
                yield Change("-", inner, _short(before[key]))
            elif key not in before:
                yield Change("+", inner, _short(after[key]))
            else:
                yield from differences(before[key], after[key], inner)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for place, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from differences(one, other, f"{path}[{place}]")
    elif before != after:
        yield Change("~", path, f"{_short(before)} -> {_short(after)}")


def _fields(request: dict[str, Any], body: dict[str, Any]) -> Iterator[Change]:
    for key in dict.fromkeys((*request, *body)):
        if key in _ELSEWHERE:
            continue
        if key not in body:
            yield Change("-", key, _short(request[key]))
        elif key not in request:
            yield Change("+", key, _short(body[key]))
        elif request[key] == body[key]:
            yield Change("=", key, _short(body[key]))
        else:
            yield Change("~", key, f"{_short(request[key])} -> {_short(body[key])}")


def _turns(request: dict[str, Any], body: dict[str, Any]) -> Iterator[Change]:
    before = Counter(_role(turn) for turn in _list(request.get("messages")))
    before["system"] += bool(request.get("system"))
    after = Counter(_role(turn) for turn in _list(body.get("messages")))
    yield Change("~", "turns", f"{_counts(before)} -> {_counts(after)}")
    blocks = Counter(
        str(block.get("type"))
        for turn in _list(request.get("messages"))
        for block in _list(_get(turn, "content"))
        if isinstance(block, dict)
    )
    parts = Counter(
        str(part.get("type"))
        for turn in _list(body.get("messages"))
        for part in [*_list(_get(turn, "content")), *_list(_get(turn, "tool_calls"))]
        if isinstance(part, dict)
    )
    if blocks or parts:
        yield Change("~", "blocks", f"{_counts(blocks)} -> {_counts(parts)}")


def _tools(before: list[Any], after: list[Any]) -> Iterator[Change]:
    theirs = {str(_get(tool, "name")): _get(tool, "input_schema") for tool in before}
    functions = [_get(tool, "function") for tool in after]
    ours = {str(_get(one, "name")): _get(one, "parameters") for one in functions}
    if not (theirs or ours):
        return
    kind: Literal["=", "~"] = "=" if theirs.keys() == ours.keys() else "~"
    yield Change(kind, "tools", f"{len(theirs)} -> {len(ours)}")
    yield from _some("-", "tools", [name for name in theirs if name not in ours])
    yield from _some("+", "tools", [name for name in ours if name not in theirs])
    for name in theirs.keys() & ours.keys():
        edits = list(differences(theirs[name], ours[name]))
        if edits:
            told = [f"{edit.kind}{edit.field}" for edit in edits[:4]]
            more = f" and {len(edits) - 4} more" if len(edits) > 4 else ""
            yield Change("~", f"tools.{name}", f"{', '.join(told)}{more}")


def _texts(before: Iterable[str], after: Iterable[str]) -> Iterator[Change]:
    theirs, ours = Counter(filter(None, before)), Counter(filter(None, after))
    kept = theirs & ours
    if kept:
        size = sum(len(text) * count for text, count in kept.items())
        yield Change("=", "texts", f"{kept.total()} with {size:,} characters")
    dropped = list((theirs - ours).elements())[:_COMPARED]
    added = list((ours - theirs).elements())[:_COMPARED]
    joined = [text for text in added if any(part in text for part in dropped)]
    if joined:
        parts = [text for text in dropped if any(text in whole for whole in joined)]
        dropped = [text for text in dropped if text not in parts]
        added = [text for text in added if text not in joined]
        yield Change("~", "texts", f"{len(parts)} are part of {len(joined)}")
    yield from _some("-", "text", [_short(text) for text in dropped])
    yield from _some("+", "text", [_short(text) for text in added])


def _some(kind: Literal["-", "+"], field: str, found: list[str]) -> Iterator[Change]:
    for one in found[:_MOST]:
        yield Change(kind, field, one)
    if len(found) > _MOST:
        yield Change(kind, field, f"and {len(found) - _MOST} more")


def _request_texts(request: dict[str, Any]) -> Iterator[str]:
    yield from _strings(request.get("system"))
    for turn in _list(request.get("messages")):
        yield from _strings(_get(turn, "content"))


def _body_texts(body: dict[str, Any]) -> Iterator[str]:
    for turn in _list(body.get("messages")):
        yield from _strings(_get(turn, "content"))
        yield from _strings(_get(turn, "reasoning_content"))
        yield from _strings(_get(turn, "reasoning"))
        for call in _list(_get(turn, "tool_calls")):
            yield _canonical(_get(_get(call, "function"), "arguments"))


def _strings(content: Any) -> Iterator[str]:
    """The texts of a content, whichever of the two formats it is in."""
    if isinstance(content, str):
        yield content
    for block in _list(content):
        for key in ("text", "thinking", "content"):
            if isinstance(block, dict) and key in block:
                yield from _strings(block[key])
        if _get(block, "type") == "tool_use":
            yield _canonical(_get(block, "input"))


def _canonical(value: Any) -> str:
    """Arguments in one form, whether they are an object or its JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return str(value)
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def _counts(counter: "Counter[str]") -> str:
    told = [f"{count} {name}" for name, count in counter.items() if count]
    return ", ".join(told) or "none"


def _role(turn: Any) -> str:
    return str(_get(turn, "role"))


def _get(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _short(value: Any, most: int = 100) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= most:
        return text
    return f"{text[: most - 20]} … ({len(text):,} characters)"
