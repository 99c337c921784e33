"""Does `fcc claude` bring the real Claude Code to the configured provider, and back?"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Fcc
from tests.e2e.script import TRICKY, cue
from tests.e2e.upstream import KEY, MODEL, Upstream

# The first test may have to install Claude Code.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

WINDOW = 131_072


@pytest.fixture
def fcc(tmp_path: Path, binary: Path, upstream: Upstream) -> Iterator[Fcc]:
    """A person's machine: a provider of their own, a key in fcc.env, nothing in the environment."""
    fcc = Fcc(tmp_path / "home")
    (fcc.home / "bin" / "claude").symlink_to(binary)
    (fcc.config / "providers").mkdir()
    (fcc.config / "providers" / "acme.toml").write_text(
        f'title = "Acme"\nbase_url = "{upstream.url}"\napi_key_env = "ACME_KEY"\n'
        f'default_model = "{MODEL}"\n[facts."*"]\ncontext_window = {WINDOW}\n'
    )
    (fcc.config / "config.toml").write_text('provider = "acme"\nauth_token = "for fcc only"\n')
    keys = fcc.config / "fcc.env"
    keys.write_text(f"ACME_KEY={KEY}\n")
    keys.chmod(0o600)
    fcc.environ |= {"FCC_PROVIDER": "", "IS_SANDBOX": "1"}
    yield fcc
    fcc("stop", "--now")
    fcc.close()


def claude(fcc: Fcc, *arguments: str, **environ: str) -> "subprocess.CompletedProcess[str]":
    return fcc("claude", "--dangerously-skip-permissions", *arguments, **environ)


def test_an_answer_comes_through_a_daemon_that_was_started_for_it(
    fcc: Fcc, upstream: Upstream, run: str
) -> None:
    ended = claude(fcc, "-p", f"Say it. {cue('text', run=run)}", ANTHROPIC_API_KEY="not fcc's")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.strip() == f"Said for {run}. {TRICKY} The end."
    assert "fcc runs in the background" in ended.stderr
    (asked,) = upstream.asked(run)
    assert asked.body["model"] == MODEL
    assert asked.headers["Authorization"] == f"Bearer {KEY}"
    assert "for fcc only" not in str(asked.headers) + str(asked.body)
    status = fcc.json("status", "--json")["status"]
    assert status["provider"] == "acme"
    assert status["served_requests"] >= 1
    assert status["last_error"] is None


def test_tools_run_where_the_person_is_and_the_output_is_claude_codes_own(
    fcc: Fcc, run: str
) -> None:
    (fcc.home / "greet.sh").write_text(f"echo one\ncat <<'EOF'\nsecret-{'0' * 12}\nEOF\n")
    prompt = f"Do it. {cue('work', run=run, at=fcc.home)}"
    ended = claude(fcc, "-p", prompt, "--output-format", "json")
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    result = said[-1] if isinstance(said, list) else said
    assert result["result"] == f"It prints changed-secret-{'0' * 12}."
    assert (fcc.home / "printed.txt").read_text().startswith("one\nchanged-secret-")


def test_a_failure_is_claude_codes_exit_code_and_stays_in_the_status(
    fcc: Fcc, upstream: Upstream, run: str
) -> None:
    prompt = f"Say it. {cue('text', run=run, status=402)}"
    ended = claude(fcc, "-p", prompt, CLAUDE_CODE_MAX_RETRIES="0")
    assert ended.returncode == 1
    assert "402" in ended.stdout + ended.stderr
    error = fcc.json("status", "--json")["status"]["last_error"]
    assert (error["type"], error["provider"], error["model"]) == ("billing_error", "acme", MODEL)
    assert "402" in fcc("statusline").stdout
    assert len(upstream.asked(run)) == 1


def test_what_fcc_env_prints_is_as_good(fcc: Fcc, binary: Path, run: str) -> None:
    claude(fcc, "--version")
    assert fcc("status").returncode == 0
    exports = fcc("env", "--shell", "bash").stdout
    assert f"CLAUDE_CODE_MAX_CONTEXT_TOKENS={WINDOW}" in exports
    script = f'{exports}\nexec claude --dangerously-skip-permissions -p "$PROMPT"'
    environ = {name: value for name, value in fcc.environ.items() if value}
    ended = subprocess.run(
        ["bash", "-c", script], env=environ | {"PROMPT": f"Say it. {cue('text', run=run)}"},
        cwd=fcc.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=90,
    )  # fmt: skip
    assert ended.stdout.strip() == f"Said for {run}. {TRICKY} The end.", ended.stderr
