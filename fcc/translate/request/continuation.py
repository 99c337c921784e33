"""What is sent upstream so that an answer that was cut goes on?

The body of the request once more, with what was said as the assistant's last message: as a
beginning to go on from where the provider takes one, else with an instruction to go on.
"""

from typing import Any, Final

import msgspec

from fcc.settings.profile import Ask
from fcc.translate.request.named import named
from fcc.translate.request.parts import ChatMessage
from fcc.translate.request.turns import PREFILL

__all__ = ["GO_ON", "continued_body", "goes_on_by_itself"]

GO_ON: Final = (
    "Your answer was cut off by a broken connection. Continue it exactly where it stops, from the "
    "very next character: don't repeat anything, don't introduce or explain the continuation."
)
"""To a provider that reads an assistant's last message as history."""

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MESSAGES = msgspec.json.Decoder(list[msgspec.Raw])
_MESSAGE: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(dict[str, Any])
_OUTPUT_LIMITS: Final = ("max_tokens", "max_completion_tokens")


def goes_on_by_itself(ask: Ask) -> bool:
    """Whether the provider continues an assistant's last message."""
    return ask.prefill != "continue"


def continued_body(body: bytes, said: str, spent: int, ask: Ask) -> bytes:
    """`body` asking for what follows on `said`.

    `said` has the beginning that the client may have given; `spent` are the tokens of output that
    the answer has cost, which its limit no longer allows.
    """
    fields = _FIELDS.decode(body)
    messages = _MESSAGES.decode(fields["messages"])
    if messages and _is_beginning(_MESSAGE.decode(messages[-1])):
        messages.pop()
    last: ChatMessage = {"role": "assistant", "content": said}
    more = [last]
    if goes_on_by_itself(ask):
        more += named(PREFILL, ask.prefill, "prefill")(last)
    else:
        more.append({"role": "user", "content": GO_ON})
    messages += [msgspec.Raw(msgspec.json.encode(message)) for message in more]
    fields["messages"] = msgspec.Raw(msgspec.json.encode(messages))
    for name in _OUTPUT_LIMITS:
        if name in fields:
            limit = max(1, int(bytes(fields[name])) - spent)
            fields[name] = msgspec.Raw(b"%d" % limit)
    return msgspec.json.encode(fields)


def _is_beginning(message: ChatMessage) -> bool:
    """Whether the client's own beginning of the answer, which `said` has too."""
    plain = isinstance(message.get("content"), str) and not message.get("tool_calls")
    return message.get("role") == "assistant" and plain
