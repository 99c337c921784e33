"""What a provider's refusals teach of one model: an output cap, fields it does not take.

Learned for the life of the daemon: the same refusal is met once, not with every request.
"""

import msgspec

from fcc.errors import Fix

__all__ = ["Learned", "amended"]

_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_OUTPUT_LIMITS = ("max_tokens", "max_completion_tokens")


class Learned:
    """`amend(body)` makes of a body what the provider is known to take."""

    __slots__ = ("_dropped", "_max_tokens", "context_window")

    def __init__(self) -> None:
        self._max_tokens: int | None = None
        self._dropped: dict[str, None] = {}
        self.context_window: int | None = None
        """Tokens, as the refusal of a prompt that was too long has said."""

    @property
    def max_tokens(self) -> int | None:
        """The most output that the provider gives, if it has said so."""
        return self._max_tokens

    @property
    def dropped(self) -> tuple[str, ...]:
        """Fields that it does not take."""
        return tuple(self._dropped)

    def learn(self, fix: Fix) -> None:
        """Remember a fix that is true of every request."""
        if not fix.lasting:
            return
        if fix.max_tokens is not None:
            self._max_tokens = min(fix.max_tokens, self._max_tokens or fix.max_tokens)
        if fix.drop_field is not None:
            self._dropped[fix.drop_field] = None

    def amend(self, body: bytes) -> bytes:
        """`body` with all that was learned."""
        if self._max_tokens is not None:
            body = amended(body, Fix(max_tokens=self._max_tokens)) or body
        for field in self._dropped:
            body = amended(body, Fix(drop_field=field)) or body
        return body


def amended(body: bytes, fix: Fix) -> bytes | None:
    """`body` with the fix; None where it changes nothing."""
    fields = _FIELDS.decode(body)
    changed = False
    if fix.drop_field is not None and fix.drop_field in fields:
        del fields[fix.drop_field]
        changed = True
    if fix.max_tokens is not None:
        for name in _OUTPUT_LIMITS:
            if name in fields and _number(fields[name]) > fix.max_tokens > 0:
                fields[name] = msgspec.Raw(b"%d" % fix.max_tokens)
                changed = True
    return msgspec.json.encode(fields) if changed else None


def _number(raw: msgspec.Raw) -> int:
    """0 for what is no whole number: `extra` of a profile may say anything."""
    text = bytes(raw)
    return int(text) if text.isdigit() else 0
