"""What a page shows that takes the events of GET /fcc/live as they come; no code of fcc's in it."""

import json
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

KEPT = 100
PARTS = {"about", "lanes", "open", "usage", "errors"}


class Page:
    """`take(event)` for one event; `shown` is what a person sees."""

    def __init__(self) -> None:
        self.shown: dict[str, Any] = {}
        self.ended: list[dict[str, Any]] = []
        self.kinds: list[str] = []
        self.told: dict[str, Any] = {}
        """The last event."""

    def take(self, event: bytes) -> None:
        """An event or a comment, to its empty line."""
        text = event.decode()
        assert text.endswith("\n\n")
        if text.startswith(":"):
            self.kinds.append("comment")
            return
        kind, data, *rest = text[:-2].split("\n")
        assert rest == []
        assert kind.startswith("event: ")
        assert data.startswith("data: ")
        self.kinds.append(kind.removeprefix("event: "))
        self.told = told = json.loads(data.removeprefix("data: "))
        further = told.pop("ended")
        if self.kinds[-1] == "snapshot":
            assert told.keys() >= PARTS
            self.ended = []
        numbers = [one["number"] for one in self.ended + further]
        assert numbers == sorted(set(numbers)), "a request is told twice, or out of order"
        self.ended = (self.ended + further)[-KEPT:]
        self.shown |= told


async def snapshot(client: TestClient[web.Request, web.Application], **headers: str) -> Page:
    """What a page shows that is opened at this moment."""
    page = Page()
    async with client.get("/fcc/live", headers=headers) as response:
        assert response.status == 200, await response.text()
        page.take(await response.content.readuntil(b"\n\n"))
    return page
