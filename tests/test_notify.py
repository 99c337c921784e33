"""What systemd is told and hands over."""

import os
import socket
from pathlib import Path

import pytest

from fcc.server.notify import Notifier, inherited_socket


@pytest.mark.parametrize("abstract", [False, True])
def test_a_supervisor_that_listens_is_told(tmp_path: Path, abstract: bool) -> None:
    name = f"@fcc-test-{os.getpid()}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name[1:]}" if abstract else name)
        notifier = Notifier({"NOTIFY_SOCKET": name})
        notifier.tell("READY=1", "STATUS=fine")
        assert systemd.recv(1000) == b"READY=1\nSTATUS=fine"
        notifier.reloading()
        assert systemd.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")


def test_a_supervisor_that_is_gone_is_no_failure(tmp_path: Path) -> None:
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "nobody")}).tell("READY=1")
    Notifier({}).tell("READY=1")


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, 0), ({"WATCHDOG_USEC": "30000000"}, 15),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid())}, 15),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, 0), ({"WATCHDOG_USEC": "soon"}, 0),
    ],
)  # fmt: skip
def test_signs_of_life_are_given_twice_as_often_as_wanted(environ: dict, seconds: float) -> None:
    assert Notifier(environ).watchdog == seconds


@pytest.mark.parametrize(
    "environ",
    [
        {}, {"LISTEN_PID": "1", "LISTEN_FDS": "1"}, {"LISTEN_PID": str(os.getpid())},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "x"},
    ],
)  # fmt: skip
def test_a_socket_that_is_not_for_this_process_is_not_taken(environ: dict) -> None:
    assert inherited_socket(environ) is None
