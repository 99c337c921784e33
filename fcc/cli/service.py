"""`fcc service`: the gateway as a service of systemd, or of launchd on macOS."""

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from fcc.cli.configured import config_of
from fcc.cli.table import paint
from fcc.errors import ConfigError
from fcc.service.plan import UNITS, Action, Plan, launchd, systemd
from fcc.service.unit import Place
from fcc.settings.files import config_dir, shipped_dir
from fcc.settings.places import log_file, private_dir, state_dir

__all__ = ["service"]

_EPILOG = """\b
Examples:
  fcc service install            a service of your own user, started at once
  fcc service install --dry-run  what would be written and run
  sudo fcc service install --system
  fcc service status
  fcc service logs -f
  fcc service uninstall
\b
To go on after you log out: loginctl enable-linger
"""


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in (
        click.option("--dry-run", is_flag=True, help="Show what would be done, and do nothing."),
        click.option("--system", "system", is_flag=True, help="For the whole machine (root)."),
    ):
        command = option(command)
    return command


@click.group(epilog=_EPILOG)
def service() -> None:
    """Run the gateway as a service of systemd or launchd."""


@service.command(
    short_help="Write the unit, and start it now and at every login.",
    epilog="\b\nExamples:\n  fcc service install\n  fcc service install --dry-run",
)
@_options
@click.option(
    "--run-as", metavar="USER", help="With --system: as this user, not as one of its own."
)
def install(system: bool, dry_run: bool, run_as: str | None) -> None:
    """Write the unit, and start it now and at every login (--system: at boot)."""
    _carried_out("install", system=system, dry_run=dry_run, run_as=run_as or "")
    if not dry_run:
        click.echo("fcc is installed as a service: fcc service status, fcc service logs -f")


@service.command(epilog="\b\nExample:\n  fcc service uninstall")
@_options
def uninstall(system: bool, dry_run: bool) -> None:
    """Stop the service and take its unit away. Configuration and keys stay."""
    _carried_out("uninstall", system=system, dry_run=dry_run)


@service.command(epilog="\b\nExample:\n  fcc service start")
@_options
def start(system: bool, dry_run: bool) -> None:
    """Start the service."""
    _carried_out("start", system=system, dry_run=dry_run)


@service.command(epilog="\b\nExample:\n  fcc service stop")
@_options
def stop(system: bool, dry_run: bool) -> None:
    """Stop the service; open answers may finish first."""
    _carried_out("stop", system=system, dry_run=dry_run)


@service.command(epilog="\b\nExample:\n  fcc service status")
@_options
def status(system: bool, dry_run: bool) -> None:
    """Show what the service manager knows."""
    _carried_out("status", system=system, dry_run=dry_run)


@service.command(epilog="\b\nExample:\n  fcc service logs -f")
@_options
@click.option("--follow", "-f", is_flag=True, help="Go on until Ctrl-C.")
def logs(system: bool, dry_run: bool, follow: bool) -> None:
    """Show what the service said."""
    _carried_out("logs", system=system, dry_run=dry_run, follow=follow)


def _carried_out(
    action: Action, *, system: bool, dry_run: bool, run_as: str = "", follow: bool = False
) -> None:
    """Raises ConfigError where this machine can't."""
    plan = _plan(action, system=system, run_as=run_as, follow=follow)
    if dry_run:
        _show(plan)
        return
    _check_machine(action, system=system)
    for command in plan.before:
        _run(command, quiet=True)
    try:
        for path in plan.remove:
            Path(path).unlink(missing_ok=True)
        for folder in plan.folders:
            _make(Path(folder), system=system)
        for path, text in plan.write.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text, "utf-8")
            click.echo(f"{paint('ok', 'green')}  {path}")
    except OSError as error:
        raise ConfigError(f"{error.filename}: {error.strerror}{_root(system)}") from error
    for command in plan.run:
        code = _run(command)
        if code:
            sys.exit(code)


def _make(folder: Path, *, system: bool) -> None:
    """For a service of the machine readable by all: the user it runs as is not root."""
    if system:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    else:
        private_dir(folder)


