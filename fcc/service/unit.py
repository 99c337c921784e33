"""What do the units of systemd say on this machine? `config/fcc.service`, with the right paths.

Sources: systemd.exec(5), systemd.service(5), systemd.socket(5).
"""

from typing import Final, Literal

import msgspec

__all__ = ["Place", "service_unit", "socket_unit"]

_BEGIN: Final = "# Sandboxing by a user namespace."
_END: Final = "# End of what needs a user namespace."

_BY_HAND: Final = "# fcc as a service of your own user"
"""How the comment begins that says how to copy the file by hand."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where the service lives."""

    kind: Literal["user", "system"]
    command: tuple[str, ...]
    """The program and its arguments, absolute."""
    config_dir: str
    state_dir: str
    host: str = "127.0.0.1"
    port: int = 8082
    drain_seconds: float = 30.0
    namespaces: bool = True
    """Whether this user may have a user namespace."""
    run_as: str = ""
    """Of a system unit: the user; empty: one that exists only while it runs."""


def service_unit(shipped: str, place: Place) -> str:
    """The unit, from the text of the shipped one."""
    lines = _without_instructions(shipped.splitlines())
    if place.kind == "user" and not place.namespaces:
        lines = _without_namespaces(lines)
    here = _lines(place)
    # A comment has no "=" before its first word ends, so no line of one is a key here.
    changed = (here.get(line.partition("=")[0], line) for line in lines)
    head = "# Written by `fcc service install`. Your own changes: systemctl edit fcc"
    return "\n".join([head, *changed]) + "\n"


def socket_unit(shipped: str, place: Place) -> str:
    """The socket that systemd holds while the service restarts."""
    host = f"[{place.host}]" if ":" in place.host else place.host
    listen = f"ListenStream={host}:{place.port}"
    lines = (listen if line.startswith("ListenStream=") else line for line in shipped.splitlines())
    return "\n".join(lines) + "\n"


def _lines(place: Place) -> dict[str, str]:
    """Key -> what stands there in this place."""
    config = _quoted(f"FCC_CONFIG_DIR={place.config_dir}", command=False)
    lines = {
        "ExecStart": f"ExecStart={' '.join(_quoted(word) for word in place.command)}",
        "Environment": f"Environment=FCC_SERVICE={place.kind}\nEnvironment={config}",
        "EnvironmentFile": f"EnvironmentFile=-{_escaped(_key_file(place))}",
        "ReadWritePaths": _written_paths(place),
        "TimeoutStopSec": f"TimeoutStopSec={place.drain_seconds + 10:.0f}",
    }
    return lines | ({"WantedBy": "WantedBy=multi-user.target"} if place.kind == "system" else {})


def _key_file(place: Place) -> str:
    """Of a system unit another name: systemd reads it as root, and fcc itself can't."""
    name = "fcc.env" if place.kind == "user" else "keys.env"
    return f"{place.config_dir}/{name}"


def _written_paths(place: Place) -> str:
    if place.kind == "user":
        return f"ReadWritePaths={_quoted(f'-{place.state_dir}', command=False)}"
    user = f"User={place.run_as}" if place.run_as else "DynamicUser=yes"
    return f"StateDirectory=fcc\n{user}"


def _without_instructions(lines: list[str]) -> list[str]:
    if not lines or not lines[0].startswith(_BY_HAND):
        return lines
    end = next(number for number, line in enumerate(lines) if not line.startswith("#"))
    return lines[end:]


def _without_namespaces(lines: list[str]) -> list[str]:
    begin = next(number for number, line in enumerate(lines) if line.startswith(_BEGIN))
    end = lines.index(_END)
    return [*lines[:begin], "# This machine allows no user namespaces.", *lines[end + 1 :]]


def _escaped(text: str) -> str:
    """A percent sign is systemd's own."""
    return text.replace("%", "%%")


def _quoted(word: str, *, command: bool = True) -> str:
    """One word, whatever is in it; in a command line a dollar sign is systemd's own, too."""
    text = _escaped(word).replace("\\", "\\\\").replace('"', '\\"')
    text = text.replace("$", "$$") if command else text
    return f'"{text}"' if set(text) & set(" \t\"'\\;") else text
