"""Which declared tool does a model mean by the name it wrote?"""

import re
from collections.abc import Sequence
from functools import cached_property

from fcc.translate.fits import fits
from fcc.translate.tools import DeclaredTool

__all__ = ["Names"]

_PREFIX = re.compile(r"(?:functions|tools|default_api)[.:]")
"""Kimi, harmony and Gemma put their tools into a namespace."""
_COUNTER = re.compile(r":\d+$")
"""Kimi numbers its calls: functions.Bash:0."""


class Names:
    """The declared tools, found by exact name or by a variation that only one of them has."""

    def __init__(self, tools: Sequence[DeclaredTool]) -> None:
        self._tools = tools

    def find(self, name: str) -> DeclaredTool | None:
        """The tool that `name` means, or None."""
        name = name.strip().strip("\"'")
        bare = _COUNTER.sub("", _PREFIX.sub("", name, count=1))
        return self._exact.get(name) or self._exact.get(bare) or self._alike.get(_key(bare))

    # Both are made when first asked for: in most answers the text names no tool.

    @cached_property
    def _exact(self) -> dict[str, DeclaredTool]:
        return {tool.name: tool for tool in self._tools}

    @cached_property
    def _alike(self) -> dict[str, DeclaredTool | None]:
        alike: dict[str, DeclaredTool | None] = {}
        for tool in self._tools:
            key = _key(tool.name)
            alike[key] = None if key in alike else tool
        return alike

    def fit(self, arguments: object) -> DeclaredTool | None:
        """The only tool that all of `arguments` can be for: Kimi may write a bare counter."""
        if not isinstance(arguments, dict):
            return None
        found = [
            tool
            for tool in self._tools
            if arguments.keys() <= tool.properties.keys() and fits(arguments, tool.schema)
        ]
        return found[0] if len(found) == 1 else None

    def starts(self, text: str) -> bool:
        """Whether `text` may go on to be a declared name."""
        return any(tool.name.startswith(text) for tool in self._tools)


def _key(name: str) -> str:
    return name.casefold().replace("-", "").replace("_", "")
