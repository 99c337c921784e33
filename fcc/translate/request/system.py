"""What goes into the system message, and what becomes of those in mid-conversation?"""

from collections.abc import Iterable

from fcc.translate.request.foreign import foreign_text
from fcc.translate.request.parts import ChatMessage, Part, content, is_blank, mark, text_part
from fcc.wire.messages import Block

__all__ = ["reminder", "system_message", "system_text"]

_BILLING = "x-anthropic-billing-header"


def system_message(
    system: str | list[Block] | None, notes: Iterable[str], *, cache_control: bool
) -> ChatMessage | None:
    """One leading message of all blocks, a blank line between them; None if nothing is said."""
    parts = [*_parts(system, cache_control=cache_control), *map(text_part, notes)]
    return {"role": "system", "content": content(parts, "\n\n")} if parts else None


def system_text(said: str | list[Block] | None) -> str:
    """The text of a system message in mid-conversation."""
    return "\n\n".join(part["text"] for part in _parts(said, cache_control=False))


def reminder(text: str) -> str:
    """System text as user text, in the form that Claude Code itself falls back to."""
    if text.startswith("<system-reminder>"):
        return text
    return f"<system-reminder>\n{text}\n</system-reminder>"


def _parts(said: str | list[Block] | None, *, cache_control: bool) -> list[Part]:
    if isinstance(said, str):
        said = [Block(type="text", text=said)]
    result = []
    for block in said or ():
        text = _without_billing(block.text or foreign_text(block))
        if not is_blank(text):
            part = text_part(text)
            if cache_control and block.cache_control is not None:
                mark([part], block.cache_control)
            result.append(part)
    return result


def _without_billing(text: str) -> str:
    """Without the line that differs in every request and so spoils every prefix cache.

    ggml-org/llama.cpp#21793 has it too.
    """
    if not text.startswith(_BILLING):
        return text
    return text.partition("\n")[2]
