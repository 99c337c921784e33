"""Which parts of a text are secrets: they are cut to a prefix that tells what they were."""

import re
from collections.abc import Callable

__all__ = ["redact"]

_MASK = "***"

_USER_IN_URL = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,15}://)[^\s/@\"'<>]{1,300}@")

# Whoever issues the key puts its own sign before it. The groups are possessive, so that a text
# that was redacted once stays as it is.
_SIGNED = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(sk-(?:or-v[0-9]-|ant-[a-z0-9]{1,8}-|proj-|svcacct-|admin-|lf-|kimi-|cp-)?+)[\w*.-]{6,}"
    r"|(nvapi-)[\w*.-]{6,}"
    r"|((?:xai|csk|dsk|pplx|glpat|fw|fpk|tgp_v1|vck)[-_])(?=[\w*.-]*[0-9*])[\w*.-]{8,}"
    r"|((?:gsk|hf|r8|gh[oprsu]|api_org)_)[A-Za-z0-9*]{10,}"
    r"|(github_pat_)\w{10,}"
    r"|(AIza)[\w*-]{20,}"
    r"|(AKIA)[A-Z0-9]{12,}"
    r"|(ya29\.)[\w.-]{10,}"
    r"|(eyJ)[\w-]{8,}\.[\w.-]{8,}"
    r")",
    re.ASCII,
)

_SCHEME = re.compile(r"(?i)\b(bearer|basic)(\s{1,4})([\w.~+/=*-]{6,})", re.ASCII)

_NAMED = re.compile(
    r"(?i)((?:api[-_ ]?key|apikey|access[-_ ]?key|(?<![a-z0-9])key|(?<![a-z])token|secret"
    r"|passw(?:or)?d|authorization|credentials?)"
    r"(?:\s(?:provided|supplied|given|used|value))?"
    r"(?:[\"'`]?\s{0,4}[:=]\s{0,4}[\"'`(\[]?|\s(?:is\s|was\s)?[\"'`(\[]))"
    r"([\w.~+/=*-]{6,})",
    re.ASCII,
)

# Z.ai: an id and a secret with a dot between them, without any sign before.
_ZAI = re.compile(r"(?<![A-Za-z0-9])[0-9a-f]{32}\.[A-Za-z0-9]{12,}", re.ASCII)


def redact(text: str) -> str:
    """The text without keys, tokens and passwords; of a key at most the issuer's sign is left."""
    text = _USER_IN_URL.sub(rf"\1{_MASK}@", text)
    text = _SIGNED.sub(lambda found: (found[found.lastindex or 0]) + _MASK, text)
    text = _ZAI.sub(_MASK, text)
    text = _SCHEME.sub(_masked(3, 1, 2), text)
    return _NAMED.sub(_masked(2, 1), text)


def _masked(secret: int, *kept: int) -> Callable[[re.Match[str]], str]:
    """The replacement of a match by its `kept` groups and a mask, where `secret` is one."""

    def replace(found: re.Match[str]) -> str:
        assigned = "=" in found[kept[-1]]
        if not assigned and not _random_looking(found[secret]):
            return found[0]
        return "".join(found[group] for group in kept) + _MASK

    return replace


def _random_looking(text: str) -> bool:
    """Whether this is no word of a sentence: "missing Bearer authentication" has no secret."""
    bare = text.strip(".-*")
    if len(bare) >= 20:
        return True
    if "*" in text.strip("*"):
        return True
    return any(letter.isdigit() for letter in bare) and not bare.replace(".", "").isdigit()
