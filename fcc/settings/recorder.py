"""What a person chose about the flight recorder: `[recorder]` of config.toml."""

import msgspec

__all__ = ["RecorderOptions"]


class RecorderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which of the last requests can be looked at, and how much of them."""

    keep: int = 100
    """How many; 0: none."""
    bodies: bool = False
    """Keep what was said too, without secrets, for `fcc trace show`, `fcc replay` and `fcc bug`:
    in memory, and in files that outlive the daemon. `fcc serve --record` does the same."""
    max_bytes: int = 32 * 1024 * 1024
    """Of all that is kept; the oldest goes first."""

    def __post_init__(self) -> None:
        if self.keep < 0:
            raise ValueError("keep can't be negative; 0 means nothing is kept")
        if self.max_bytes < 65536:
            raise ValueError("max_bytes must be at least 65536")
