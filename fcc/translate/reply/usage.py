"""A provider's token counts in Anthropic's terms.

OpenAI's prompt_tokens include the cached ones, Anthropic's input_tokens don't. xAI and Gemini
leave reasoning out of completion_tokens, so that the total is more than the sum.
"""

from typing import Final

from fcc.translate.pieces import Usage
from fcc.wire.chat import Chunk, Details, TokenUsage

__all__ = ["find_usage", "usage"]

_MOST: Final = 2**53
"""Tokens, beyond which a JSON number is not exact for everybody."""


def find_usage(chunk: Chunk) -> TokenUsage | None:
    """The counts of a chunk: at the top, inside the choice (Moonshot) or under x_groq.

    Counts that are all zero are placeholders (MiniMax) and do not count.
    """
    choices = chunk.choices or ()
    if chunk.usage is None and chunk.x_groq is None and all(c.usage is None for c in choices):
        return None
    places = [chunk.usage, chunk.x_groq.usage if chunk.x_groq else None]
    places += [choice.usage for choice in choices]
    for found in places:
        if found is not None and (_count(found.prompt_tokens) or _count(found.completion_tokens)):
            return found
    return None


def usage(counts: TokenUsage) -> Usage:
    """`counts` translated; what is missing is 0."""
    prompt, completion = _count(counts.prompt_tokens), _count(counts.completion_tokens)
    details = counts.prompt_tokens_details or Details()
    cached = _first(
        details.cached_tokens,
        counts.prompt_cache_hit_tokens,
        counts.cached_tokens,
        counts.num_cached_tokens,
    )
    written = _first(details.cache_write_tokens, details.created_cache_tokens)
    cached = min(cached, prompt)
    written = min(written, prompt - cached)
    reasoning = (counts.completion_tokens_details or Details()).reasoning_tokens
    return Usage(
        input_tokens=prompt - cached - written,
        output_tokens=max(completion, _count(counts.total_tokens) - prompt),
        cache_read_input_tokens=cached,
        cache_creation_input_tokens=written,
        thinking_tokens=_first(reasoning, counts.reasoning_tokens),
    )


def _count(value: object) -> int:
    """A count as an int; 0 for what is none (30.0 is one, 30.5, true and "30" are not).

    None is so large that sums of them would be no numbers any more.
    """
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return min(value, _MOST) if type(value) is int and value > 0 else 0


def _first(*values: object) -> int:
    return next((count for count in map(_count, values) if count), 0)
