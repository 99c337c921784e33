"""By what does a provider know that requests belong together, so that its cache finds them?"""

from hashlib import sha256
from typing import Any

import msgspec

from fcc.settings.profile import Ask
from fcc.wire.messages import MessagesRequest

__all__ = ["session_fields"]


class _User(msgspec.Struct):
    """What Claude Code writes into metadata.user_id, as JSON."""

    session_id: str | None = None


_USER = msgspec.json.Decoder(_User)


def session_fields(request: MessagesRequest, ask: Ask) -> dict[str, Any]:
    """The session in the field that the profile names, hashed: it says nothing about the client."""
    if not ask.session:
        return {}
    session = _session(request.metadata)
    return {ask.session: sha256(session.encode()).hexdigest()[:32]} if session else {}


def _session(metadata: object) -> str:
    user = metadata.get("user_id") if isinstance(metadata, dict) else None
    if not isinstance(user, str):
        return ""
    try:
        return _USER.decode(user).session_id or user
    except msgspec.DecodeError:
        return user
