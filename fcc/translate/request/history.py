"""How does a provider get its earlier reasoning back?

Sources: openrouter.ai/docs (reasoning tokens), api-docs.deepseek.com (thinking mode),
docs.z.ai (thinking mode), ai.google.dev/gemini-api/docs/thought-signatures, PyPI mistralai 3.7.0.
"""

from collections.abc import Callable

import msgspec

from fcc.translate.request.content import AssistantTurn
from fcc.translate.request.parts import ChatMessage, text_part

__all__ = ["HISTORY", "History"]

History = Callable[[AssistantTurn, ChatMessage], ChatMessage]

UNSIGNED = msgspec.Raw(b'{"google":{"thought_signature":"skip_thought_signature_validator"}}')
"""Google's own word for a call that another model made."""


def _forget(_: AssistantTurn, message: ChatMessage) -> ChatMessage:
    return message


def _think_tags(turn: AssistantTurn, message: ChatMessage) -> ChatMessage:
    if not turn.reasoning:
        return message
    said = message.get("content") or ""
    thought = f"<think>\n{_text(turn)}\n</think>"
    return {**message, "content": f"{thought}\n\n{said}".rstrip()}


def _reasoning_content(turn: AssistantTurn, message: ChatMessage) -> ChatMessage:
    # DeepSeek and Moonshot refuse tool calls without the field, even an empty one.
    if not turn.reasoning and "tool_calls" not in message:
        return message
    return {**message, "reasoning_content": _text(turn)}


def _reasoning(turn: AssistantTurn, message: ChatMessage) -> ChatMessage:
    return {**message, "reasoning": _text(turn)} if turn.reasoning else message


def _reasoning_details(turn: AssistantTurn, message: ChatMessage) -> ChatMessage:
    """Entries say all that the text says; what another model thought goes as text."""
    if not turn.entries:
        return _reasoning(turn, message)
    return {**message, "reasoning_details": turn.entries}


def _mistral(turn: AssistantTurn, message: ChatMessage) -> ChatMessage:
    if not turn.entries:
        return message
    said = message.get("content")
    return {**message, "content": [*turn.entries, *([text_part(said)] if said else [])]}


def _thought_signature(turn: AssistantTurn, message: ChatMessage) -> ChatMessage:
    for sent, call in zip(message.get("tool_calls", ()), turn.calls, strict=False):
        if call.extra is not None:
            sent["extra_content"] = call.extra
    return message


def _thought_signature_or_skip(turn: AssistantTurn, message: ChatMessage) -> ChatMessage:
    """Gemini 3 refuses calls of which not even the first is signed."""
    if turn.calls and all(call.extra is None for call in turn.calls):
        turn.calls[0].extra = UNSIGNED
    return _thought_signature(turn, message)


def _text(turn: AssistantTurn) -> str:
    return "\n".join(turn.reasoning)


HISTORY: dict[str, History] = {
    "none": _forget,
    "think_tags": _think_tags,
    "reasoning_content": _reasoning_content,
    "reasoning": _reasoning,
    "reasoning_details": _reasoning_details,  # OpenRouter
    "mistral": _mistral,
    "thought_signature": _thought_signature,  # Gemini
    "thought_signature_or_skip": _thought_signature_or_skip,  # Gemini 3
}
"""What a profile's `ask.reasoning_history` may name: where the reasoning of a turn goes."""
