"""The doctor's quick checks: whatever is wrong, its finding and what mends it."""

import json
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from fcc.doctor.claude import claude_code
from fcc.doctor.files import learned
from fcc.doctor.finding import Finding, Verdict
from fcc.doctor.machine import proxies
from fcc.doctor.provider import Patient, examine
from fcc.settings.config import Config
from fcc.settings.probed import Probes
from fcc.settings.profile import Profile
from tests.command import Fcc
from tests.patient import KEY, MODEL, Ills, Server


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path / "mine"))
    for name in (
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)


def profile_at(url: str, **fields: Any) -> Profile:
    return Profile(
        **{"name": "acme", "title": "Acme", "base_url": url, "api_key_env": "ACME_KEY",
           "key_url": "https://acme.example/keys"} | fields
    )  # fmt: skip


def seen_of(
    ills: Ills, *, key: str = KEY, models: tuple[str, ...] = (MODEL,), **fields: Any
) -> list[Finding]:
    with Server(ills) as server:
        families = dict.fromkeys(models, ("opus", "sonnet"))
        patient = Patient(profile_at(server.url, **fields), key, not key, models, families)
        return [step for step in examine(patient) if isinstance(step, Finding)]


def bad(findings: list[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.verdict is not Verdict.OK]


def test_where_all_is_well_nothing_is_bad() -> None:
    findings = seen_of(Ills(list_window=200_000))
    assert not bad(findings)
    assert [finding.check for finding in findings] == ["key", "reach", "model", "account"]
    assert "window of 200,000 tokens" in findings[2].seen


@pytest.mark.parametrize(
    ("ills", "options", "check", "verdict", "seen", "fix"),
    [
        (Ills(), {"key": "sk-wrong-0123456789"}, "key", "fail", "401",
         "put a valid key into ACME_KEY; get one at https://acme.example/keys"),
        (Ills(public_list=True), {"key": "sk-wrong-0123456789"}, "key", "fail", "401", "put a valid key"),
        (Ills(), {"key": ""}, "key", "fail", "ACME_KEY is not set", "mode 600"),
        (Ills(post=(402, {"message": "Insufficient credits"})), {}, "account", "fail",
         "Insufficient credits", "add credit there, or choose a free model"),
        (Ills(post=(403, {"message": "no access to this model"})), {}, "account", "fail", "403", "ask for access"),
        (Ills(post=(404, {"message": "Not found for account"})), {}, "model", "fail", "404", "fcc models"),
        (Ills(post=(429, {"message": "slow down"})), {}, "account", "warn", "429", "later"),
        (Ills(offers=["acme/coder-3", "x"]), {}, "model", "fail", "did you mean 'acme/coder-3'?",
         "fcc models --set opus=acme/coder-3 --set sonnet=acme/coder-3"),
        (Ills(offers=[]), {"local": True}, "reach", "warn", "0 models", "load a model"),
        (Ills(list_window=8192), {}, "model", "warn", "8,192", "larger window"),
        (Ills(page=200), {}, "reach", "fail", "text/html, not JSON", "proxy or a login page"),
        (Ills(page=502), {}, "reach", "fail", "502", "try again later"),
        (Ills(date=format_datetime(datetime.now(UTC) - timedelta(hours=1), usegmt=True)), {}, "clock",
         "warn", "minutes ahead of", "set the clock"),
    ],
    ids=["key", "public list", "no key", "credit", "permission", "gone", "limit", "other name", "nothing",
         "window", "page", "bad gateway", "clock"],
)  # fmt: skip
def test_each_fault_has_one_finding_with_its_fix(
    ills: Ills, options: dict[str, Any], check: str, verdict: str, seen: str, fix: str
) -> None:
    findings = bad(seen_of(ills, **options))
    assert len(findings) == 1, findings
    (finding,) = findings
    assert (finding.check, finding.verdict.value) == (check, verdict), finding
    assert seen in finding.seen
    assert fix in finding.fix
    assert "0123456789" not in str(findings)


def test_a_slow_list_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcc.doctor.provider._SLOW", 0.2)
    (finding,) = bad(seen_of(Ills(list_delay=0.4)))
    assert (finding.check, finding.verdict) == ("reach", Verdict.WARN)
    assert "slow" in finding.fix


def test_a_provider_that_is_silent_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcc.doctor.provider.PATIENCE", 0.2)
    (finding,) = bad(seen_of(Ills(list_delay=1.0)))
    assert "overloaded" in finding.fix


def unreachable(url: str, **fields: Any) -> Finding:
    patient = Patient(profile_at(url, **fields), KEY, False, (MODEL,))
    return [step for step in examine(patient) if isinstance(step, Finding)][-1]


def test_a_server_that_is_not_there_is_started_and_an_unknown_name_is_corrected() -> None:
    local = unreachable("http://127.0.0.1:9/v1", local=True)
    assert local.verdict is Verdict.FAIL
    assert "start the server" in local.fix
    remote = unreachable("http://no-such-host.invalid/v1")
    assert "name server" in remote.fix


def test_a_server_without_tls_at_an_https_address_is_told() -> None:
    with Server() as server:
        finding = unreachable(server.url.replace("http:", "https:"))
    assert finding.verdict is Verdict.FAIL
    assert "must begin with http://" in finding.fix


def test_a_certificate_that_nobody_knows_is_told(tmp_path: Path) -> None:
    pair = tmp_path / "pair.pem"
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost",
         "-days", "1", "-keyout", str(pair), "-out", str(tmp_path / "cert.pem")],
        capture_output=True, check=False,
    )  # fmt: skip
    if made.returncode:
        pytest.skip("openssl is not here to make a certificate")
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", pair)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        finding = unreachable(f"https://127.0.0.1:{server.server_address[1]}/v1")
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert "SSL_CERT_FILE" in finding.fix


