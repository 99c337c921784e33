"""Ids of tool_use blocks: the provider's own where it is fit, else one of ours.

Claude Code erases call and result of a repeated id from its history, in one message or across
turns, and does not run a call without one. Both SDKs expect ^[a-zA-Z0-9_-]+$: an id in other
letters is spelled in these, so that the provider can have its own back.
"""

import re
from collections.abc import Collection

from fcc.translate.foreign_ids import spelled

__all__ = ["ToolIds"]

_FIT = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_SPELLED = 128
"""Characters of an id that is spelled at most: Claude Code names files by ids."""


class ToolIds:
    """`claim(id)` gives an id that no other block of the conversation has."""

    def __init__(self, message_id: str, used: Collection[str] = ()) -> None:
        self._stem = message_id.removeprefix("msg_").replace("_", "-")
        self._used = set(used)

    def claim(self, id: str | None) -> str:
        """`id` itself if it is fit and unused, else a new one, unique as the message id is."""
        if id is None or id in self._used or len(id) > _SPELLED:
            id = f"toolu_{self._end()}"
        elif not _FIT.fullmatch(id):
            id = spelled(id, self._end())
        self._used.add(id)
        return id

    def _end(self) -> str:
        return f"{self._stem}-{len(self._used)}"
