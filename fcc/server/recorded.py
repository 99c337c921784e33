"""How does a request get into the flight recorder?

What is not recorded pays nothing per chunk: who records has a stream and a response of its own.
"""

from typing import Any, Final

from aiohttp import web

from fcc.observe.recording import Attempting, Recording
from fcc.overriding import override
from fcc.server.late_head import LateHead
from fcc.server.record import Record
from fcc.settings.config import Config
from fcc.settings.keys import Keys
from fcc.settings.profile import Profile
from fcc.settings.routing import Route, Router
from fcc.upstream.backend import Backend, ChatBackend, Reads, UpstreamStream

__all__ = ["RecordedResponse", "answered", "asking", "heard", "known_secrets"]

_HARMLESS: Final = frozenset(
    {"accept", "content-type", "http-referer", "referer", "user-agent", "x-title",
     "x-openrouter-title", "x-openrouter-categories"}
)  # fmt: skip
"""Headers of a profile that say who asks. Of all others only the name is recorded."""


class RecordedResponse(LateHead):
    """One whose writes are noted."""

    def __init__(self, recording: Recording, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        self._recording = recording

    @override
    async def write(self, data: Any) -> None:
        await super().write(data)
        self._recording.sent(bytes(data))

    @override
    async def write_eof(self, data: bytes = b"") -> None:
        await super().write_eof(data)
        self._recording.sent(data)


class _NotedReads:
    """A provider's stream whose reads are noted."""

    def __init__(self, stream: UpstreamStream, attempting: Attempting) -> None:
        self._stream = stream
        self._attempting = attempting

    async def read(self) -> bytes:
        raw = await self._stream.read()
        self._attempting.read(raw)
        return raw


def asking(record: Record, backend: Backend, route: Route, body: bytes) -> Attempting | None:
    """Note that `backend` is about to be asked; None where nothing is recorded."""
    trace, profile = record.trace, route.profile
    if trace is None:
        return None
    if profile.headers:
        trace.hidden |= _hidden(profile)
    if isinstance(backend, ChatBackend):
        name = route.model.name
        return trace.attempt(profile.name, name, body, backend.url, backend.headers)
    return trace.attempt(profile.name, route.model.name, body)


def heard(attempting: Attempting, stream: UpstreamStream) -> UpstreamStream:
    """The answer to it, noted as far as that is wanted."""
    if isinstance(stream, Reads):
        attempting.status, attempting.response_headers = stream.status, stream.headers.items()
    noted = attempting.talk is not None and attempting.talk.room.left
    return _NotedReads(stream, attempting) if noted else stream


def answered(recording: Recording, response: web.StreamResponse) -> None:
    """The response is over; one that was not streamed has its body yet."""
    if isinstance(response, web.Response):
        raw = response.body if isinstance(response.body, bytes) else b""
        recording.sent_bytes = len(raw)
        recording.sent(raw)
    else:
        recording.sent_bytes = response.body_length


def known_secrets(config: Config, router: Router, keys: Keys) -> frozenset[str]:
    """The token, the keys and the secret headers in force, word for word."""
    found = [config.auth_token]
    for profile in router.profiles:
        found += keys.all(profile)
        hidden = _hidden(profile)
        found += [value for name, value in profile.headers.items() if name.lower() in hidden]
    return frozenset(secret for secret in found if secret)


def _hidden(profile: Profile) -> set[str]:
    return {name.lower() for name in profile.headers} - _HARMLESS
