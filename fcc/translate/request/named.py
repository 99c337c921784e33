"""Which function does a profile mean by a name?"""

from collections.abc import Mapping
from typing import TypeVar

from fcc.errors import ConfigError

__all__ = ["named"]

_T = TypeVar("_T")


def named(table: Mapping[str, _T], name: str, field: str) -> _T:
    """The entry of `table`; a ConfigError lists the known names where there is none."""
    try:
        return table[name]
    except KeyError:
        known = ", ".join(sorted(table))
        raise ConfigError(f"ask.{field}: {name!r} is not known; known are {known}") from None
