"""GET /models of a provider: which models it offers, in any of its shapes.

An OpenAI list, Together's bare array, Ollama's `models`; the context window has five names.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

__all__ = ["CatalogEntry", "catalog_entries"]

_WINDOWS: Final = (
    "context_length",  # OpenRouter, Moonshot, Together, Fireworks
    "max_model_len",  # vLLM, SGLang
    "context_window",  # Groq
    "max_context_length",  # Mistral, LM Studio
    "n_ctx",  # llama.cpp, under meta
)


class CatalogEntry(msgspec.Struct, frozen=True):
    """One model on offer."""

    id: str
    context_window: int | None = None


def catalog_entries(answer: object) -> Iterator[CatalogEntry]:
    """The models in a GET /models answer of any shape."""
    entries = answer.get("data") or answer.get("models") if isinstance(answer, dict) else answer
    for entry in entries if isinstance(entries, list) else ():
        # Ollama's own list says `name` for it.
        named = entry.get("id", entry.get("name")) if isinstance(entry, dict) else None
        if isinstance(named, str) and named:
            yield CatalogEntry(named, _window(entry))


def _window(entry: dict[str, Any]) -> int | None:
    places = (entry, entry.get("meta"), entry.get("top_provider"))
    for place in places:
        for name in _WINDOWS:
            if isinstance(place, dict) and type(place.get(name)) is int and place[name] > 0:
                return int(place[name])
    return None
