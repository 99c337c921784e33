"""What text is in a PDF? Whatever it holds, an answer comes in bounded time and size."""

import logging
import struct
import time
import zlib
from base64 import b64decode
from collections.abc import Iterator
from io import BytesIO

from pypdf import PdfReader
from pypdf.errors import PyPdfError

__all__ = ["MAX_CHARACTERS", "MAX_PAGES", "MAX_SECONDS", "pdf_text"]

MAX_BYTES = 32 * 1024 * 1024
"""Anthropic's own limit of a request."""
MAX_PAGES = 600
"""Anthropic's own limit of a document."""
MAX_CHARACTERS = 400_000
"""About 100 000 tokens, half of the window that Claude Code expects of an unknown model."""
MAX_SECONDS = 20.0
"""A dense page takes some 25 ms."""

_BROKEN = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)
"""What pypdf raises for files that are no good PDFs (py-pdf/pypdf has an issue for each kind)."""

# It warns of every flaw of a file, by the thousand.
logging.getLogger("pypdf").setLevel(logging.CRITICAL)


def pdf_text(data: str, seconds: float = MAX_SECONDS) -> str:
    """The text of a PDF in base64, page by page; a line in brackets for whatever is missing."""
    if len(data) * 3 // 4 > MAX_BYTES:
        return f"[PDF omitted: it is larger than {MAX_BYTES // 1024 // 1024} MB]"
    try:
        raw = b64decode(data.partition(";base64,")[2] or data)
        reader = PdfReader(BytesIO(raw))
        if reader.is_encrypted and not reader.decrypt(""):
            return "[PDF omitted: it needs a password]"
        return _text(reader, time.monotonic() + seconds)
    except _BROKEN as error:
        return f"[PDF omitted: it can't be read ({type(error).__name__})]"


def _text(reader: PdfReader, until: float) -> str:
    count = len(reader.pages)
    lines: list[str] = []
    size = read = 0
    for text in _pages(reader, min(count, MAX_PAGES)):
        if size + len(text) > MAX_CHARACTERS:
            text = text[: MAX_CHARACTERS - size]  # noqa: PLW2901
        size += len(text)
        read += 1
        lines += [f"[page {read} of {count}]", text or "[no text: it may be an image]"]
        if size >= MAX_CHARACTERS or time.monotonic() > until:
            break
    if not size:
        return f"[PDF of {count} pages without text: they may be images]"
    if read < count or size >= MAX_CHARACTERS:
        lines.append(f"[the rest of the PDF is omitted: it has {count} pages]")
    return "\n".join(lines)


def _pages(reader: PdfReader, count: int) -> Iterator[str]:
    for place in range(count):
        try:
            yield reader.pages[place].extract_text().strip()
        except _BROKEN as error:
            yield f"[this page can't be read ({type(error).__name__})]"
