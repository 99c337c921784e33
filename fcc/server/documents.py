"""What do the PDFs of a request say, for providers that take text only?

A PDF is read in a thread, once: clients send it again with every turn. The text is put beside the
file, and translation takes the one or the other.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any

from aiohttp import web

from fcc.settings.routing import Route
from fcc.wire.messages import Block, MessagesRequest, Source

__all__ = ["DOCUMENTS", "Documents"]

_KEPT = 32
"""Texts in memory: those of the conversations that are going on."""

PDF = "application/pdf"


class Documents:
    """`await read(request, routes)` puts the text of each PDF into its source."""

    def __init__(self) -> None:
        self._texts: OrderedDict[bytes, str] = OrderedDict()

    async def read(self, request: MessagesRequest, routes: Iterable[Route]) -> None:
        """Never fails: a PDF that can't be read says so in its text."""
        if all(route.model.ask.documents == "file" for route in routes):
            return
        for source in _sources(request):
            if isinstance(source, Source):
                source.extracted = await self._text(source.data or "")
            else:
                source["extracted"] = await self._text(source["data"])

    async def _text(self, data: str) -> str:
        key, text = await asyncio.to_thread(self._known_or_read, data)
        self._texts[key] = text
        self._texts.move_to_end(key)
        if len(self._texts) > _KEPT:
            self._texts.popitem(last=False)
        return text

    def _known_or_read(self, data: str) -> tuple[bytes, str]:
        # Importing pypdf takes a third of a second, and few requests bring a PDF.
        from fcc.server.pdf import pdf_text  # noqa: PLC0415

        key = sha256(data.encode()).digest()
        known = self._texts.get(key)
        return key, pdf_text(data) if known is None else known


def _sources(request: MessagesRequest) -> Iterator[Source | dict[str, Any]]:
    """The sources of PDFs, those in tool results too."""
    for message in request.messages:
        for block in message.content if isinstance(message.content, list) else ():
            if block.type == "document" and _is_pdf(block):
                yield from [block.source] if isinstance(block.source, Source) else []
            elif block.type == "tool_result" and isinstance(block.content, list):
                yield from filter(None, map(_inner, block.content))


def _is_pdf(block: Block) -> bool:
    source = block.source
    if not isinstance(source, Source) or source.type != "base64" or not source.data:
        return False
    return source.media_type in (None, PDF)


def _inner(item: object) -> dict[str, Any] | None:
    source = (
        item.get("source") if isinstance(item, dict) and item.get("type") == "document" else None
    )
    if not isinstance(source, dict) or source.get("type", "base64") != "base64":
        return None
    pdf = isinstance(source.get("data"), str) and source.get("media_type") in (None, PDF)
    return source if pdf else None


DOCUMENTS = web.AppKey("documents", Documents)
