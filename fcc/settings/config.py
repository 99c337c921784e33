"""What a person chose: `config.toml`, as a frozen struct."""

from typing import Literal

import msgspec

from fcc.settings.recorder import RecorderOptions
from fcc.settings.recovery import ToolCalls
from fcc.settings.targets import Routes, Target
from fcc.settings.usage import UsageOptions

__all__ = ["Config", "LocalAnswers", "ServerOptions"]


class ServerOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where fcc listens, and its bounds."""

    host: str = "127.0.0.1"
    """Anything but this machine itself needs an auth_token."""
    port: int = 8082
    """Where Claude Code finds fcc; 0: any that is free."""
    max_body_bytes: int = 64 * 1024 * 1024
    """A request over this is refused with 413. Anthropic's own limit is 32 MB."""
    drain_seconds: float = 30.0
    """How long open streams may go on after SIGTERM."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise ValueError("port must be between 0 and 65535")
        if self.max_body_bytes < 1024:
            raise ValueError("max_body_bytes must be at least 1024")
        if self.drain_seconds < 0:
            raise ValueError("drain_seconds can't be negative")


class LocalAnswers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Trivial calls of Claude Code that fcc answers itself, each with its own switch."""

    title: bool = True
    """The session's title."""
    quota: bool = True
    """The probe of one token that asks whether there is quota."""
    command_prefix: bool = True
    """Which prefix of a shell command may be allowed (older clients)."""
    file_paths: bool = True
    """Which files a shell command shows (older clients)."""
    suggestion: bool = True
    """What the user may want to type next (older clients): nothing is suggested."""


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of config.toml."""

    provider: str = ""
    """The default provider's name; empty: the first that is ready, else the demo."""
    auth_token: str = ""
    """What clients must send as x-api-key or Bearer; empty: any, and only on loopback."""
    models: dict[str, str | Target] = {}
    """opus, sonnet, haiku, fable or a pattern -> "model" or "provider/model"."""
    fallback: dict[str, list[str | Target]] = {}
    """The same keys -> what is asked, in this order, where the first fails before it answers."""
    routes: Routes = Routes()
    """What goes elsewhere for what it is, whichever model it names."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """What is logged, with all that is worse."""
    observe: bool = True
    """Note what each request took and how it ended: for /metrics, `fcc usage`, `fcc trace`, `fcc
    status` and the page. false: only the log has it, and there can be no daily budget."""
    server: ServerOptions = ServerOptions()
    local_answers: LocalAnswers = LocalAnswers()
    tool_calls: ToolCalls = ToolCalls()
    usage: UsageOptions = UsageOptions()
    recorder: RecorderOptions = RecorderOptions()

    def __post_init__(self) -> None:
        if not self.observe and (self.usage.daily_budget or self.usage.daily_tokens):
            raise ValueError(
                "a daily budget ([usage]) is of what is counted, and observe = false counts "
                "nothing: take one of the two out"
            )
