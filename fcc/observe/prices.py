"""What does a model's use cost? The person's own table, the provider's list, the shipped table.

A price that nobody knows is None, never 0.
"""

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import islice
from pathlib import Path
from typing import Final

import msgspec

from fcc.settings.files import config_dir, shipped_dir
from fcc.settings.profile import Profile
from fcc.settings.toml import read
from fcc.wire.models import CatalogEntry, Price

__all__ = ["PriceTable", "Prices", "load_prices"]

_FREE: Final = Price(0.0, 0.0)

_MOST: Final = 4096
"""Prices that are remembered, of one provider's list and of what was looked up."""


class PriceTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prices.toml."""

    date: str = ""
    """When the prices were looked up."""
    prices: dict[str, dict[str, Price]] = {}
    """Provider -> pattern of its model's name -> price; the first that fits."""

    def find(self, provider: str, model: str) -> Price | None:
        """The price of the first pattern that fits."""
        for pattern, price in self.prices.get(provider, {}).items():
            if fnmatchcase(model.lower(), pattern.lower()):
                return price
        return None


class Prices:
    """`of(profile, model)`; `learn` takes what a provider's list says."""

    def __init__(
        self,
        own: PriceTable | None = None,
        shipped: PriceTable | None = None,
        listed: Mapping[str, Mapping[str, Price]] | None = None,
    ) -> None:
        self._own = own or PriceTable()
        self._shipped = shipped or PriceTable()
        self.listed = dict(listed or {})
        """Provider -> model -> price, as far as providers' lists were seen."""
        self._found: dict[tuple[str, str], Price | None] = {}

    def of(self, profile: Profile, model: str) -> Price | None:
        """What the provider takes for the model, as far as anybody has told."""
        key = (profile.name, model)
        if key not in self._found:
            if len(self._found) >= _MOST:
                self._found.clear()
            self._found[key] = self._find(profile, model)
        return self._found[key]

    def learn(self, provider: str, entries: Iterable[CatalogEntry]) -> None:
        """The provider's list came."""
        priced = ((entry.id, entry.price) for entry in entries if entry.price is not None)
        self.listed[provider] = dict(islice(priced, _MOST))
        self._found.clear()

    def _find(self, profile: Profile, model: str) -> Price | None:
        listed = self.listed.get(profile.name, {})
        told = self._own.find(profile.name, model) or listed.get(model)
        told = told or self._shipped.find(profile.name, model)
        free = profile.embedded or profile.local
        return told or (_FREE if free else None)


def load_prices(
    folder: Path | None = None, listed: Mapping[str, Mapping[str, Price]] | None = None
) -> Prices:
    """From the files; `folder` stands for the person's. Raises ConfigError."""
    own = (folder or config_dir()) / "prices.toml"
    return Prices(
        read(own, PriceTable) if own.is_file() else None,
        read(shipped_dir() / "prices.toml", PriceTable),
        listed,
    )
