"""What did the attempts at one route take, all together?"""

from typing import Final

import msgspec

from fcc.translate.pieces import Usage

__all__ = ["NOTHING", "Spent", "spent"]


class Spent(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Tokens, as a bill counts them."""

    input: int = 0
    """Of all prompts."""
    longest: int = 0
    """Of the longest of them."""
    output: int = 0
    cached: int = 0
    written: int = 0
    reasoning: int = 0
    estimated: bool = False
    """Whether some are fcc's own count."""

    def __add__(self, other: "Spent") -> "Spent":
        if self is NOTHING:
            # Nearly all requests are one attempt.
            return other
        return Spent(
            input=self.input + other.input,
            longest=max(self.longest, other.longest),
            output=self.output + other.output,
            cached=self.cached + other.cached,
            written=self.written + other.written,
            reasoning=self.reasoning + other.reasoning,
            estimated=self.estimated or other.estimated,
        )


NOTHING: Final = Spent()


def spent(usage: Usage, output: int, estimated: int) -> Spent:
    """By one attempt: its bill, the tokens of its answer, and, for a provider that tells none, the
    estimated ones of its prompt.
    """
    prompt = usage.input_tokens + usage.cache_read_input_tokens + usage.cache_creation_input_tokens
    untold = not prompt and output > 0
    prompt = estimated if untold else prompt
    return Spent(
        input=prompt,
        longest=prompt,
        output=output,
        cached=usage.cache_read_input_tokens,
        written=usage.cache_creation_input_tokens,
        reasoning=usage.thinking_tokens,
        estimated=untold,
    )