def test_what_stands_between_is_told_and_a_local_server_is_taken_out() -> None:
    proxy = {"HTTP_PROXY": "http://user:password1@proxy:3128", "NO_PROXY": "corp.example"}
    (remote,) = proxies(profile_at("http://api.acme.example/v1"), proxy)
    assert remote.verdict is Verdict.OK
    assert "password1" not in remote.seen
    (local,) = proxies(profile_at("http://localhost:1234/v1", local=True), proxy)
    assert local.fix == "export NO_PROXY=corp.example,localhost"
    (around,) = proxies(profile_at("http://a.corp.example/v1"), proxy)
    assert "excepted" in around.seen
    assert not list(proxies(profile_at("https://api.acme.example/v1"), proxy))


def claude_findings(home: Path, **environ: str) -> list[Finding]:
    found = {"PATH": str(home / "bin"), "CLAUDE_CONFIG_DIR": str(home / ".claude")} | environ
    return list(claude_code(Config(), found))


def test_claude_code_and_what_points_it_elsewhere_are_told(tmp_path: Path) -> None:
    (first, last) = claude_findings(tmp_path)
    assert "npm install" in first.fix
    assert "fcc claude" in last.seen
    claude = tmp_path / "bin" / "claude"
    claude.parent.mkdir()
    claude.write_text("#!/bin/sh\necho '2.1.330 (Claude Code)'\n")
    claude.chmod(0o755)
    assert claude_findings(tmp_path)[0].seen == f"Claude Code 2.1.330 is at {claude}"
    settings = tmp_path / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"env": {"ANTHROPIC_BASE_URL": "https://elsewhere.example"}}))
    elsewhere = bad(
        claude_findings(tmp_path, ANTHROPIC_API_KEY="x", ANTHROPIC_BASE_URL="http://other")
    )
    assert ["settings.json" in finding.seen for finding in elsewhere] == [True, False, False]
    assert "unset ANTHROPIC_API_KEY" in elsewhere[2].fix
    claude.write_text("#!/bin/sh\necho '1.0.3 (Claude Code)'\n")
    assert claude_findings(tmp_path)[0].fix == "claude update"


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    fcc = Fcc(tmp_path / "home")
    fcc.environ["FCC_PROVIDER"] = ""
    yield fcc
    fcc.close()


def acme(fcc: Fcc, url: str, more: str = "") -> None:
    """A provider of the person's own, with models."""
    file = fcc.config / "providers" / "acme.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        f'# mine\ntitle = "Acme"\nbase_url = "{url}"\napi_key_env = "ACME_KEY"  # theirs\n'
        f'default_model = "{MODEL}"\n{more}'
    )


def test_the_command_tells_by_its_exit_code_and_as_json_and_never_a_secret(fcc: Fcc) -> None:
    with Server() as server:
        acme(fcc, server.url)
        well = fcc("doctor", "acme", ACME_KEY=KEY)
        assert well.returncode == 0, well.stdout
        assert "\x1b" not in well.stdout
        ill = fcc("doctor", "acme", "--json", ACME_KEY="sk-wrong-0123456789")
        assert ill.returncode == 1
        findings = [json.loads(line) for line in ill.stdout.splitlines()]
        first = next(finding for finding in findings if finding["verdict"] == "fail")
        assert first["check"] == "key"
    assert KEY not in well.stdout + well.stderr
    assert "0123456789" not in ill.stdout + ill.stderr
    assert fcc("doctor", "nonsense").returncode == 1
    assert fcc("doctor", "--nonsense").returncode == 2


def test_fix_writes_what_can_be_written_and_keeps_a_copy_and_every_comment(fcc: Fcc) -> None:
    config = fcc.config / "config.toml"
    config.write_text('# my file\nprovider = "acme"  # this one\n')
    env = fcc.config / "fcc.env"
    env.write_text(f"# keys\nACME_KEY={KEY}\n")
    with Server(Ills(offers=["acme/coder-3"])) as server:
        acme(fcc, server.url)
        env.chmod(0o644)
        assert fcc("doctor").returncode == 1
        assert "mode 0600" in fcc("doctor", "--fix").stderr
        assert env.stat().st_mode & 0o777 == 0o600
        ill = fcc("doctor", "--fix")
        assert ill.returncode == 1
        assert "config.toml" in ill.stderr
        well = fcc("doctor")
        assert well.returncode == 0, well.stdout
    text = config.read_text()
    assert text.startswith('# my file\nprovider = "acme"  # this one\n')
    assert 'sonnet = "acme/acme/coder-3"' in text
    assert (
        fcc.config / "config.toml.bak"
    ).read_text() == '# my file\nprovider = "acme"  # this one\n'


