"""How is a provider told which tool to call, whatever forms it knows?"""

from typing import Any

import msgspec

from fcc.settings.profile import Ask
from fcc.translate.request.names import provider_name
from fcc.translate.request.tools import Offer
from fcc.wire.messages import ToolChoice

__all__ = ["Choice", "choose"]


class Choice(msgspec.Struct):
    """The tools that are offered, the fields that go with them, and words for what none says."""

    offer: Offer
    fields: dict[str, Any] = {}
    instruction: str | None = None


def choose(offer: Offer, choice: ToolChoice | None, ask: Ask) -> Choice:
    """What to send so that the model does what the client chose."""
    if not offer.sent:
        return Choice(offer)
    made = _made(offer, choice, ask) if choice else Choice(offer)
    one = ask.one_call or (choice is not None and choice.disable_parallel_tool_use)
    if one and ask.parallel_tool_calls and made.offer.sent:
        made.fields["parallel_tool_calls"] = False
    return made


def _made(offer: Offer, choice: ToolChoice, ask: Ask) -> Choice:
    if choice.type == "any":
        return _any(offer, ask)
    if choice.type == "tool":
        return _named(offer, choice.name or "", ask)
    if choice.type == "none":
        # What must not be called is not declared, so that no text is taken for a call.
        return _none(offer, ask)
    return Choice(offer, {"tool_choice": "auto"} if "auto" in ask.tool_choice else {})


def _any(offer: Offer, ask: Ask) -> Choice:
    # Mistral and Fireworks say "any" for "required".
    for form in ("required", "any"):
        if form in ask.tool_choice:
            return Choice(offer, {"tool_choice": form})
    return Choice(offer, instruction="Call one of the tools now; do not answer with text alone.")


def _named(offer: Offer, name: str, ask: Ask) -> Choice:
    one = offer.only(name)
    if not one.sent:
        return Choice(offer)
    sent = provider_name(name, ask.tool_names)
    if "function" in ask.tool_choice:
        return Choice(offer, {"tool_choice": {"type": "function", "function": {"name": sent}}})
    # llama.cpp ignores the object form: one tool and "required" come to the same.
    made = _any(one, ask)
    if made.instruction is not None:
        made.instruction = f"Call the tool {sent} now; do not answer with text alone."
    return made


def _none(offer: Offer, ask: Ask) -> Choice:
    if "none" not in ask.tool_choice:
        return Choice(offer.nothing())
    return Choice(msgspec.structs.replace(offer, declared=()), {"tool_choice": "none"})