def _root(system: bool) -> str:
    return " (run it with sudo)" if system and os.geteuid() else ""


def _plan(action: Action, *, system: bool, run_as: str, follow: bool) -> Plan:
    place = _place(system=system, run_as=run_as)
    if sys.platform == "darwin":
        if system:
            raise ConfigError("--system is for systemd; on macOS fcc is an agent of your user")
        home, log = str(Path.home()), str(log_file())
        return launchd(action, place, home, log, user_id=os.getuid(), follow=follow)
    folder = "/etc/systemd/system" if system else str(_user_units())
    shipped = {name: (shipped_dir() / name).read_text("utf-8") for name in UNITS}
    return systemd(action, place, folder, shipped, follow=follow)


def _user_units() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home) / "systemd" / "user"


def _place(*, system: bool, run_as: str) -> Place:
    config = config_of(None)
    if run_as and not system:
        raise ConfigError("--run-as goes with --system; a user's service runs as that user")
    command = (*_program(), "serve")
    own = Path.home()
    if system and not run_as and Path(command[0]).is_relative_to(own):
        raise ConfigError(
            f"{command[0]} is in {own}, where a service of its own user can't read it: "
            "install fcc below /opt or /usr/local, or give --run-as USER"
        )
    return Place(
        kind="system" if system else "user",
        command=command,
        config_dir="/etc/fcc" if system else str(config_dir()),
        state_dir="/var/lib/fcc" if system else str(state_dir()),
        host=config.server.host,
        port=config.server.port,
        drain_seconds=config.server.drain_seconds,
        namespaces=_namespaces(),
        run_as=run_as,
    )


def _program() -> tuple[str, ...]:
    """The fcc that runs at this moment, by an absolute path."""
    own = Path(sys.executable).parent / "fcc"
    return (str(own),) if own.is_file() else (sys.executable, "-m", "fcc")


def _namespaces() -> bool:
    """Whether users may have user namespaces here; each distribution forbids it in its own way."""
    forbidding = {
        "/proc/sys/user/max_user_namespaces": "0",
        "/proc/sys/kernel/unprivileged_userns_clone": "0",  # Debian, before 11
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",  # Ubuntu, from 23.10 on
    }
    return not any(_says(Path(path), value) for path, value in forbidding.items())


def _says(path: Path, value: str) -> bool:
    try:
        return path.read_text("utf-8").strip() == value
    except OSError:
        return False


def _check_machine(action: Action, *, system: bool) -> None:
    """Raises ConfigError where no service manager runs, with what to do instead."""
    if sys.platform == "darwin":
        return
    import shutil

    if shutil.which("systemctl") is None or not Path("/run/systemd/system").is_dir():
        raise ConfigError(
            f"systemd does not run here, so fcc service {action} can do nothing: fcc "
            "claude starts the daemon by itself; for another supervisor, let it run `fcc serve` "
            "and stop it by SIGTERM (--dry-run shows the units)"
        )
    if not system and not os.environ.get("XDG_RUNTIME_DIR"):
        raise ConfigError(
            "this shell has no session of systemd (XDG_RUNTIME_DIR is not set): log in directly, "
            "not by su, or use --system"
        )


def _run(command: Sequence[str], *, quiet: bool = False) -> int:
    import subprocess

    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(command, check=False, stdout=output, stderr=output).returncode  # noqa: S603
    except FileNotFoundError as error:
        raise ConfigError(f"{command[0]} is not on the PATH") from error


def _show(plan: Plan) -> None:
    for command in plan.before:
        click.echo(f"{paint('run', 'cyan')}     {' '.join(command)}  (if it is there)")
    for path in plan.remove:
        click.echo(f"{paint('remove', 'cyan')}  {path}")
    for folder in plan.folders:
        click.echo(f"{paint('folder', 'cyan')}  {folder}")
    for path, text in plan.write.items():
        click.echo(f"{paint('write', 'cyan')}   {path}\n")
        click.echo("".join(f"    {line}\n" for line in text.splitlines()))
    for command in plan.run:
        click.echo(f"{paint('run', 'cyan')}     {' '.join(command)}")
