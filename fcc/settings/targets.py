"""What may stand where config.toml names a model, and which requests have a model of their own?"""

import msgspec

from fcc.overriding import override
from fcc.settings.toml import nearest

__all__ = ["EFFORTS", "LongContext", "Routes", "Target", "target_of"]

EFFORTS = ("none", "low", "medium", "high", "xhigh", "max")
"""The client's words for output_config.effort; none is thinking disabled."""


class Target(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A model, and how it is asked whatever the client says."""

    model: str
    """One of the default provider's, or "provider/model"."""
    effort: str = ""
    """Replaces the client's; empty: the client's counts."""
    max_tokens: int | None = None
    """Tokens of an answer at most."""

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError('model is empty: write "provider/model"')
        if self.effort and self.effort not in EFFORTS:
            words = ", ".join(EFFORTS)
            close = nearest(self.effort, EFFORTS)
            hint = close if "did you mean" in close else ""
            raise ValueError(f"effort must be one of {words}, not {self.effort!r}{hint}")
        if self.max_tokens is not None and self.max_tokens < 1:
            raise ValueError(f"max_tokens must be at least 1, not {self.max_tokens}")


class LongContext(Target, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where long requests go."""

    above: int
    """Tokens: a request of more is a long one, as count_tokens counts."""

    @override
    def __post_init__(self) -> None:
        super().__post_init__()
        if self.above < 1:
            raise ValueError(f"above must be at least 1 token, not {self.above}")


class Routes(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Where requests go for what they are, and not for the model that they name."""

    long_context: LongContext | None = None
    """Requests over a number of tokens, but for a `provider/model` that the client named."""
    image: str | Target = ""
    """Requests with an image whose own model sees none; empty: a marker stands for the image."""


def target_of(target: str | Target) -> Target:
    """A model's bare name as a target that changes nothing."""
    return Target(model=target) if isinstance(target, str) else target
