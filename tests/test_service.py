"""fcc as a service: what the units say, and the protocol that they count on."""

import json
import os
import plistlib
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fcc.service.plan import launchd, systemd
from fcc.service.unit import Place, service_unit, socket_unit
from fcc.settings.files import shipped_dir
from tests.command import Fcc

SHIPPED = {name: (shipped_dir() / name).read_text() for name in ("fcc.service", "fcc.socket")}

USER = Place(kind="user", command=("/bin/true", "serve"), config_dir="/home/me/.config/fcc",
             state_dir="/home/me/.local/state/fcc")  # fmt: skip
SYSTEM = Place(kind="system", command=("/bin/true", "serve"), config_dir="/etc/fcc",
               state_dir="/var/lib/fcc")  # fmt: skip


@pytest.fixture
def analyze(tmp_path: Path) -> Iterator[list[str]]:
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze is not here (Debian: systemd)")
    (tmp_path / "run").mkdir()
    yield ["env", f"XDG_RUNTIME_DIR={tmp_path / 'run'}", program]


def written(folder: Path, place: Place | None) -> list[Path]:
    """The units in a folder; None: as they are shipped, but for a program that is here."""
    texts = dict(SHIPPED)
    texts["fcc.service"] = texts["fcc.service"].replace("%h/.local/bin/fcc", "/bin/true")
    if place:
        texts = {"fcc.service": service_unit(SHIPPED["fcc.service"], place),
                 "fcc.socket": socket_unit(SHIPPED["fcc.socket"], place)}  # fmt: skip
    for name, text in texts.items():
        (folder / name).write_text(text)
    return [folder / name for name in texts]


def without_namespaces(place: Place) -> Place:
    return Place(
        **{name: getattr(place, name) for name in place.__struct_fields__} | {"namespaces": False}
    )


PLACES = pytest.mark.parametrize(
    "place",
    [None, USER, without_namespaces(USER), SYSTEM],
    ids=["shipped", "user", "no userns", "system"],
)


