"""Where does the answer end, and how is it sampled?"""

from typing import Any

from fcc.settings.profile import Ask, Model
from fcc.wire.messages import MessagesRequest

__all__ = ["output_limit", "sampling", "stop"]


def output_limit(request: MessagesRequest, model: Model) -> int | None:
    """Tokens of the answer at most; None where nobody set a limit."""
    wanted = request.max_tokens if request.max_tokens is not None else model.max_tokens
    if wanted is None:
        return None
    # 0 warms Anthropic's cache; no other API takes it.
    wanted = max(1, wanted)
    return min(wanted, model.max_output_tokens or wanted, model.max_tokens or wanted)


def sampling(request: MessagesRequest, ask: Ask) -> dict[str, Any]:
    """The parameters that the client set and the provider takes."""
    given = {
        "temperature": request.temperature,
        "top_p": request.top_p,
        "top_k": request.top_k,
    }
    return {key: v for key, v in given.items() if v is not None and key in ask.params}


def stop(request: MessagesRequest, ask: Ask, declined: list[str]) -> dict[str, Any]:
    """The first stop sequences, as many as are taken; the others are declined."""
    given = [text for text in dict.fromkeys(request.stop_sequences or ()) if text]
    taken = given[: ask.stop_limit] if "stop" in ask.params else []
    declined += [f"stop sequence {text!r}" for text in given[len(taken) :]]
    return {"stop": taken} if taken else {}
