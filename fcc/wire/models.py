"""GET /models of a provider: which models it offers, in any of its shapes.

An OpenAI list, Together's bare array, Ollama's `models`; the context window has six names, and
prices are told for one token or for a million.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

__all__ = ["CatalogEntry", "Price", "catalog_entries"]

_WINDOWS: Final = (
    "loaded_context_length",  # LM Studio: that of the model as it runs
    "context_length",  # OpenRouter, Moonshot, Together, Fireworks
    "max_model_len",  # vLLM, SGLang
    "context_window",  # Groq
    "max_context_length",  # Mistral, LM Studio
    "n_ctx",  # llama.cpp, under meta
)


_MILLION: Final = 1_000_000

# OpenRouter and Cerebras tell prices for one token, as text
# (https://openrouter.ai/docs/api-reference/list-available-models); Together and Hugging Face for a
# million, as numbers (https://docs.together.ai/reference/models-1).
_PRICED: Final = (
    (_MILLION, ("prompt", "completion", "input_cache_read", "input_cache_write")),
    (1, ("input", "output", "cached_input", "cache_write")),
)


class Price(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """US dollars for a million tokens."""

    input: float
    output: float
    cached: float | None = None
    """Read from the cache; None: as `input`."""
    written: float | None = None
    """Written into the cache; None: as `input`."""
    above: int = 0
    """Tokens of a prompt from which on `long` counts instead, for the whole request; 0: never."""
    long: "Price | None" = None

    def cost(
        self, prompt: int, output: int, *, cached: int = 0, written: int = 0, longest: int = 0
    ) -> float:
        """US dollars for a request; `cached` and `written` are among the prompt's tokens.

        `longest`: the longest prompt, where `prompt` are several.
        """
        if self.long is not None and (longest or prompt) > self.above:
            return self.long.cost(prompt, output, cached=cached, written=written)
        fresh = max(0, prompt - cached - written)
        read = self.input if self.cached is None else self.cached
        write = self.input if self.written is None else self.written
        dollars = fresh * self.input + cached * read + written * write + output * self.output
        return dollars / _MILLION


class CatalogEntry(msgspec.Struct, frozen=True):
    """One model on offer."""

    id: str
    context_window: int | None = None
    price: Price | None = None


def catalog_entries(answer: object) -> Iterator[CatalogEntry]:
    """The models in a GET /models answer of any shape."""
    entries = answer.get("data") or answer.get("models") if isinstance(answer, dict) else answer
    for entry in entries if isinstance(entries, list) else ():
        # Ollama's own list says `name` for it.
        named = entry.get("id", entry.get("name")) if isinstance(entry, dict) else None
        if isinstance(named, str) and named:
            yield CatalogEntry(named, _window(entry), _price(entry.get("pricing")))


def _price(pricing: object) -> Price | None:
    if not isinstance(pricing, dict):
        return None
    for factor, names in _PRICED:
        prompt, output, cached, written = (_dollars(pricing.get(name), factor) for name in names)
        if prompt is not None and output is not None:
            # A zero beside a price is how servers say that they have no price of their own for it.
            return Price(prompt, output, cached or None, written or None)
    return None


def _dollars(said: object, factor: int) -> float | None:
    """None for what is no price: OpenRouter's routers say -1, as it depends."""
    if not isinstance(said, int | float | str) or isinstance(said, bool):
        return None
    try:
        dollars = float(said) * factor
    except (ValueError, OverflowError):
        return None
    return dollars if 0 <= dollars < _MILLION else None


def _window(entry: dict[str, Any]) -> int | None:
    for place in (entry, entry.get("meta"), entry.get("top_provider")):
        if window := _window_at(place):
            return window
    # Hugging Face's router may ask any of them.
    served = entry.get("providers")
    windows = map(_window_at, served if isinstance(served, list) else ())
    return min((window for window in windows if window), default=None)


def _window_at(place: object) -> int | None:
    for name in _WINDOWS:
        if isinstance(place, dict) and type(place.get(name)) is int and place[name] > 0:
            return int(place[name])
    return None
