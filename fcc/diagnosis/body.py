"""What does an error body say, whatever its shape?

The shapes, with who sends them: {"error":{...}} (OpenAI and most), [{"error":{...}}] (Gemini),
{"error":"text"} (LM Studio, Hugging Face), {"code":"prose","error":"text"} (xAI), the fields at
the top (Mistral, Cerebras, SGLang), {"status","title","detail"} (NVIDIA, RFC 7807), {"detail":[...]}
(FastAPI), {"type":"error","error":{...}} and base_resp (MiniMax), an upstream body as a string in
metadata.raw (OpenRouter), HTML, plain text, JSON that was cut off, and nothing at all.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from fcc.diagnosis import words
from fcc.diagnosis.pattern import Pattern
from fcc.diagnosis.report import Report, joined, scalar, spelled

__all__ = ["read", "read_value"]

_MAX_DEPTH = 8
_MAX_TEXT = 8000
"""Characters of one text that are looked at, its beginning and its end."""

_TEXTS = ("message", "detail", "details", "error_message", "msg", "error_msg", "status_msg",
          "errors", "description", "error_description", "reason", "title")  # fmt: skip
_JSON = Pattern(r"[{\[\"]|-?[0-9]+$|null$|true$|false$")
_INNER = ("error", "base_resp", "response")
_CODES = ("code", "type", "status", "error_code", "error_type", "errorCode", "reason", "quotaId",
          "__type", "limit_source")  # fmt: skip
_STATUSES = ("http_code", "status_code", "http_status", "statusCode", "status", "code", "error")
_GENERIC = Pattern(r"(?i)(?:provider returned (?:an )?error|upstream error|error|unknown error)\W*")

# MiniMax, platform.minimax.io error codes.
_BASE_RESP = {1000: 500, 1001: 504, 1002: 429, 1004: 401, 1008: 402, 1013: 500, 1024: 500,
              1026: 400, 1027: 400, 1033: 500, 1039: 429, 1041: 429, 2013: 400, 2049: 401,
              2056: 429}  # fmt: skip


def read(raw: bytes) -> Report:
    """What a body, or any JSON in it, says, given as it came."""
    text = raw.decode("utf-8", "replace").lstrip("\ufeff").strip()
    if text.startswith(("data:", "event:", ":")):
        text = next((data for data in _data(text) if _JSON.match(data)), text)
    value = _decoded(text)
    if value is msgspec.UNSET:
        return _of_text(text, 0)
    report = read_value(value)
    if report.text.strip() or not isinstance(value, dict | list) or not value:
        return report
    return msgspec.structs.replace(report, text=words.shorten(text, _MAX_TEXT))


def read_value(value: object, depth: int = 0) -> Report:
    """What a decoded body says, or the value of its `error`, or a whole chunk."""
    if depth > _MAX_DEPTH or value is None or isinstance(value, bool):
        return Report()
    if isinstance(value, bytes | bytearray | msgspec.Raw):
        return read(bytes(value))
    if isinstance(value, str):
        return _of_text(value, depth)
    if isinstance(value, int | float):
        return Report(text=scalar(value), status=_status(value))
    if isinstance(value, list | tuple):
        return _of_list(value, depth)
    return _of_dict(value, depth) if isinstance(value, dict) else Report()


def _decoded(text: str) -> Any:
    """The value of a JSON text, or UNSET."""
    if not _JSON.match(text):
        return msgspec.UNSET
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return msgspec.UNSET


def _data(text: str) -> Iterator[str]:
    for line in text.splitlines():
        if line.startswith("data:"):
            yield line[5:].strip()


def _of_text(text: str, depth: int) -> Report:
    value = _decoded(text.strip())
    if isinstance(value, dict | list) and depth < _MAX_DEPTH:
        report = read_value(value, depth + 1)
        shown = report.text or words.shorten(text, _MAX_TEXT)
        return msgspec.structs.replace(report, text=shown)
    if words.is_page(text):
        return Report(text=words.shorten(text, _MAX_TEXT), page=True)
    return _salvaged(words.shorten(text, _MAX_TEXT))


_QUOTED = r"\s{0,3}:\s{0,3}(?:\"((?:[^\"\\]|\\.)*)|'((?:[^'\\]|\\.)*))"
_SAVED_TEXT = Pattern(rf"(?s)[\"'](?:message|detail|msg)[\"']{_QUOTED}")
_SAVED_CODE = Pattern(rf"[\"'](?:code|type|status)[\"']{_QUOTED}")
_SAVED_PATH = Pattern(r"[\"']loc[\"']\s{0,3}:\s{0,3}[(\[]([^)\]]{1,200})")
_SAVED_STATUS = Pattern(
    r"(?i)(?:[\"'](?:code|status|status_code|http_code)[\"']\s?:\s?[\"']?|\berror code:\s?"
    r"|\bHTTP(?: status)?(?: code)?:? )([45][0-9]{2})\b"
)


def _salvaged(text: str) -> Report:
    """A text that may be JSON with its end cut off, or Python's repr of a dict."""
    message = _SAVED_TEXT.search(text) if "{" in text else None
    status = _SAVED_STATUS.search(text)
    codes = (a or b for a, b in _SAVED_CODE.findall(text)) if message else ()
    shown = _unescaped(message[1] or message[2] or "") if message else ""
    return Report(
        text=_with_path(text, shown) if shown.strip() else text,
        codes=spelled(codes),
        status=int(status[1]) if status else None,
    )


