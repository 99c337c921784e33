"""`fcc serve`, `fcc providers` and the command itself: what is chosen, what is refused, and how."""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import click
import pytest
from aiohttp.test_utils import unused_port
from click.testing import CliRunner, Result

import fcc
from fcc.cli.main import _COMMANDS, _Commands, cli
from fcc.cli.options import choose
from fcc.cli.ready import first_ready
from fcc.errors import ConfigError
from fcc.overriding import override
from fcc.settings.files import Providers
from fcc.settings.keys import Keys

ROOT = Path(__file__).parent.parent


@pytest.fixture(autouse=True)
def home(monkeypatch, tmp_path: Path) -> Path:
    """A person's machine with nothing configured."""
    for name in list(os.environ):
        if name.startswith(("FCC_", "ANTHROPIC_")) or name.endswith("_API_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("FCC_STATE_DIR", str(tmp_path / "state"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, arguments)


def refused(*arguments: str) -> str:
    """The one line and exit code 2 that a person gets."""
    process = CliRunner().invoke(cli, arguments)
    assert process.exit_code != 0
    if isinstance(process.exception, ConfigError):
        assert "\n" not in process.exception.message
        return process.exception.message
    assert process.exit_code == 2
    assert "Traceback" not in process.output
    return process.output


# The command itself.


def test_help_has_every_command_and_examples() -> None:
    result = run("--help")
    assert result.exit_code == 0
    for word in ("serve", "doctor", "providers", "Examples:", "fcc serve --provider openrouter"):
        assert word in result.output
    assert run("-h").output == result.output


@pytest.mark.parametrize("command", ["serve", "providers", "doctor"])
def test_every_commands_help_has_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "Example" in result.output
    assert f"fcc {command}" in result.output


def test_every_command_of_the_help_is_there() -> None:
    for name in _COMMANDS:
        result = run(name, "--help")
        assert result.exit_code == 0, (name, result.output, result.exception)
        assert isinstance(cli.get_command(click.Context(cli), name), click.Command)


def test_the_version_is_told() -> None:
    assert run("--version").output == f"fcc {fcc.__version__}\n"


def test_a_command_with_a_typo_gets_a_suggestion() -> None:
    result = run("serv")
    assert result.exit_code == 2
    assert "no such command 'serv', did you mean 'serve'?" in result.output


def test_an_unknown_option_is_a_usage_error() -> None:
    assert "--prot" in refused("serve", "--prot", "1")


@pytest.mark.parametrize("option", [["--port", "x"], ["--port", "70000"], ["--log-level", "loud"]])
def test_an_option_that_makes_no_sense_is_a_usage_error(option: list[str]) -> None:
    assert option[0] in refused("serve", *option)


HEAVY = ("openai", "aiohttp", "httpx", "loguru", "msgspec", "typing_extensions")


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [(["--help"], HEAVY), (["--version"], HEAVY), (["serve", "--help"], ("openai", "aiohttp")),
     (["providers", "--help"], ("openai", "aiohttp"))],
)  # fmt: skip
@pytest.mark.slow
def test_help_imports_nothing_heavy(arguments: list[str], absent: tuple[str, ...]) -> None:
    code = (
        "import sys, json\n"
        f"sys.argv = ['fcc', *{arguments!r}]\n"
        "from fcc.__main__ import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        f"print(json.dumps([m for m in {absent!r} if m in sys.modules]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    assert json.loads(ended.stdout.splitlines()[-1]) == []


def test_only_one_module_of_fcc_names_typing_extensions() -> None:
    """aiohttp may bring it along or not: it is no dependency of fcc."""
    naming = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "fcc").rglob("*.py")
        if re.search(r"(from|import) typing_extensions", path.read_text("utf-8"))
    ]
    assert naming == ["fcc/overriding.py"]


def test_a_method_that_takes_anothers_place_is_marked() -> None:
    assert vars(_Commands.list_commands)["__override__"]
    kept = property(lambda self: self)
    assert override(kept) is kept, "a property takes no mark"


def test_the_collector_begins_when_a_command_has_been_imported() -> None:
    code = (
        "import gc, sys\n"
        "from fcc.__main__ import main\n"
        "assert gc.isenabled(), 'who imports it keeps his own'\n"
        "sys.argv = ['fcc', 'providers', '--ready']\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code\n"
        "print(gc.isenabled(), gc.get_freeze_count() > 1000)\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60, capture_output=True, text=True
    )  # fmt: skip
    assert ended.stdout.splitlines()[-1] == "True True"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--provider", "openruter"], "unknown provider 'openruter', did you mean 'openrouter'?"),
        (["--provider", "openrouter"], "OPENROUTER_API_KEY"),
        (["--provider", "custom"], "custom needs --base-url"),
        (["--host", "0.0.0.0", "--provider", "demo"], "can be reached from other machines"),
    ],
)
def test_what_cannot_be_used_is_one_line_and_exit_code_2(
    home: Path, arguments: list[str], words: str
) -> None:
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "FCC_CONFIG_DIR": str(home),
        "PYTHONPATH": str(ROOT),
    }
    ended = subprocess.run(
        [sys.executable, "-m", "fcc", "serve", *arguments], capture_output=True, text=True, env=environ,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert ended.stderr.startswith("fcc: ")
    assert words in ended.stderr
    assert ended.stdout == ""


@pytest.mark.slow
def test_a_port_in_use_is_one_line_and_exit_code_2(home: Path) -> None:
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "FCC_CONFIG_DIR": str(home),
        "PYTHONPATH": str(ROOT),
    }
    with listening() as port:
        ended = subprocess.run(
            [sys.executable, "-m", "fcc", "serve", "--provider", "demo", "--port", str(port)],
            capture_output=True, text=True, env=environ, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert f"port {port} on 127.0.0.1 is in use" in ended.stderr


# What configuration is refused, in the process.


def test_a_config_that_is_no_toml_is_told_by_file_and_place(home: Path) -> None:
    (home / "config.toml").write_text("provider = ")
    message = refused("serve")
    assert str(home / "config.toml") in message
    assert "not TOML" in message


def test_an_unknown_key_is_told_with_a_suggestion(home: Path) -> None:
    (home / "config.toml").write_text("[server]\nprot = 1")
    assert "'server.prot', did you mean 'port'?" in refused("serve")


def test_a_value_of_the_wrong_type_is_told(home: Path) -> None:
    (home / "config.toml").write_text('[server]\nport = "x"')
    assert "'server.port'" in refused("serve")


def test_a_config_that_was_named_and_is_not_there_is_told(home: Path) -> None:
    assert "no.toml" in refused("serve", "--config", str(home / "no.toml"))


@pytest.mark.parametrize("url", ["localhost:8000/v1", "ftp://x/v1", "http://", "x"])
def test_a_base_url_that_is_none_is_told(url: str) -> None:
    assert "--base-url must begin with http:// or https://" in refused("serve", "--base-url", url)


def test_a_server_that_offers_no_model_is_told(home: Path) -> None:
    url = f"http://127.0.0.1:{unused_port()}/v1"
    message = refused("serve", "--base-url", url)
    assert url in message
    assert "--model" in message


# Which provider is taken.


@contextmanager
def listening() -> Iterator[int]:
    """A port where something listens."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def providers(tmp_path: Path) -> Providers:
    folder = tmp_path / "few"
    folder.mkdir()
    port = unused_port()
    for name, text in {
        "a-local": f'base_url = "http://127.0.0.1:{port}/v1"\nlocal = true',
        "b-key": 'base_url = "http://b/v1"\napi_key_env = "B_KEY"',
        "c-key": 'base_url = "http://c/v1"\napi_key_env = "C_KEY"',
        "d-optional": 'base_url = "http://d/v1"\napi_key_env = "D_KEY"\napi_key_optional = true',
        "demo": "embedded = true",
    }.items():
        (folder / f"{name}.toml").write_text(text)
    return Providers(folder)


def keys(home: Path, **environ: str) -> Keys:
    return Keys(environ, home / "no.env")


def test_the_first_provider_whose_key_is_set_is_taken(home: Path, providers: Providers) -> None:
    name, why = first_ready(providers, keys(home, C_KEY="k", B_KEY="k", D_KEY="k"))
    assert (name, why) == ("b-key", "B_KEY is set")
    assert first_ready(providers, keys(home, C_KEY="k"))[0] == "c-key"


@contextmanager
def offering(answer: bytes) -> Iterator[int]:
    """A port where a server answers every GET with this."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_port
        server.shutdown()


def test_something_else_on_the_port_of_a_local_server_is_not_taken(
    home: Path, providers: Providers, tmp_path: Path
) -> None:
    with offering(b"<html>not a list of models") as port:
        url = f"http://127.0.0.1:{port}/v1"
        (tmp_path / "few" / "a-local.toml").write_text(f'base_url = "{url}"\nlocal = true')
        assert first_ready(providers, keys(home))[0] == "demo"


def test_a_local_server_that_answers_is_taken_where_no_key_is_set(
    home: Path, providers: Providers, tmp_path: Path
) -> None:
    with offering(b'{"data":[{"id":"m"}]}') as port:
        url = f"http://127.0.0.1:{port}/v1"
        (tmp_path / "few" / "a-local.toml").write_text(f'base_url = "{url}"\nlocal = true')
        name, why = first_ready(providers, keys(home, D_KEY="k"))
        assert (name, why) == ("a-local", f"a server answers at {url}")
        assert first_ready(providers, keys(home, B_KEY="k"))[0] == "b-key"


def test_the_demo_is_taken_where_there_is_nothing(home: Path, providers: Providers) -> None:
    name, why = first_ready(providers, keys(home))
    assert name == "demo"
    assert "no provider is configured" in why


def test_the_option_goes_before_the_config_and_that_before_what_is_ready(
    home: Path, monkeypatch
) -> None:
    monkeypatch.setenv("OPENROUTER_API_KEY", "k")
    monkeypatch.setenv("GROQ_API_KEY", "k")
    assert choose(None, None, None, None).notice
    (home / "config.toml").write_text('provider = "openrouter"')
    chosen = choose(None, None, None, None)
    assert (chosen.profile.name, chosen.notice) == ("openrouter", "")
    assert choose("groq", None, None, None).profile.name == "groq"


def test_a_base_url_alone_means_the_custom_provider() -> None:
    chosen = choose(None, "m", "http://127.0.0.1:9/v1/chat/completions/", None)
    assert (chosen.profile.name, chosen.profile.base_url) == ("custom", "http://127.0.0.1:9/v1")
    assert chosen.model == "m"


def test_a_base_url_moves_the_chosen_provider() -> None:
    chosen = choose("lmstudio", None, "https://far/v1", None)
    assert (chosen.profile.name, chosen.profile.base_url) == ("lmstudio", "https://far/v1")


def test_the_token_of_the_environment_goes_before_the_configs(home: Path, monkeypatch) -> None:
    (home / "config.toml").write_text('provider = "demo"\nauth_token = "a"')
    assert choose(None, None, None, None).config.auth_token == "a"
    monkeypatch.setenv("FCC_AUTH_TOKEN", "b")
    assert choose(None, None, None, None).config.auth_token == "b"


def test_the_router_of_a_choice_has_the_configs_patterns_and_the_model(home: Path) -> None:
    (home / "config.toml").write_text('provider = "demo"\n[models]\nopus = "mine"')
    assert choose(None, None, None, None).router().route("claude-opus-5").model.name == "mine"
    assert choose(None, "m", None, None).router().route("claude-opus-5").model.name == "m"


# fcc providers.


def test_providers_are_listed_with_what_each_needs(monkeypatch) -> None:
    monkeypatch.setenv("GROQ_API_KEY", "sk-secret")
    result = run("providers")
    assert result.exit_code == 0
    rows = {line.split()[0]: line for line in result.output.splitlines() if line.strip()}
    assert "GROQ_API_KEY is set" in rows["groq"]
    assert "OPENROUTER_API_KEY is not set" in rows["openrouter"]
    assert "needs no key" in rows["demo"]
    assert "sk-secret" not in result.output


def test_a_profile_of_ones_own_that_cannot_be_read_is_told_by_its_file(home: Path) -> None:
    (home / "providers").mkdir()
    (home / "providers" / "mine.toml").write_text("base_ulr = 'x'")
    assert "mine.toml: unknown key 'base_ulr', did you mean 'base_url'?" in refused("providers")
