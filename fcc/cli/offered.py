"""Which models does a provider offer, and what does it say of each?

The same fact has a name of its own at every provider; whose it is stands beside the name.
"""

from collections.abc import Iterator
from typing import Any, Final

import httpx
import msgspec

from fcc.settings.profile import Profile
from fcc.wire.models import catalog_entries

__all__ = ["Offer", "ask_offers", "offered_models", "offers"]

_PATIENCE = 5.0
"""Seconds."""


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One model; None: the provider does not say, and fcc does not know."""

    id: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    price_in: float | None = None
    """Dollars for a million tokens."""
    price_out: float | None = None
    tools: bool | None = None
    vision: bool | None = None

    @property
    def free(self) -> bool:
        """Whether the provider says that it costs nothing."""
        return self.id.endswith(":free") or (self.price_in == 0 and self.price_out == 0)


def offered_models(profile: Profile, key: str, patience: float = _PATIENCE) -> list[str]:
    """The ids of GET /models; [] where there is no such list."""
    try:
        return [entry.id for entry in catalog_entries(_asked(profile, key, patience))]
    except (httpx.HTTPError, ValueError):
        return []


def ask_offers(profile: Profile, key: str, patience: float = 30.0) -> list[Offer]:
    """All that GET /models says. Raises httpx.HTTPError, ValueError."""
    return list(offers(_asked(profile, key, patience), profile))


def _asked(profile: Profile, key: str, patience: float) -> object:
    headers = dict(profile.headers) | ({"Authorization": f"Bearer {key}"} if key else {})
    answer = httpx.get(f"{profile.base_url.rstrip('/')}/models", headers=headers, timeout=patience)
    return answer.raise_for_status().json()


def offers(answer: object, profile: Profile) -> Iterator[Offer]:
    """The models of a GET /models answer; the profile's facts where it says nothing."""
    listed = answer.get("data", answer.get("models")) if isinstance(answer, dict) else answer
    raw = {
        entry["id"]: entry
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and isinstance(entry.get("id"), str)
    }
    for entry in catalog_entries(answer):
        said, known = raw.get(entry.id, {}), profile.model(entry.id)
        vision = _vision(said)
        price_in, price_out = _prices(said)
        yield Offer(
            id=entry.id,
            context_window=entry.context_window or known.context_window,
            max_output_tokens=_output(said) or known.max_output_tokens,
            price_in=price_in,
            price_out=price_out,
            tools=_tools(said),
            vision=(None if known.ask.images else False) if vision is None else vision,
        )


_OUTPUTS: Final = (
    "max_completion_tokens",  # Groq; OpenRouter, under top_provider
    "max_output_tokens",  # Gemini, Novita
    "max_output_length",  # DeepSeek-like lists
)

_TOOLS: Final = frozenset(
    {"tools", "tool_use", "tool_calls", "function-calling", "function_calling"}
)


def _output(said: dict[str, Any]) -> int | None:
    for place in (said, said.get("top_provider")):
        for name in _OUTPUTS:
            if isinstance(place, dict) and type(place.get(name)) is int and place[name] > 0:
                return int(place[name])
    return None


def _prices(said: dict[str, Any]) -> tuple[float | None, float | None]:
    pricing = said.get("pricing")
    if not isinstance(pricing, dict):
        return None, None
    if "prompt" in pricing:  # OpenRouter: dollars for one token, as text
        return _million(pricing.get("prompt")), _million(pricing.get("completion"))
    return _number(pricing.get("input")), _number(pricing.get("output"))  # Together


def _million(price: object) -> float | None:
    number = _number(price)
    return None if number is None else round(number * 1e6, 6)


def _number(value: object) -> float | None:
    try:
        number = float(value) if isinstance(value, str | int | float) else -1.0
    except ValueError:
        return None
    # OpenRouter says -1 where the price depends on the request.
    return number if number >= 0 else None


def _tools(said: dict[str, Any]) -> bool | None:
    parameters = said.get("supported_parameters")  # OpenRouter
    if isinstance(parameters, list):
        return "tools" in parameters
    if isinstance(said.get("supports_tools"), bool):  # Fireworks, Hugging Face
        return bool(said["supports_tools"])
    return _capable(said, _TOOLS)


def _vision(said: dict[str, Any]) -> bool | None:
    architecture = said.get("architecture")
    if isinstance(architecture, dict) and isinstance(architecture.get("input_modalities"), list):
        return "image" in architecture["input_modalities"]  # OpenRouter
    if isinstance(said.get("supports_image_input"), bool):  # Fireworks
        return bool(said["supports_image_input"])
    if said.get("type") in ("vlm", "llm"):  # LM Studio
        return bool(said["type"] == "vlm")
    return _capable(said, frozenset({"vision", "image"}))


def _capable(said: dict[str, Any], words: frozenset[str]) -> bool | None:
    capabilities = said.get("capabilities", said.get("features"))
    if isinstance(capabilities, dict):  # Mistral
        known = [bool(capabilities[word]) for word in words if word in capabilities]
        return any(known) if known else None
    if isinstance(capabilities, list):  # LM Studio, Ollama, Novita
        return bool(words & {word for word in capabilities if isinstance(word, str)})
    return None
