"""What has to be written and run for a service to come, go, start and stop?

A plan is only said here; the command line carries it out, or shows it.
"""

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from fcc.service.plist import LABEL, launch_agent
from fcc.service.unit import Place, service_unit, socket_unit

__all__ = ["UNITS", "Action", "Plan", "launchd", "systemd"]

Action = Literal["install", "uninstall", "start", "stop", "status", "logs"]

Command = tuple[str, ...]

UNITS: Final = ("fcc.socket", "fcc.service")


class Plan(msgspec.Struct, frozen=True):
    """In this order."""

    before: tuple[Command, ...] = ()
    """Commands that may fail: what they end may not be there."""
    remove: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """To be made for their owner alone."""
    write: Mapping[str, str] = {}
    run: tuple[Command, ...] = ()


def systemd(
    action: Action, place: Place, folder: str, shipped: Mapping[str, str], *, follow: bool = False
) -> Plan:
    """`folder` is where the units go; `shipped` their texts by name."""
    user = ("--user",) if place.kind == "user" else ()
    systemctl = ("systemctl", *user)
    match action:
        case "install":
            texts = {
                f"{folder}/fcc.service": service_unit(shipped["fcc.service"], place),
                f"{folder}/fcc.socket": socket_unit(shipped["fcc.socket"], place),
            }
            folders = (place.config_dir, *((place.state_dir,) if user else ()))
            # A service that runs already keeps its port, so it ends before the socket takes it.
            before = ((*systemctl, "stop", *UNITS),)
            run = ((*systemctl, "daemon-reload"), (*systemctl, "enable", "--now", *UNITS))
            return Plan(before=before, folders=folders, write=texts, run=run)
        case "uninstall":
            before = ((*systemctl, "disable", "--now", *UNITS),)
            remove = tuple(f"{folder}/{name}" for name in UNITS)
            return Plan(before=before, remove=remove, run=((*systemctl, "daemon-reload"),))
        case "start" | "stop":
            return Plan(run=((*systemctl, action, *UNITS),))
        case "status":
            return Plan(run=((*systemctl, "status", "--no-pager", *UNITS),))
        case "logs":
            more = ("-f",) if follow else ()
            return Plan(run=(("journalctl", *user, "-u", "fcc", "-n", "50", *more),))


def launchd(
    action: Action, place: Place, home: str, log: str, *, user_id: int, follow: bool = False
) -> Plan:
    """A launch agent of macOS; `user_id` names its session."""
    domain, path = f"gui/{user_id}", f"{home}/Library/LaunchAgents/{LABEL}.plist"
    bootout = ("launchctl", "bootout", f"{domain}/{LABEL}")
    bootstrap = ("launchctl", "bootstrap", domain, path)
    match action:
        case "install":
            text = launch_agent(place.command, place.config_dir, log)
            folders = (place.config_dir, place.state_dir)
            return Plan(before=(bootout,), folders=folders, write={path: text}, run=(bootstrap,))
        case "uninstall":
            return Plan(before=(bootout,), remove=(path,))
        case "start":
            return Plan(before=(bootout,), run=(bootstrap,))
        case "stop":
            return Plan(run=(bootout,))
        case "status":
            return Plan(run=(("launchctl", "print", f"{domain}/{LABEL}"),))
        case "logs":
            return Plan(run=(("tail", "-n", "50", *(("-F",) if follow else ()), log),))
