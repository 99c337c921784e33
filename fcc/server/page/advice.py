"""What can the person do about a request that failed, and is there anything to do?

The error's own words name the variable or the option where that is known; this is the command
or the place to begin with.
"""

from typing import Final

from fcc.observe.outcome import Outcome

__all__ = ["advice"]

_SHOWN_AS_IT_IS: Final = 424
"""Under this status Claude Code is told of what stays wrong until a person changes something."""

_WAIT: Final = (
    "Nothing to change: Claude Code asks again by itself. A [fallback] in config.toml would "
    "answer meanwhile."
)

_BROKE_OFF: Final = (
    "It broke off in mid-answer: Claude Code asks again by itself, or waits for you to say "
    "continue."
)

_PERMANENT: Final = {
    "authentication_error": "Mend the key, then run: fcc doctor {provider}",
    "permission_error": "Use a key or a model that may do this: fcc models --provider {provider}",
    "billing_error": "Add credit, or name another provider in [fallback] of config.toml.",
    "not_found_error": "Choose a model that is offered: fcc models --provider {provider}",
    "rate_limit_error": "Wait until the quota is restored, or name another provider in [fallback] "
    "of config.toml.",
    "request_too_large": "Send less: /compact in Claude Code, or a new session.",
    "invalid_request_error": "If it comes again, see what the model takes: "
    "fcc doctor {provider} --deep",
    "api_error": "Check address and model: fcc doctor {provider}",
}

_ALWAYS_PERMANENT: Final = _PERMANENT.keys() - {"rate_limit_error", "api_error"}

_OWN: Final = {
    "authentication_error": "Set ANTHROPIC_AUTH_TOKEN of the client to fcc's auth_token.",
    "not_found_error": "Map the model: [models] in config.toml, or fcc serve --model NAME.",
    "overloaded_error": "Nothing to change: fcc was being stopped.",
    "api_error": "A bug of fcc's own: fcc logs has the details.",
}
"""Errors of fcc's own, before any provider was chosen."""


_BY_WORDS: Final = {
    "prompt is too long": "Nothing to change: Claude Code compacts the conversation by itself.",
    "today's budget": "Raise it in [usage] of config.toml, then run: fcc reload",
}
"""How fcc's own messages begin that say more than their type."""


def advice(outcome: Outcome) -> str:
    """A sentence or two; empty where nothing failed."""
    if not outcome.failed:
        return ""
    kind = outcome.outcome
    if not outcome.provider:
        return _OWN.get(kind, "The client has to ask in another way.")
    for words, step in _BY_WORDS.items():
        if outcome.error.startswith(words):
            return step
    if outcome.status == 200:
        return _BROKE_OFF
    if kind in _ALWAYS_PERMANENT or outcome.status == _SHOWN_AS_IT_IS:
        return _PERMANENT.get(kind, _PERMANENT["api_error"]).format(provider=outcome.provider)
    return _WAIT
