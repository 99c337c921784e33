"""What a person sees while the doctor works."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.command import Fcc
from tests.patient import KEY, MODEL, Ills, Server
from tests.test_cli_launch import on_a_terminal

GONE = "\r\x1b[2K"
"""A line that was there for as long as it was true."""


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    fcc = Fcc(tmp_path / "home")
    yield fcc
    fcc.close()


def acme(fcc: Fcc, url: str) -> None:
    file = fcc.config / "providers" / "acme.toml"
    file.parent.mkdir()
    file.write_text(
        f'title = "Acme"\nbase_url = "{url}"\napi_key_env = "ACME_KEY"\ndefault_model = "{MODEL}"\n'
    )


def test_what_is_being_done_is_shown_and_goes_away(fcc: Fcc) -> None:
    with Server(Ills(list_delay=0.1)) as server:
        acme(fcc, server.url)
        shown = on_a_terminal(fcc, "doctor", "acme", ACME_KEY=KEY)
        piped = fcc("doctor", "acme", ACME_KEY=KEY)
    assert f"asking Acme for its models ...{GONE}" in shown
    assert f"looking for Claude Code ...{GONE}" in shown
    assert "\x1b[32mok" in shown
    assert "\x1b" not in piped.stdout + piped.stderr
    assert "asking Acme for its models ..." not in piped.stdout + piped.stderr


def test_each_deep_probe_is_named_while_it_is_asked(fcc: Fcc) -> None:
    with Server() as server:
        acme(fcc, server.url)
        shown = on_a_terminal(fcc, "doctor", "acme", "--deep", ACME_KEY=KEY, NO_COLOR="1")
    for what in ("an answer", "a tool call", "an image", "a long prompt"):
        assert f"asking {MODEL} for {what} ...{GONE}" in shown
    assert "\x1b[32m" not in shown


def test_lines_fit_the_terminal_and_no_command_is_cut(fcc: Fcc) -> None:
    with Server(Ills(offers=["acme/coder-3"])) as server:
        acme(fcc, server.url)
        shown = on_a_terminal(fcc, "doctor", "acme", ACME_KEY=KEY, NO_COLOR="1", COLUMNS="60")
    lines = [line for line in shown.replace(GONE, "\n").splitlines() if " ..." not in line]
    long = [line for line in lines if len(line) > 60]
    assert all("/" in line.split()[-1] for line in long), long
    assert "--set sonnet=acme/coder-3" in shown.replace("\r\n                   ", " ")
