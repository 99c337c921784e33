"""How does an id that no client takes keep its place in a conversation?

Kimi calls its calls `functions.Bash:0` and wants exactly that back (vllm-project/vllm#33646), but
the SDKs of the Messages API expect ^[a-zA-Z0-9_-]+$. Such an id is written in those letters, with
an end that makes it unique: `toolu_f_` base64url(id) `_` end.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode

__all__ = ["original", "spelled"]

_PREFIX = "toolu_f_"


def spelled(id: str, end: str) -> str:
    """`id` in letters that every client takes; `end` has no underscore."""
    return f"{_PREFIX}{urlsafe_b64encode(id.encode()).rstrip(b'=').decode()}_{end}"


def original(id: str) -> str:
    """The id that was spelled; any other as it is."""
    letters, _, end = id.removeprefix(_PREFIX).rpartition("_")
    if not id.startswith(_PREFIX) or not letters or not end:
        return id
    try:
        return urlsafe_b64decode(letters + "=" * (-len(letters) % 4)).decode() or id
    except ValueError:
        return id
