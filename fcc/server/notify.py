"""What systemd is told, and what it hands over: sd_notify and socket activation.

Sources: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3).
"""

import os
import socket
import time
from collections.abc import Mapping
from typing import Final

__all__ = ["Notifier", "inherited_socket"]

_FIRST_FD: Final = 3
"""SD_LISTEN_FDS_START."""


class Notifier:
    """`tell("READY=1")`; says nothing where nobody listens."""

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        address = environ.get("NOTIFY_SOCKET", "")
        # "@" stands for the NUL byte of an abstract address.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        usec = environ.get("WATCHDOG_USEC", "")
        self.watchdog = int(usec) / 2_000_000 if mine and usec.isdecimal() else 0.0
        """Seconds between two signs of life; 0: none are wanted."""

    def tell(self, *lines: str) -> None:
        """Send the lines as one message. A supervisor that does not listen is its own problem."""
        if not self._address:
            return
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
            sender.setblocking(False)
            try:
                sender.sendto("\n".join(lines).encode(), self._address)
            except OSError:
                return

    def reloading(self) -> None:
        """A reload begins; READY=1 ends it."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def inherited_socket(environ: Mapping[str, str] = os.environ) -> socket.socket | None:
    """The listening socket that systemd opened for this process, if it did."""
    if environ.get("LISTEN_PID") != str(os.getpid()):
        return None
    handed_over = environ.get("LISTEN_FDS", "")
    if not handed_over.isdecimal() or int(handed_over) < 1:
        return None
    listening = socket.socket(fileno=_FIRST_FD)
    listening.set_inheritable(False)
    return listening
