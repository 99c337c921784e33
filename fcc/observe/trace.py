"""What did one request look like on its way: came in, went upstream, came back, was sent?"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec

from fcc.errors import NotFoundError
from fcc.observe.outcome import Outcome
from fcc.settings.toml import nearest

__all__ = [
    "HOW_TO_RECORD",
    "TOO_LARGE",
    "Attempt",
    "Data",
    "Stream",
    "Summary",
    "Trace",
    "decoded",
    "encoded",
    "found",
    "summary",
]

HOW_TO_RECORD: Final = (
    "set bodies = true under [recorder] in config.toml and run fcc reload, "
    "or start with fcc serve --record"
)

TOO_LARGE: Final = "it was larger than the recorder has room for ([recorder] max_bytes)"
"""Why bodies were left out."""

LAST: Final = "last"
"""In the place of an id."""

Headers = list[tuple[str, str]]


class Data(msgspec.Struct, omit_defaults=True):
    """Bytes: as text where they are text, so that people can read the file."""

    text: str = ""
    base64: bytes = b""

    @classmethod
    def of(cls, raw: bytes) -> "Data":
        """From bytes of any kind."""
        try:
            return cls(raw.decode("utf-8"))
        except UnicodeDecodeError:
            return cls(base64=raw)

    @property
    def raw(self) -> bytes:
        """The bytes."""
        return self.base64 or self.text.encode("utf-8", "surrogatepass")


class Stream(msgspec.Struct, omit_defaults=True):
    """Bytes that came or went over time."""

    data: Data
    reads: list[tuple[float, int]]
    """Seconds since the request began, and how many bytes."""

    def parts(self) -> Iterable[tuple[float, bytes]]:
        """Each read or write."""
        raw, at = self.data.raw, 0
        for seconds, size in self.reads:
            yield seconds, raw[at : at + size]
            at += size


class Attempt(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One request to one provider."""

    provider: str
    model: str
    url: str = ""
    """Empty where the answer came from inside fcc."""
    headers: Headers = []
    began: float = 0.0
    """Seconds since the request began."""
    ended: float = 0.0
    body_bytes: int = 0
    body: Data | None = None
    status: int | None = None
    """None: there was no answer."""
    response_headers: Headers = []
    received_bytes: int | None = None
    received: Stream | None = None
    error: str = ""
    """What went wrong, in words."""
    error_type: str = ""


class Trace(msgspec.Struct, omit_defaults=True, kw_only=True):
    """One request. Secrets were masked before it came to be."""

    outcome: Outcome
    method: str
    path: str
    version: str = ""
    """fcc's."""
    headers: Headers = []
    body_bytes: int = 0
    body: Data | None = None
    attempts: list[Attempt] = []
    sent_bytes: int = 0
    sent: Stream | None = None
    bodies: bool = False
    """Whether what was said is in it."""
    left_out: str = ""
    """Why it is not, where it was wanted."""

    @property
    def id(self) -> str:
        """The request id."""
        return self.outcome.request_id

    def facts(self, left_out: str) -> "Trace":
        """The same without what was said."""
        bare = [
            msgspec.structs.replace(attempt, body=None, received=None) for attempt in self.attempts
        ]
        return msgspec.structs.replace(
            self, body=None, sent=None, attempts=bare, bodies=False, left_out=left_out
        )


class Summary(msgspec.Struct, omit_defaults=True, kw_only=True):
    """A line of the list."""

    id: str
    at: float
    asked: str = ""
    provider: str = ""
    model: str = ""
    local: str = ""
    status: int = 0
    outcome: str = ""
    seconds: float = 0.0
    input: int = 0
    output: int = 0
    attempts: int = 0
    bodies: bool = False


def summary(outcome: Outcome, *, bodies: bool) -> Summary:
    """Its line of the list."""
    return Summary(
        id=outcome.request_id,
        at=outcome.at,
        asked=outcome.asked,
        provider=outcome.provider,
        model=outcome.model,
        local=outcome.local,
        status=outcome.status,
        outcome=outcome.outcome,
        seconds=outcome.seconds,
        input=outcome.input,
        output=outcome.output,
        attempts=outcome.attempts,
        bodies=bodies,
    )


def encoded(value: Any) -> bytes:
    """As JSON."""
    return msgspec.json.encode(value)


def decoded(raw: bytes) -> Trace:
    """A trace from JSON. Raises msgspec.DecodeError."""
    return msgspec.json.decode(raw, type=Trace)


def found(wanted: str, known: Sequence[str]) -> str:
    """The id that `wanted` means among those known, the newest last: itself, its beginning, `last`.

    Raises NotFoundError.
    """
    if wanted in known:
        return wanted
    if wanted == LAST and known:
        return known[-1]
    fits = [id for id in known if wanted and id.removeprefix("req_").startswith(_bare(wanted))]
    if len(fits) == 1:
        return fits[0]
    if fits:
        ids = ", ".join(fits[:4]) + (", ..." if len(fits) > 4 else "")
        raise NotFoundError(f"{wanted!r} begins {len(fits)} traces: {ids}")
    if not known:
        raise NotFoundError("there is no trace yet: nothing was asked")
    near = nearest(wanted, known)
    raise NotFoundError(f"there is no trace {wanted!r}{near if 'mean' in near else ''}")


def _bare(wanted: str) -> str:
    return wanted.removeprefix("req_") or wanted