@PLACES
def test_systemd_finds_nothing_wrong_with_the_units(
    analyze: list[str], tmp_path: Path, place: Place | None
) -> None:
    kind = "--system" if place is SYSTEM else "--user"
    units = map(str, written(tmp_path, place))
    ended = subprocess.run(
        [*analyze, "verify", kind, *units], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    about_us = [line for line in ended.stderr.splitlines() if "fcc." in line]
    assert not about_us, ended.stderr


@pytest.mark.parametrize(("place", "most"), [(None, 3.0), (USER, 3.0), (SYSTEM, 3.0)], ids=str)
def test_the_units_are_exposed_as_little_as_they_can_be(
    analyze: list[str], tmp_path: Path, place: Place | None, most: float
) -> None:
    unit = written(tmp_path, place)[0]
    ended = subprocess.run(
        [*analyze, "security", "--offline=true", f"--threshold={most * 10:.0f}", "--no-pager", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unrecognized option" in ended.stderr:
        pytest.skip("this systemd-analyze can't judge a file")
    assert ended.returncode == 0, ended.stdout[-300:] + ended.stderr
    assert "Overall exposure level" in ended.stdout


def test_a_unit_says_where_it_is_and_nothing_of_copying_by_hand() -> None:
    text = service_unit(SHIPPED["fcc.service"], USER)
    lines = text.splitlines()
    assert lines[0].startswith("# Written by `fcc service install`")
    assert "ExecStart=/bin/true serve" in lines
    assert "EnvironmentFile=-/home/me/.config/fcc/fcc.env" in lines
    assert "ReadWritePaths=-/home/me/.local/state/fcc" in lines
    assert (
        "Type=notify" in lines and "WatchdogSec=60" in lines and "WantedBy=default.target" in lines
    )
    assert "%h" not in text and "mkdir" not in text


def test_where_namespaces_are_forbidden_what_needs_them_is_left_out() -> None:
    text = service_unit(SHIPPED["fcc.service"], without_namespaces(USER))
    assert not any(
        word in text for word in ("PrivateUsers", "ProtectHome", "ProtectSystem", "ProcSubset")
    )
    assert "SystemCallFilter=@system-service" in text
    assert "[Install]" in text


def test_a_service_of_the_machine_is_nobody_else_and_starts_at_boot() -> None:
    text = service_unit(SHIPPED["fcc.service"], SYSTEM)
    assert "DynamicUser=yes" in text and "StateDirectory=fcc" in text
    assert "WantedBy=multi-user.target" in text and "ReadWritePaths" not in text
    assert "EnvironmentFile=-/etc/fcc/keys.env" in text
    mine = Place(kind="system", command=("/x",), config_dir="/e", state_dir="/s", run_as="me")
    assert "User=me" in service_unit(SHIPPED["fcc.service"], mine)


def test_whatever_is_in_a_path_reaches_the_program_as_it_is() -> None:
    place = Place(
        kind="user", command=("/my dir/50%/$x/fcc", "serve"), config_dir="/a b", state_dir="/s%"
    )
    text = service_unit(SHIPPED["fcc.service"], place)
    assert 'ExecStart="/my dir/50%%/$$x/fcc" serve' in text
    assert 'Environment="FCC_CONFIG_DIR=/a b"' in text
    assert "ReadWritePaths=-/s%%" in text


def test_the_socket_is_where_the_configuration_says_and_the_stop_waits_for_the_drain() -> None:
    place = Place(
        kind="user",
        command=("/x",),
        config_dir="/c",
        state_dir="/s",
        host="::1",
        port=9,
        drain_seconds=90,
    )
    assert "ListenStream=[::1]:9\n" in socket_unit(SHIPPED["fcc.socket"], place)
    assert "TimeoutStopSec=100\n" in service_unit(SHIPPED["fcc.service"], place)


def test_plans_name_the_right_manager() -> None:
    user = systemd("install", USER, "/units", SHIPPED)
    assert set(user.write) == {"/units/fcc.service", "/units/fcc.socket"}
    assert all(command[:2] == ("systemctl", "--user") for command in user.run)
    assert systemd("uninstall", USER, "/units", SHIPPED).remove == (
        "/units/fcc.socket",
        "/units/fcc.service",
    )
    assert systemd("stop", SYSTEM, "/u", SHIPPED).run == (
        ("systemctl", "stop", "fcc.socket", "fcc.service"),
    )
    assert systemd("logs", USER, "/u", SHIPPED, follow=True).run[0][-1] == "-f"
    mac = launchd("install", USER, "/Users/me", "/log", user_id=501)
    ((path, text),) = mac.write.items()
    assert path == "/Users/me/Library/LaunchAgents/io.github.fcc.plist"
    agent = plistlib.loads(text.encode())
    assert agent["ProgramArguments"] == ["/bin/true", "serve"]
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert mac.run == (("launchctl", "bootstrap", "gui/501", path),)
    for action in ("start", "stop", "status", "logs", "uninstall"):
        assert launchd(action, USER, "/Users/me", "/log", user_id=501) is not None


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    fcc = Fcc(tmp_path / "home")
    yield fcc
    fcc.close()


def test_a_dry_run_shows_all_and_does_nothing(fcc: Fcc) -> None:
    shown = fcc("service", "install", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert f"ListenStream=127.0.0.1:{fcc.port}" in shown.stdout
    assert "systemctl --user enable --now fcc.socket fcc.service" in shown.stdout
    assert not (fcc.home / ".config").exists()


@pytest.mark.skipif(Path("/run/systemd/system").is_dir(), reason="systemd runs here")
@pytest.mark.parametrize("action", ["install", "start", "status"])
def test_without_systemd_it_is_said_what_to_do_instead(fcc: Fcc, action: str) -> None:
    ended = fcc("service", action)
    assert ended.returncode == 2
    assert "systemd does not run here" in ended.stderr
    assert "fcc claude" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_daemon_takes_the_port_that_systemd_holds_and_tells_how_it_is(fcc: Fcc) -> None:
    told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    address = str(fcc.home / "n")
    told.bind(address)
    told.settimeout(30)
    held = socket.create_server(("127.0.0.1", 0))
    port = held.getsockname()[1]
    script = f'LISTEN_PID=$$ LISTEN_FDS=1 exec "{sys.executable}" -m fcc serve 3<&{held.fileno()}'
    environ = fcc.environ | {
        "NOTIFY_SOCKET": address,
        # Not more often: a socket that nobody reads while commands run holds ten messages.
        "WATCHDOG_USEC": "4000000",
        "FCC_SERVICE": "user",
    }
    process = subprocess.Popen(
        ["bash", "-c", script], env=environ, cwd=fcc.home, pass_fds=[held.fileno()],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert heard(told, "READY=1")
        status = fcc.json("status", "--json", FCC_PORT=str(port))
        assert status["url"] == f"http://127.0.0.1:{port}"
        assert status["pid"] == process.pid
        assert status["service"] == "user"
        assert heard(told, "WATCHDOG=1")

        (fcc.config / "config.toml").write_text('[models]\nopus = "deepseek/deepseek-chat"\n')
        assert fcc("reload").returncode == 0
        assert heard(told, "RELOADING=1")
        assert heard(told, "READY=1")
        tiers = fcc.json("status", "--json", FCC_PORT=str(port))["tiers"]
        assert tiers["opus"]["target"] == "deepseek/deepseek-chat"

        (fcc.config / "config.toml").write_text("[models\n")
        refused = fcc("reload")
        assert refused.returncode == 2
        assert "not TOML" in refused.stderr
        process.send_signal(signal.SIGHUP)
        assert heard(told, "READY=1")
        (fcc.config / "config.toml").unlink()
        assert fcc.json("status", "--json", FCC_PORT=str(port))["tiers"] == tiers

        process.terminate()
        assert heard(told, "STOPPING=1")
        assert process.wait(30) == 0
        assert not list((fcc.state / "run").glob("*.json"))
    finally:
        process.kill()
        process.wait()
        told.close()
        held.close()


def heard(told: socket.socket, word: str) -> bool:
    """Whether the word comes; a silence of 30 s is an error."""
    while word not in told.recv(4096).decode().splitlines():
        pass
    return True


def test_the_status_line_is_there_at_once_and_says_what_answers(fcc: Fcc) -> None:
    fcc.install_claude()
    fcc("claude")
    session = json.dumps(
        {"model": {"id": "demo/demo[1m]", "display_name": "x"}, "version": "2.1.330"}
    )
    began = time.perf_counter()
    line = fcc("statusline", stdin=session, NO_COLOR="1")
    assert time.perf_counter() - began < 5
    assert line.returncode == 0, line.stderr
    assert line.stdout == "demo/demo  0 open\n"
    family = fcc("statusline", stdin='{"model": {"id": "claude-opus-5-5"}}', NO_COLOR="1")
    assert family.stdout.startswith("demo/demo")
    assert "\x1b[" in fcc("statusline", stdin=session).stdout
    for strange in ("", "nonsense", "[]", '{"model": 3}'):
        assert fcc("statusline", stdin=strange, NO_COLOR="1").stdout.startswith("demo")
    elsewhere = fcc("statusline", NO_COLOR="1", ANTHROPIC_BASE_URL="http://127.0.0.1:9")
    assert elsewhere.stdout == "fcc does not run at http://127.0.0.1:9\n"
    assert fcc("stop").returncode == 0
    assert fcc("statusline", NO_COLOR="1").stdout == "fcc does not run\n"
    assert (
        json.loads(fcc("statusline", "--setup").stdout)["statusLine"]["command"] == "fcc statusline"
    )
    assert os.environ.get("FCC_STATE_DIR") != str(fcc.state)
