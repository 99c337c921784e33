"""Which models a provider offers: its GET /models, asked when somebody wants to know."""

import asyncio
import time
from typing import Final

import aiohttp
from loguru import logger

from fcc.settings.profile import Profile
from fcc.upstream.proxy import proxy_for
from fcc.wire.json import loads
from fcc.wire.models import CatalogEntry, catalog_entries

__all__ = ["MAX_BYTES", "Catalog"]

_FRESH: Final = 300.0
"""Seconds for which an answer is believed."""

_FRESH_FAILURE: Final = 5.0
"""Seconds for which silence is believed: a local server may be starting."""

MAX_BYTES: Final = 16 * 1024 * 1024
"""Of a list. OpenRouter's, the longest, has half a megabyte."""

_PATIENCE: Final = aiohttp.ClientTimeout(total=2.0)
"""Claude Code waits 3 s for its list."""


class Catalog:
    """`models()`: remembered for a while; [] where the provider does not say."""

    def __init__(self, session: aiohttp.ClientSession, profile: Profile, key: str) -> None:
        self._session = session
        self._url = f"{profile.base_url.rstrip('/')}/models" if profile.base_url else ""
        self._proxy = proxy_for(self._url)
        self._headers = dict(profile.headers)
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._fresh_until = float("-inf")
        self._asking = asyncio.Lock()
        self._entries: list[CatalogEntry] = []

    async def models(self) -> list[CatalogEntry]:
        """What is on offer, as of the last few minutes."""
        async with self._asking:
            if self._url and time.monotonic() > self._fresh_until:
                found = await self._ask()
                self._fresh_until = time.monotonic() + (_FRESH if found else _FRESH_FAILURE)
                self._entries = found or self._entries
        return self._entries

    async def _ask(self) -> list[CatalogEntry]:
        try:
            async with self._session.get(
                self._url,
                headers=self._headers,
                timeout=_PATIENCE,
                proxy=self._proxy,
            ) as response:
                body = await _all_of(response)
            return list(catalog_entries(loads(body))) if response.status == 200 else []
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError) as error:
            logger.debug("{} does not list its models: {}", self._url, type(error).__name__)
            return []


async def _all_of(response: aiohttp.ClientResponse) -> bytes:
    """Raises ValueError for a body over MAX_BYTES."""
    body = bytearray()
    while raw := await response.content.readany():
        body += raw
        if len(body) > MAX_BYTES:
            raise ValueError(f"more than {MAX_BYTES} bytes")
    return bytes(body)
