"""What can the person do about it? A few words for the end of a message."""

import msgspec

from fcc.diagnosis.pattern import Pattern
from fcc.diagnosis.redact import redact
from fcc.diagnosis.report import Report
from fcc.errors import (
    BillingError,
    OverloadedError,
    RefusedKeyError,
    RefusedModelError,
    StalledError,
    UpstreamError,
)

__all__ = ["Source", "next_step"]


class Source(msgspec.Struct, frozen=True):
    """Who answered, for the words of a message."""

    provider: str
    """As a person reads it."""
    model: str
    """The provider's name of the model."""
    key_env: str = ""
    """The environment variable of the key."""
    base_url: str = ""
    empty_is_overflow: bool = False
    """A refusal without a body means that the input is too long (Cerebras)."""

    @property
    def name(self) -> str:
        """The provider, in any case something that can begin a sentence."""
        return self.provider or "the provider"

    @property
    def who(self) -> str:
        """The provider with its model."""
        return f"{self.name} ({self.model})" if self.model else self.name

    @property
    def address(self) -> str:
        """The base URL without a password in it."""
        return redact(self.base_url)


# The server's settings, or the model's abilities: whatever class the error has.
_BY_TEXT = (
    (
        Pattern(r"(?i)enable-auto-tool-choice|tool-call-parser"),
        (
            "this server can't call tools: start vLLM with --enable-auto-tool-choice and"
            " --tool-call-parser"
        ),
    ),
    (Pattern(r"(?i)requires? --?jinja"), "start llama-server with --jinja"),
    (
        Pattern(r"(?i)too large to process"),
        "start llama-server with a larger --batch-size and --ubatch-size",
    ),
    (
        Pattern(r"(?i)image input is not supported|mmproj|does not support (?:images|vision)"),
        "choose a model that sees images, or start a new session without them",
    ),
    (
        Pattern(r"(?i)support tool use|does not support tools?\b"),
        "choose a model that can call tools",
    ),
)


_WAIT = "wait a moment, or use another model"


def next_step(error: type[UpstreamError], source: Source, report: Report) -> str:
    """What to try, or "" where nobody knows."""
    for pattern, step in _BY_TEXT:
        if pattern.search(report.text[:4000]):
            return step
    if error is RefusedKeyError:
        return _key(source)
    if error is RefusedModelError:
        return _model(source, report)
    if error is BillingError:
        return f"add credit or raise the limit at {source.name}, or use another provider"
    return _WAIT if error in {OverloadedError, StalledError} else ""


def _key(source: Source) -> str:
    if source.key_env:
        return f"set {source.key_env} to a key that {source.name} accepts, then run `fcc doctor`"
    return "run `fcc doctor` to check the key"


def _model(source: Source, report: Report) -> str:
    # A server that knows the path answers with a type or a code; who doesn't was asked elsewhere.
    if source.base_url and (report.page or not report.codes):
        return f"check the model mapping and the base URL {source.address} with `fcc doctor`"
    return "run `fcc doctor` to see what is offered, and check the model mapping"