def test_deep_findings_come_through_the_command_and_are_mended(fcc: Fcc) -> None:
    with Server(Ills(images="ignored")) as server:
        acme(fcc, server.url)
        deep = fcc("doctor", "acme", "--deep", "--fix", ACME_KEY=KEY)
        assert deep.returncode == 0, deep.stdout + deep.stderr
        assert "it calls tools" in deep.stdout
        file = (fcc.config / "providers" / "acme.toml").read_text()
        assert 'api_key_env = "ACME_KEY"  # theirs' in file
        again = fcc("doctor", "acme", "--deep", ACME_KEY=KEY)
    assert "not sent, as the provider's file says" in again.stdout
    assert list((fcc.state / "capabilities" / "acme").glob("*.json"))


@pytest.mark.parametrize("folder", ["FCC_STATE_DIR", "FCC_CONFIG_DIR"])
def test_a_folder_that_cannot_be_looked_into_is_one_finding_among_the_others(
    fcc: Fcc, folder: str
) -> None:
    """Root may enter every folder, but none with a name that is too long."""
    closed = fcc.home / ("x" * 300)
    ended = fcc("doctor", "demo", "--json", **{folder: str(closed)})
    findings = [json.loads(line) for line in ended.stdout.splitlines()]
    (found,) = [one for one in findings if str(closed) in one["seen"] and one["check"] == "files"]
    assert (ended.returncode, ended.stderr, found["verdict"]) == (1, "", "fail")
    assert found["seen"] == f"{closed} can't be looked into: File name too long"
    assert found["fix"] == f"ls -ld {fcc.home}, then chown or chmod it"
    if folder == "FCC_STATE_DIR":
        assert {"version", "config", "key", "daemon", "claude"} <= {
            one["check"] for one in findings
        }
        assert [one for one in findings if one["verdict"] == "fail"] == [found]


def test_a_daemon_that_left_word_in_a_folder_that_is_closed_is_found_at_its_address(
    fcc: Fcc,
) -> None:
    fcc.install_claude()
    fcc("claude", FCC_PROVIDER="demo")
    ended = fcc("doctor", "demo", FCC_STATE_DIR=str(fcc.home / ("x" * 300)))
    assert f"runs at {fcc.url}, provider demo" in ended.stdout
    assert (ended.returncode, ended.stderr) == (1, "")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may enter every folder")
def test_a_closed_folder_that_is_ones_own_is_opened(fcc: Fcc) -> None:
    fcc.state.mkdir(mode=0)
    ill = fcc("doctor", "demo", "--fix")
    assert (ill.returncode, f"-> chmod u+rwx {fcc.state}" in ill.stdout) == (1, True)
    assert fcc("doctor", "demo").returncode == 0


def test_a_file_in_the_place_of_a_folder_is_told(fcc: Fcc) -> None:
    fcc.state.write_text("")
    ended = fcc("doctor", "demo")
    assert ended.returncode == 1
    assert f"fail  files     {fcc.state} can't be looked into: Not a directory" in ended.stdout
    assert f"-> ls -ld {fcc.state}, then chown it, or move it away" in ended.stdout


def test_what_probes_left_and_cannot_be_read_is_told_where_the_folder_around_it_is_fine(
    fcc: Fcc, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> Probes:
        raise PermissionError(13, "Permission denied", "/state/capabilities")

    monkeypatch.setenv("FCC_STATE_DIR", str(fcc.state))
    monkeypatch.setattr(Probes, "read", refused)
    (found,) = learned()
    assert found.verdict is Verdict.FAIL
    assert found.seen == "/state/capabilities can't be looked into: Permission denied"
    monkeypatch.setenv("FCC_STATE_DIR", str(fcc.home / ("x" * 300)))
    assert list(learned()) == []


def test_the_provider_of_the_environment_is_the_one_that_is_looked_at(fcc: Fcc) -> None:
    assert "ok    config    provider demo\n" in fcc("doctor", FCC_PROVIDER="demo").stdout
    with Server() as server:
        acme(fcc, server.url)
        other = fcc("doctor", "acme", FCC_PROVIDER="demo", ACME_KEY=KEY).stdout
    assert "ok    config    provider acme\n" in other


def test_the_doctor_knows_a_daemon_that_runs_and_what_else_is_at_its_port(fcc: Fcc) -> None:
    fcc.install_claude()
    fcc("claude", FCC_PROVIDER="demo")
    assert f"runs at {fcc.url}, provider demo" in fcc("doctor", "demo").stdout
    with Server() as server:
        acme(fcc, server.url)
        other = fcc("doctor", "acme", ACME_KEY=KEY).stdout
        assert "and not acme" in other
        busy = fcc("doctor", "demo", FCC_PORT=str(server.port))
        assert "something else listens" in busy.stdout
        assert busy.returncode == 0
    assert [path.name for path in (fcc.state / "run").iterdir()] == [f"{fcc.port}.json"]
