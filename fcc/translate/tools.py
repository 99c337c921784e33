"""Which tools did the client declare?"""

from typing import Any

import msgspec

__all__ = ["DeclaredTool"]


class DeclaredTool(msgspec.Struct, frozen=True):
    """One tool of the request, under the name the client knows."""

    name: str
    schema: dict[str, Any] = {}
    """The client's own `input_schema`, as it came."""
    aliases: dict[str, str] = {}
    """The provider's name of an argument -> the client's, where they differ."""

    @property
    def properties(self) -> dict[str, Any]:
        """The schemas of the arguments by name; empty where the schema names none."""
        properties = self.schema.get("properties")
        return properties if isinstance(properties, dict) else {}
