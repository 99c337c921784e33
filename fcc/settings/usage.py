"""What a person chose about the ledger of tokens and cost: `[usage]` of config.toml."""

import msgspec

__all__ = ["UsageOptions"]


class UsageOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is kept, and how much a day may take."""

    enabled: bool = True
    """Write each request's tokens, cost and outcome down, for `fcc usage`; never what was said."""
    keep_days: int = 90
    """Older entries are deleted."""
    daily_budget: float = 0.0
    """US dollars a day, from midnight to midnight here; 0: no limit. Warns at 80 %; once they are
    spent, what may cost is refused. Requests whose price nobody knows don't count."""
    daily_tokens: int = 0
    """Tokens a day, of prompts and answers together; 0: no limit. Warns and refuses likewise."""

    def __post_init__(self) -> None:
        if self.keep_days < 1:
            raise ValueError("keep_days must be at least 1")
        if not 0 <= self.daily_budget < float("inf"):
            raise ValueError("daily_budget can't be negative or endless; 0 means no limit")
        if self.daily_tokens < 0:
            raise ValueError("daily_tokens can't be negative; 0 means no limit")
