"""What is known of an error once its body was read."""

import re
from collections.abc import Iterable

import msgspec

__all__ = ["Report", "joined", "scalar", "spelled"]

_MAX_NUMBER = 10**15
"""Any code, status or token count is smaller, and Python refuses to print what is very large."""


class Report(msgspec.Struct, frozen=True):
    """All that one error body says."""

    text: str = ""
    """The cause in the provider's own words, not yet redacted."""
    codes: tuple[str, ...] = ()
    """Its codes and types, lower case with underscores."""
    param: str = ""
    status: int | None = None
    """The HTTP status that the body names."""
    headers: dict[str, str] = {}
    """Headers that the body carries, and its retry delays as retry-after."""
    numbers: dict[str, int] = {}
    """Token counts beside the text, by field."""
    generation: str = ""
    """What the model wrote that the provider could not read as a tool call (Groq)."""
    page: bool = False
    """The body was an HTML page."""

    def either(self, codes: Iterable[str]) -> str:
        """The first of its codes that is one of `codes`, or ""."""
        wanted = frozenset(codes)
        return next((code for code in self.codes if code in wanted), "")


def scalar(value: object) -> str:
    """A string or a number as text; "" of all else."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return str(value) if abs(value) < _MAX_NUMBER else ""


def spelled(codes: Iterable[object]) -> tuple[str, ...]:
    """`BadRequestError`, "Bad Request" and `bad_request` are spelled alike, "error" is no code."""
    alike = []
    for code in codes:
        text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", scalar(code)[:100])
        alike.append(re.sub(r"[\s.\-]+", "_", text.strip()).lower())
    return tuple(code for code in alike if code not in {"", "error"})


def joined(reports: list[Report], text: str) -> Report:
    """One report of several: of single things the first that is known, of sets all."""
    headers: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for report in reversed(reports):
        headers.update(report.headers)
        numbers.update(report.numbers)
    return Report(
        text=text,
        codes=tuple(code for report in reports for code in report.codes),
        param=next((report.param for report in reports if report.param), ""),
        status=next((report.status for report in reports if report.status), None),
        headers=headers,
        numbers=numbers,
        generation=next((report.generation for report in reports if report.generation), ""),
        page=any(report.page for report in reports)
        and all(report.page or not report.text for report in reports),
    )
