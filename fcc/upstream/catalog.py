"""Which models a provider offers: its GET /models, asked when somebody wants to know."""

import time
from typing import Final

import aiohttp
from loguru import logger

from fcc.settings.profile import Profile
from fcc.wire.json import loads
from fcc.wire.models import CatalogEntry, catalog_entries

__all__ = ["Catalog"]

_FRESH: Final = 300.0
"""Seconds for which an answer is believed."""

_PATIENCE: Final = aiohttp.ClientTimeout(total=2.0)
"""Claude Code waits 3 s for its list."""


class Catalog:
    """`models()`: remembered for a while; [] where the provider does not say."""

    def __init__(self, session: aiohttp.ClientSession, profile: Profile, key: str) -> None:
        self._session = session
        self._url = f"{profile.base_url.rstrip('/')}/models" if profile.base_url else ""
        self._headers = dict(profile.headers)
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._asked = float("-inf")
        self._entries: list[CatalogEntry] = []

    async def models(self) -> list[CatalogEntry]:
        """What is on offer, as of the last few minutes."""
        if self._url and time.monotonic() - self._asked > _FRESH:
            self._asked = time.monotonic()
            self._entries = await self._ask() or self._entries
        return self._entries

    async def _ask(self) -> list[CatalogEntry]:
        try:
            async with self._session.get(
                self._url, headers=self._headers, timeout=_PATIENCE
            ) as response:
                body = await response.read()
            return list(catalog_entries(loads(body))) if response.status == 200 else []
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError, RecursionError) as error:
            logger.debug("{} does not list its models: {}", self._url, type(error).__name__)
            return []
