"""What a shell command begins with and which files it shows, where that is certain.

Everything else is None, and the model is asked: a wrong prefix would let a command run that
nobody allowed.
"""

import re
import shlex
from typing import Final

__all__ = ["INJECTION", "command_prefix", "shown_files"]

INJECTION: Final = "command_injection_detected"
"""Claude Code's own word for a command that hides another."""

_SUBSTITUTION: Final = re.compile(r"`|\$\(|<\(|>\(|\$\{")
_EXPANDED: Final = frozenset("$*?[{~")
_COMPOUND: Final = re.compile(r"[;&|\n\r<>()]")
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=[A-Za-z0-9_./:-]*")
_TWO_WORDS: Final = frozenset({"npm", "yarn", "pnpm", "cargo", "go", "docker", "kubectl", "make"})
"""Tools whose first argument says what they do."""

_PLAIN_WORD: Final = re.compile(r"[A-Za-z0-9_./:@+-]+")
_FILTER: Final = re.compile(r"(?:head|tail|sort|wc)(?: -[A-Za-z0-9]+)*")
_SHOWS: Final = frozenset({"cat", "head", "tail", "less", "more"})
_SHOWS_NONE: Final = frozenset({"ls", "pwd", "cd", "echo", "mkdir", "touch", "which", "date"})


def command_prefix(command: str) -> str | None:
    """`npm run` for `npm run x`, INJECTION for what hides a command, None where unsure."""
    if _SUBSTITUTION.search(command):
        return INJECTION
    words = _words(command)
    if not words:
        return None
    assigned = 0
    while assigned < len(words) and _ASSIGNMENT.fullmatch(words[assigned]):
        assigned += 1
    rest = words[assigned:]
    if not rest or not _PLAIN_WORD.fullmatch(rest[0]):
        return None
    length = 1
    if rest[0] in _TWO_WORDS and len(rest) > 1 and _PLAIN_WORD.fullmatch(rest[1]):
        length += not rest[1].startswith("-")
    elif rest[0] == "git" and len(rest) > 1 and not rest[1].startswith("-"):
        length = 1 + bool(_PLAIN_WORD.fullmatch(rest[1]))
    return " ".join(words[: assigned + length])


def shown_files(command: str) -> list[str] | None:
    """The files whose contents the command shows; [] for none; None where unsure."""
    first, *further = command.split("|")
    if not all(_FILTER.fullmatch(stage.strip()) for stage in further):
        return None
    words = _words(first.strip())
    if not words:
        return None
    name, *arguments = words
    operands = [word for word in arguments if not word.startswith("-")]
    if name in _SHOWS_NONE:
        return []
    if name in _SHOWS:
        return None if name in ("head", "tail") and len(operands) != len(arguments) else operands
    if name == "grep" and len(operands) >= 2:
        return operands[1:]
    return None


def _words(command: str) -> list[str]:
    """The words of one simple command; [] for anything more."""
    if set(command) & _EXPANDED:
        return []
    if _SUBSTITUTION.search(command) or _COMPOUND.search(command):
        return []
    try:
        return shlex.split(command)
    except ValueError:
        return []
