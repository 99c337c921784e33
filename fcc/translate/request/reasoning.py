"""How is a provider told to think?

Sources: OpenRouter's and Ollama's API references, api-docs.deepseek.com (thinking mode),
docs.z.ai (thinking mode), ai.google.dev/gemini-api/docs/openai, and for NVIDIA NIM
NousResearch/hermes-agent#77973 and anomalyco/opencode#45370.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from fcc.settings.profile import Ask
from fcc.translate.request.named import named
from fcc.wire.messages import MessagesRequest

__all__ = ["KNOBS", "Knob", "Wish", "reasoning_fields"]


class Wish(msgspec.Struct, frozen=True):
    """What the client asked for. `budget` is in tokens; `effort` is the client's own word."""

    on: bool
    effort: str | None = None
    budget: int | None = None

    def word(self, ask: Ask, known: dict[str, str]) -> str:
        """The effort in the provider's word: by the profile, else by what the knob knows."""
        word = (self.effort or _budget_word(self.budget)) if self.on else "none"
        return ask.effort.get(word, known.get(word, word))


def _budget_word(budget: int | None) -> str:
    if budget is None:
        return "medium"
    return "low" if budget <= 2048 else "medium" if budget <= 8192 else "high"


def _wish(request: MessagesRequest, effort: str) -> Wish | None:
    """None where client and person leave it to the provider."""
    thinking = request.thinking
    if effort == "none" or (thinking is not None and thinking.type == "disabled"):
        return Wish(on=False)
    if effort:
        return Wish(on=True, effort=effort)
    if thinking is None or thinking.type not in ("enabled", "adaptive", "between_tools"):
        return None
    return Wish(on=True, effort=_effort_word(request), budget=thinking.budget_tokens)


def _effort_word(request: MessagesRequest) -> str | None:
    """The last one said: system messages change it in mid-conversation."""
    configs = [request.output_config, *(message.output_config for message in request.messages)]
    words = [config.effort for config in configs if config is not None and config.effort]
    return words[-1] if words else None


def reasoning_fields(
    request: MessagesRequest, ask: Ask, limit: int | None, effort: str = ""
) -> dict[str, Any]:
    """The body's fields for it. `limit` is the answer's, in tokens: a budget must be below.

    `effort` is the person's own, which replaces the client's effort and budget.
    """
    wish = _wish(request, effort)
    knob = named(KNOBS, ask.reasoning, "reasoning")
    if wish is None:
        return {}
    if wish.budget is not None and limit is not None and wish.budget >= limit:
        # Claude Code asks for all of max_tokens but one, which leaves no room to answer.
        wish = Wish(wish.on, wish.effort or _budget_word(wish.budget))
    return knob(wish, ask)


Knob = Callable[[Wish, Ask], dict[str, Any]]

_THREE = {"xhigh": "high", "max": "high"}
"""The efforts that every provider with efforts knows are low, medium and high."""


def _none(_: Wish, __: Ask) -> dict[str, Any]:
    return {}


def _effort(wish: Wish, ask: Ask) -> dict[str, Any]:
    word = wish.word(ask, _THREE)
    return {"reasoning_effort": word} if word else {}


def _ollama(wish: Wish, ask: Ask) -> dict[str, Any]:
    word = wish.word(ask, {"minimal": "low", "xhigh": "max"})
    return {"reasoning_effort": word} if word else {}


def _openrouter(wish: Wish, ask: Ask) -> dict[str, Any]:
    if wish.on and wish.effort is None:
        if wish.budget is None:
            return {"reasoning": {"enabled": True}}
        return {"reasoning": {"max_tokens": wish.budget}}
    word = wish.word(ask, {})
    return {"reasoning": {"effort": word}} if word else {}


def _enabled(wish: Wish, _: Ask) -> dict[str, Any]:
    return {"reasoning": {"enabled": wish.on}}


def _thinking_type(wish: Wish, _: Ask) -> dict[str, Any]:
    return {"thinking": {"type": "enabled" if wish.on else "disabled"}}


def _thinking_type_effort(wish: Wish, ask: Ask) -> dict[str, Any]:
    fields = _thinking_type(wish, ask)
    return {**fields, **_effort(wish, ask)} if wish.on else fields


def _template(wish: Wish, _: Ask) -> dict[str, Any]:
    # Qwen's templates know the first word, DeepSeek's and Granite's the second.
    return {"chat_template_kwargs": {"enable_thinking": wish.on, "thinking": wish.on}}


def _template_effort(wish: Wish, ask: Ask) -> dict[str, Any]:
    return {**_template(wish, ask), **_effort(wish, ask)}


def _gemini(wish: Wish, ask: Ask) -> dict[str, Any]:
    """Thoughts come only if asked for, and then the effort has to be a budget: not both."""
    if not wish.on or wish.budget is None:
        return _effort(wish, ask)
    config = {"thinking_budget": wish.budget, "include_thoughts": True}
    return {"extra_body": {"google": {"thinking_config": config}}}


def _prompt_mode(wish: Wish, _: Ask) -> dict[str, Any]:
    return {"prompt_mode": "reasoning"} if wish.on else {}


KNOBS: dict[str, Knob] = {
    "none": _none,
    "reasoning_effort": _effort,
    "ollama": _ollama,
    "openrouter": _openrouter,
    "reasoning_enabled": _enabled,  # Together
    "thinking_type": _thinking_type,  # Moonshot K2.5, Z.ai
    "thinking_type_effort": _thinking_type_effort,  # DeepSeek V4
    "chat_template_kwargs": _template,  # NIM, vLLM, SGLang, llama.cpp
    "chat_template_kwargs_effort": _template_effort,
    "gemini": _gemini,
    "prompt_mode": _prompt_mode,  # Mistral's magistral
}
"""What a profile's `ask.reasoning` may name. A word that `ask.effort` maps to "" isn't sent."""