def _with_path(text: str, message: str) -> str:
    """The message with the field it is about, as pydantic tells it in `loc`."""
    found = _SAVED_PATH.search(text)
    path = ".".join(re.findall(r"\w+", found[1])) if found else ""
    return f"{path}: {message}" if path else message


def _unescaped(text: str) -> str:
    return text.replace("\\n", " ").replace('\\"', '"').replace("\\'", "'")


def _of_list(values: list[Any] | tuple[Any, ...], depth: int) -> Report:
    """Gemini's array of one, or FastAPI's list of what is wrong with which field."""
    reports = [read_value(value, depth + 1) for value in values[:20]]
    return joined(reports, "; ".join(report.text for report in reports if report.text))


def _of_dict(fields: dict[Any, Any], depth: int) -> Report:
    """The fields of this level, after those of the error inside it."""
    metadata = fields.get("metadata")
    details = fields.get("details")
    inner = [read_value(fields.get(name), depth + 1) for name in _INNER]
    outer = _level(fields, depth)
    deeper = [
        _level(part, depth, told=False)
        for part in (metadata, *_parts(details))
        if isinstance(part, dict)
    ]
    raw = read_value(metadata.get("raw"), depth + 1) if isinstance(metadata, dict) else Report()
    text = next((report.text for report in (*inner, outer) if report.text.strip()), "")
    if raw.text and (not text or _GENERIC.fullmatch(text)):
        text = raw.text
    return joined([*inner, outer, *deeper, raw], text)


def _parts(details: object) -> list[Any]:
    """Gemini's details and, inside of QuotaFailure, the quotas that were hit."""
    parts = list(details[:20]) if isinstance(details, list) else []
    for part in tuple(parts):
        violations = part.get("violations") if isinstance(part, dict) else None
        parts += violations[:20] if isinstance(violations, list) else []
    return parts


def _level(fields: dict[Any, Any], depth: int, *, told: bool = True) -> Report:
    """What the fields of one object say themselves; `told`: also its text."""
    generation = fields.get("failed_generation")
    param = fields.get("param")
    return Report(
        text=_text(fields, depth) if told else "",
        codes=spelled(value for name in _CODES if isinstance(value := fields.get(name), str | int)),
        param=param if isinstance(param, str) else "",
        status=_status_of(fields),
        headers=_headers(fields),
        numbers={
            name: value
            for name in ("n_prompt_tokens", "n_ctx")
            if type(value := fields.get(name)) is int
        },
        generation=generation if isinstance(generation, str) else "",
    )


def _text(fields: dict[Any, Any], depth: int) -> str:
    where = fields.get("loc")
    for name in _TEXTS:
        text = read_value(fields.get(name), depth + 1).text
        if text.strip():
            path = ".".join(map(scalar, where)) if isinstance(where, list | tuple) else ""
            return f"{path}: {text}" if path else text
    return ""


def _headers(fields: dict[Any, Any]) -> dict[str, str]:
    headers = fields.get("headers")
    found = {}
    if isinstance(headers, dict):
        found = {scalar(name).lower(): scalar(value) for name, value in headers.items()}
    for name in (
        "retryDelay",
        "retry_after",
        "retry_after_seconds",
        "retryAfter",
        "estimated_time",
    ):
        if wait := scalar(fields.get(name)):
            found["retry-after"] = wait
    return found


def _status_of(fields: dict[Any, Any]) -> int | None:
    base = fields.get("status_code")
    if type(base) is int and base in _BASE_RESP and "status_msg" in fields:
        return _BASE_RESP[base]
    statuses = (_status(fields.get(name)) for name in _STATUSES)
    return next((status for status in statuses if status is not None), None)


def _status(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) == 3:
        value = int(value)
    if isinstance(value, float) and math.isfinite(value):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 400 <= value < 600:
        return value
    return None
