"""Chat Completions: what a provider streams or answers, decoded.

Every field is optional and null is allowed everywhere: real servers leave out, null and misplace
all of them. Unknown fields are ignored. Source:
https://platform.openai.com/docs/api-reference/chat-streaming
"""

from typing import Any

import msgspec

__all__ = ["Choice", "Chunk", "Delta", "Details", "Function", "TokenUsage", "ToolCallDelta"]


class Function(msgspec.Struct, gc=False):
    """The function part of a tool call."""

    name: str | None = None
    arguments: Any = None
    """JSON text by the book; MiniMax sends an object."""


class ToolCallDelta(msgspec.Struct):
    """One entry of `tool_calls`, a fragment or whole."""

    index: Any = None
    id: str | None = None
    function: Function | None = None
    extra_content: msgspec.Raw = msgspec.Raw()
    """Gemini's thought_signature travels here; empty where there is none."""


class Delta(msgspec.Struct, gc=False):
    """The increment of a streamed choice, or the message of a whole one."""

    content: Any = None
    """Text by the book; Mistral sends a list of parts."""
    reasoning_content: str | None = None
    reasoning: str | None = None
    reasoning_details: list[msgspec.Raw] | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallDelta] | None = None


class Details(msgspec.Struct, gc=False):
    """Parts of a token count."""

    cached_tokens: Any = None
    cache_write_tokens: Any = None
    created_cache_tokens: Any = None
    reasoning_tokens: Any = None


class TokenUsage(msgspec.Struct):
    """Token counts in OpenAI's terms: `prompt_tokens` include the cached ones."""

    prompt_tokens: Any = None
    completion_tokens: Any = None
    total_tokens: Any = None
    prompt_tokens_details: Details | None = None
    completion_tokens_details: Details | None = None
    prompt_cache_hit_tokens: Any = None
    """DeepSeek."""
    cached_tokens: Any = None
    """Moonshot, Together."""
    num_cached_tokens: Any = None
    """Mistral."""
    reasoning_tokens: Any = None
    """SGLang."""


class Groq(msgspec.Struct):
    """Groq's own corner of a chunk."""

    usage: TokenUsage | None = None


class Choice(msgspec.Struct, gc=False):
    """One choice of a chunk or of a completion; fcc asks for one and reads the first."""

    index: Any = 0
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    native_finish_reason: str | None = None
    """OpenRouter: the reason in its provider's own words."""
    stop_reason: Any = None
    """vLLM: the stop string that was hit, or a token id."""
    matched_stop: Any = None
    """SGLang: the same."""
    usage: TokenUsage | None = None
    """Moonshot."""


class Chunk(msgspec.Struct, gc=False):
    """One `chat.completion.chunk`, or a whole `chat.completion`."""

    object: str | None = None
    choices: list[Choice] | None = None
    usage: TokenUsage | None = None
    x_groq: Groq | None = None
    error: Any = None
    type: str | None = None
    """"error" on MiniMax's and Anthropic-like error bodies."""
    base_resp: Any = None
    """MiniMax: {status_code, status_msg}, where 0 is well."""
