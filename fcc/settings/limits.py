"""How much may be asked of a provider, and how long is it waited for?"""

from fnmatch import fnmatchcase

import msgspec

__all__ = ["Limits", "ModelLimits", "Retry", "Timeouts"]


class ModelLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much may be asked of one model with one key; 0 means no limit."""

    requests: int = 0
    """Requests that may start in any window of `seconds`."""
    seconds: float = 60.0
    """The window's length."""
    burst: int = 0
    """Of those, how many may start at once; the rest is spread evenly. 0: all of them."""
    concurrency: int = 0
    """Streams open at the same time."""
    tokens: int = 0
    """Input tokens that may be sent in any window of `seconds`."""

    def __post_init__(self) -> None:
        if min(self.requests, self.burst, self.concurrency, self.tokens) < 0:
            raise ValueError("a limit can't be negative (0 means no limit)")
        if self.seconds <= 0:
            raise ValueError("seconds must be more than 0")


class Limits(ModelLimits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How much the provider allows one key, in all and for each model."""

    models: dict[str, ModelLimits] = {}
    """Pattern of the provider's model name -> what each model that it fits is allowed beside the
    limits of the key; the first that fits."""

    def of(self, model: str) -> ModelLimits:
        """What the model is allowed by itself."""
        for pattern, limits in self.models.items():
            if fnmatchcase(model.lower(), pattern.lower()):
                return limits
        return ModelLimits()


class Timeouts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds of patience."""

    connect: float = 10.0
    """Until a connection stands."""
    read: float = 300.0
    """Silence between two reads."""
    first_byte: float = 0.0
    """The wait for the answer's beginning; 0: as `read`. If it is longer, it is the limit of later
    silences too."""
    total: float = 3600.0
    """One answer from beginning to end."""
    commit_after: float = 10.0
    """Silence after which the client gets its response head and pings. A provider that speaks
    earlier keeps the true HTTP status of its errors."""

    def __post_init__(self) -> None:
        if min(self.connect, self.read, self.commit_after, self.total) <= 0 or self.first_byte < 0:
            raise ValueError("a timeout must be more than 0 seconds")


class Retry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is tried again before the client hears of it."""

    attempts: int = 3
    """Requests in all for one of the client's; 1 means no retry."""
    base: float = 0.5
    """Seconds before the second attempt; doubles with each, and half of it is jitter."""
    max_wait: float = 30.0
    """A provider that asks for more seconds than this is not waited for: the client is told."""

    def __post_init__(self) -> None:
        if self.attempts < 1:
            raise ValueError("attempts must be at least 1")
        if self.base < 0 or self.max_wait < 0:
            raise ValueError("a wait can't be negative")
