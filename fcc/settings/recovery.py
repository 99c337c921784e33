"""Which tool calls are recovered, whatever the provider?"""

import msgspec

from fcc.settings.profile import Reply

__all__ = ["ToolCalls"]


class ToolCalls(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Switches that turn recovery off; what a profile turns off stays off."""

    dialects: bool = True
    """Calls that a model writes as text become tool calls."""
    repair: bool = True
    """Broken arguments are mended where that is safe; else they are passed on as they were
    written, and damaged JSON in text is no call."""

    def applied(self, reply: Reply) -> Reply:
        """`reply` with what is switched off left out."""
        return msgspec.structs.replace(
            reply,
            dialects=reply.dialects if self.dialects else (),
            repair=reply.repair and self.repair,
        )
