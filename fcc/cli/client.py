"""Which environment does Claude Code need to work through fcc?

Facts about the client's variables: measured with Claude Code 2.1.330.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from fcc.settings.running import Tier

__all__ = ["UNSET", "Link", "variables", "window_of"]

UNSET: Final = ("ANTHROPIC_API_KEY",)
"""With both set Claude Code sends both, and asks which one to use."""

_MAIN: Final = ("opus", "sonnet", "fable")
"""Families that a main conversation may have; haiku serves side requests."""

_OUTPUT: Final = 32_000
"""Tokens that Claude Code asks for of a model that it does not know."""

_SMALL: Final = 64 * 1024
"""Tokens: in a window under this, tools that are loaded when needed save a tenth of it."""


class Link(msgspec.Struct, frozen=True):
    """How Claude Code reaches a daemon, and what is known of the models behind it."""

    url: str
    token: str
    tiers: dict[str, Tier]
    patience: float = 0.0
    """Seconds for which a slow provider may be silent."""


def variables(link: Link, environ: Mapping[str, str]) -> dict[str, str]:
    """What to set; what the person has set already wins, but for address and token."""
    wanted = {
        **_models(link.tiers),
        **_windows(link.tiers),
        # Nothing but fcc is called, and the client stays the one that was installed.
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        # After an error event it would ask for the whole answer again, unstreamed.
        "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
        # A line that differs in every conversation, before everything that could be cached.
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0",
        # `auto` costs a count_tokens call.
        "ENABLE_TOOL_SEARCH": _tool_search(link.tiers),
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
        **_patience(link.patience),
    }
    chosen = {name: value for name, value in wanted.items() if not environ.get(name)}
    chosen |= _around_proxies(environ)
    return {"ANTHROPIC_BASE_URL": link.url, "ANTHROPIC_AUTH_TOKEN": link.token, **chosen}


def window_of(tiers: Mapping[str, Tier]) -> int | None:
    """The smallest context window that a main conversation may meet, in tokens."""
    known = [tiers[name].context_window for name in _MAIN if name in tiers]
    return min((window for window in known if window), default=None)


def _models(tiers: Mapping[str, Tier]) -> dict[str, str]:
    """A name that the client does not know, as it takes a window for these only."""
    names = {}
    for name, tier in tiers.items():
        stem = f"ANTHROPIC_DEFAULT_{name.upper()}_MODEL"
        provider, _, model = tier.target.partition("/")
        names[stem] = tier.target
        names[f"{stem}_NAME"] = f"{name.capitalize()}: {model or provider}"
        names[f"{stem}_DESCRIPTION"] = f"{provider}, through fcc"
    return names


def _windows(tiers: Mapping[str, Tier]) -> dict[str, str]:
    """Without these a million tokens are assumed and the conversation is never compacted.

    It is compacted at window - min(output, 20,000) - 13,000 tokens: the output that is reserved
    must leave room in a small window.
    """
    window = window_of(tiers)
    outputs = [tiers[name].max_output_tokens for name in _MAIN if name in tiers]
    output = min((most for most in outputs if most), default=_OUTPUT)
    if window is None:
        return {} if output >= _OUTPUT else {"CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(output)}
    return {
        "CLAUDE_CODE_MAX_CONTEXT_TOKENS": str(window),
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW": str(window),
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": str(min(output, _OUTPUT, max(1024, window // 8))),
    }


def _tool_search(tiers: Mapping[str, Tier]) -> str:
    window = window_of(tiers)
    return "true" if window is not None and window < _SMALL else "false"


def _patience(seconds: float) -> dict[str, str]:
    # Its own limit is 600 s.
    return {"API_TIMEOUT_MS": str(int(seconds * 1000))} if seconds > 600 else {}


def _around_proxies(environ: Mapping[str, str]) -> dict[str, str]:
    """What tells Claude Code that this machine is not behind the proxy."""
    if not any(environ.get(name) for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY")):
        return {}
    listed = (environ.get("NO_PROXY") or environ.get("no_proxy") or "").split(",")
    hosts = [host.strip() for host in listed if host.strip()]
    more = [host for host in ("127.0.0.1", "localhost", "::1") if host not in hosts]
    return {"NO_PROXY": ",".join(hosts + more)}
