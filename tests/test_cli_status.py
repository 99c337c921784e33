"""What a daemon tells of itself through `fcc status`, the status line and `fcc reload`."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

import fcc as package
from fcc.cli.status_rows import duration, rows
from tests.command import Fcc
from tests.patient import KEY, MODEL, Ills, Server


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    fcc = Fcc(tmp_path / "home")
    fcc.install_claude()
    yield fcc
    fcc.close()


@pytest.fixture
def acme(fcc: Fcc) -> Iterator[Server]:
    """A provider of the person's own, which is the daemon's."""
    with Server(Ills()) as server:
        (fcc.config / "providers").mkdir()
        (fcc.config / "providers" / "acme.toml").write_text(
            f'title = "Acme"\nbase_url = "{server.url}"\napi_key_env = "ACME_KEY"\n'
            f'default_model = "{MODEL}"\n[retry]\nattempts = 1\n'
        )
        fcc.environ |= {"FCC_PROVIDER": "acme", "ACME_KEY": KEY, "NO_COLOR": "1"}
        yield server


def ask(fcc: Fcc) -> int:
    body = {
        "model": "claude-opus-5",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "hi"}],
    }
    return httpx.post(f"{fcc.url}/v1/messages", json=body, trust_env=False, timeout=30).status_code


def capability_file(fcc: Fcc, content: str) -> Path:
    path = fcc.state / "capabilities" / "acme" / "acme%2Fcoder-2.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_status_and_the_status_line_say_what_failed_and_what_came_from_the_cache(
    fcc: Fcc, acme: Server
) -> None:
    fcc("claude")
    assert [ask(fcc), ask(fcc)] == [200, 200]
    acme.ills.post = (429, {"message": "slow down, please"})
    assert ask(fcc) == 429
    shown = fcc("status").stdout
    assert "Acme (acme)" in shown
    assert "0 open, 3 served" in shown
    assert "rate_limit_error of acme/acme/coder-2" in shown
    assert "slow down, please" in shown
    assert "% of the prompt tokens of the last 3 requests" in shown
    line = fcc("statusline", stdin='{"model": {"id": "claude-opus-5"}}').stdout
    assert line.startswith("acme/acme/coder-2  0 open  cache ")
    assert "429" in line and len(line.splitlines()) == 1
    status = fcc.json("status", "--json")["status"]
    assert status["last_error"]["type"] == "rate_limit_error"
    assert KEY not in json.dumps(status) + shown


def test_what_the_doctor_found_counts_from_the_start_and_from_a_reload_on(
    fcc: Fcc, acme: Server
) -> None:
    file = capability_file(fcc, json.dumps({"base_url": acme.url, "context_window": 40_000}))
    broken = file.with_name("other.json")
    broken.write_text("{")
    called = json.loads(fcc("claude").stdout)
    assert called["environ"]["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "40000"
    status = fcc.json("status", "--json")["status"]
    assert status["models"]["opus"]["context_window"] == 40_000
    assert "acme/acme/coder-2: context_window = 40,000" in fcc("status").stdout
    assert f"{broken}: no capability file" in fcc("logs").stdout
    shown = fcc("config", "show", "--json")
    entry = json.loads(shown.stdout)["acme/acme/coder-2 context_window"]
    assert entry == {"value": 40_000, "origin": str(file)}
    assert str(broken) in shown.stderr
    assert f"{broken}: no capability file" in fcc("doctor", "acme").stdout

    broken.unlink()
    file.write_text(json.dumps({"base_url": acme.url, "context_window": 50_000}))
    assert "has read its configuration" in fcc("reload").stdout
    status = fcc.json("status", "--json")["status"]
    assert status["models"]["opus"]["context_window"] == 50_000
    assert status["probe_problems"] == []


def test_a_daemon_can_be_seen_and_ended_though_its_configuration_is_broken(
    fcc: Fcc, acme: Server
) -> None:
    assert fcc("claude").returncode == 0
    (fcc.config / "config.toml").write_text("[x")
    for arguments, said in (
        (("status",), "Acme"),
        (("logs",), "listens"),
        (("stop",), "has ended"),
    ):
        ended = fcc(*arguments)
        assert ended.returncode == 0
        assert said in ended.stdout
        assert "config.toml: not TOML" in ended.stderr
    assert fcc("stop").returncode == 2


def test_a_reload_that_is_refused_is_told_with_its_reason(fcc: Fcc, acme: Server) -> None:
    fcc("claude")
    acme_file = fcc.config / "providers" / "acme.toml"
    good = acme_file.read_text()
    acme_file.write_text("nonsense = 1")
    refused = fcc("reload")
    assert refused.returncode == 1
    assert "keeps what it had" in refused.stderr
    assert "nonsense" in refused.stderr
    assert "the last one was refused" in fcc("status").stdout
    acme_file.write_text(good)
    assert fcc("reload").returncode == 0
    assert "the last one was refused" not in fcc("status").stdout


@contextmanager
def daemon_of(fcc: Fcc, status: object) -> Iterator[None]:
    """Something that answers as an fcc does, with this status."""
    health = {"status": "ok", "version": package.__version__, "provider": "acme",
              "uptime_seconds": 5, "open_requests": 0, "served_requests": 0}  # fmt: skip

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/health": health, "/status": status}.get(self.path)
            self.send_response(200 if known else 404)
            self.end_headers()
            self.wfile.write(json.dumps(known or {"type": "error"}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", fcc.port), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


STATUS: dict[str, Any] = {
    "version": package.__version__, "uptime_seconds": 7300, "provider": "acme", "title": "Acme",
    "models": {}, "open_requests": 2, "served_requests": 9, "waiting": 1,
    "lanes": [{
        "provider": "acme", "title": "Acme", "open": 2, "waiting": 1,
        "breaker": {"state": "open", "seconds_left": 8.0},
        "doors": [{"fingerprint": "a1b2c3", "open": 2, "waiting": 1, "available": 0, "rests_seconds": 61.0}],
        "learned": {"m": {"max_tokens": 8192, "without": ["top_k"]}},
    }],
    "recent_requests": 1, "cache_hit_ratio": 0.5, "last_error": None,
    "probed": {"acme/m": {"file": "f", "probed": "", "facts": {"ask.images": False}}},
    "probe_problems": [], "reloads": 0, "reload_error": "",
    "fallbacks": [
        {"failed": "acme/m", "to": "spare/n", "why": "429 rate_limit_error", "count": 1200},
        {"failed": "acme/other", "to": "other", "why": "", "count": 1},
    ],
    "repairs": [{"provider": "acme", "model": "m", "kind": "hermes", "count": 3}],
}  # fmt: skip


LANE = (
    "failed several times and rests for 8 s; key a1b2c3: 2 open, 1 waiting, 0 more may start, "
    "rests for 1 min"
)


def test_all_that_a_daemon_says_is_shown_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert list(rows(STATUS)) == [
        ("requests", "2 open, 1 waiting, 9 served in 2 h 1 min"),
        ("acme", LANE),
        ("cache", "50% of the prompt tokens of the last request"),
        ("fell back", "acme/m -> spare/n: 429 rate_limit_error, 1,200 times"),
        ("fell back", "acme/other -> other, once"),
        ("learned", "acme/m: at most 8,192 tokens of output, without top_k"),
        ("probed", "acme/m: ask.images = false"),
        ("repaired", "acme/m: hermes, 3 times"),
    ]


def test_the_status_line_shows_the_queue_a_rest_and_only_a_fresh_error(fcc: Fcc) -> None:
    fcc.environ["NO_COLOR"] = "1"

    def line(error_ago: float) -> str:
        at = (datetime.now(UTC) - timedelta(seconds=error_ago)).isoformat()
        error = {"type": "api_error", "message": "x" * 99, "provider": "acme", "model": "m",
                 "at": at, "request_id": "r"}  # fmt: skip
        with daemon_of(fcc, STATUS | {"last_error": error}):
            return fcc("statusline", ANTHROPIC_BASE_URL=fcc.url).stdout

    assert line(9999) == "acme  2 open  1 waiting  acme rests  cache 50%\n"
    assert line(60).endswith(f"{'x' * 59}… (1 min ago)\n")


@pytest.mark.parametrize("status", [None, {"version": "0.0.1", "other": 1}, ["x"]])
def test_a_daemon_of_another_version_is_shown_by_its_health(fcc: Fcc, status: object) -> None:
    with daemon_of(fcc, status):
        shown = fcc("status")
        assert shown.returncode == 0, shown.stderr
        assert "0 open" in shown.stdout
        assert "acme" in fcc("statusline", ANTHROPIC_BASE_URL=fcc.url).stdout


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (59.9, "59 s"), (60, "1 min"), (3660, "1 h 1 min"), (90_000, "1 d 1 h")]
)  # fmt: skip
def test_a_duration_has_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words
