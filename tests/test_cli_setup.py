"""From nothing to a set-up that works: init, models, config, providers."""

import ast
import json
import stat
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from fcc.cli.main import _COMMANDS, cli
from fcc.cli.offered import Offer, offers
from fcc.cli.table import paint, table
from fcc.settings.profile import Ask, Facts, Profile
from tests.command import Fcc
from tests.patient import KEY, MODEL, Ills, Server


@pytest.fixture
def fcc(tmp_path: Path) -> Iterator[Fcc]:
    fcc = Fcc(tmp_path / "home")
    fcc.environ["FCC_PROVIDER"] = ""
    yield fcc
    fcc.close()


def acme(fcc: Fcc, url: str) -> None:
    file = fcc.config / "providers" / "acme.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'title = "Acme"\nbase_url = "{url}"\napi_key_env = "ACME_KEY"\n')


def config_of(fcc: Fcc) -> dict[str, object]:
    return tomllib.loads((fcc.config / "config.toml").read_text())


def test_init_without_questions_writes_files_that_only_their_owner_reads(fcc: Fcc) -> None:
    with Server() as server:
        acme(fcc, server.url)
        done = fcc("init", "--non-interactive", "--provider", "acme", "--model", MODEL, "--key-stdin",
                   stdin=f"{KEY}\n")  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "fcc claude" in done.stdout
        assert KEY not in done.stdout + done.stderr
        assert fcc("doctor").returncode == 0
    assert config_of(fcc)["provider"] == "acme"
    assert config_of(fcc)["models"] == dict.fromkeys(
        ("opus", "sonnet", "haiku", "fable"), f"acme/{MODEL}"
    )
    env = fcc.config / "fcc.env"
    assert f"\nACME_KEY={KEY}\n" in env.read_text()
    assert stat.S_IMODE(env.stat().st_mode) == 0o600
    assert stat.S_IMODE((fcc.config / "config.toml").stat().st_mode) == 0o600
    assert "# fcc's options" in (fcc.config / "config.toml").read_text()


def test_init_keeps_what_a_person_wrote_and_a_copy(fcc: Fcc) -> None:
    mine = '# mine\nprovider = "nim" # for now\n\n[models]\n# best\nopus = "x"\n'
    (fcc.config / "config.toml").write_text(mine)
    (fcc.config / "fcc.env").write_text("# keys\nOTHER=1\n#ACME_KEY=\n")
    (fcc.config / "fcc.env").chmod(0o600)
    acme(fcc, "http://127.0.0.1:9/v1")
    options = ("init", "--non-interactive", "--no-doctor", "--provider", "acme", "--save-key")
    done = fcc(*options, ACME_KEY=KEY)
    assert done.returncode == 0, done.stderr
    assert (fcc.config / "config.toml").read_text() == mine.replace('"nim"', '"acme"')
    assert (fcc.config / "config.toml.bak").read_text() == mine
    assert (fcc.config / "fcc.env").read_text() == f"# keys\nOTHER=1\nACME_KEY={KEY}\n"
    again = fcc(*options, ACME_KEY=KEY)
    assert "says so already" in again.stdout
    assert not (fcc.config / "config.toml.bak2").exists()


def test_init_with_an_address_writes_a_provider_of_the_persons_own(fcc: Fcc) -> None:
    with Server(Ills(public_list=True)) as server:
        done = fcc(
            "init", "--non-interactive", "--base-url", server.url, "--model", MODEL, FCC_API_KEY=KEY
        )
        assert done.returncode == 0, done.stdout + done.stderr
    profile = tomllib.loads((fcc.config / "providers" / "custom.toml").read_text())
    assert profile["base_url"] == server.url
    assert profile["api_key_optional"]
    assert 'provider = "custom"' in (fcc.config / "config.toml").read_text()


def test_init_finds_the_provider_whose_key_is_set(fcc: Fcc) -> None:
    done = fcc("init", "--non-interactive", "--no-doctor", DEEPSEEK_API_KEY="sk-0123456789")
    assert done.returncode == 0, done.stderr
    assert config_of(fcc)["provider"] == "deepseek"
    assert not (fcc.config / "fcc.env").exists()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--provider", "deepseek"], "DEEPSEEK_API_KEY"),
        (["--provider", "custom"], "--base-url"),
        (["--provider", "deepsek"], "did you mean 'deepseek'?"),
        (["--base-url", "gpu-box:8000"], "http://"),
        (["--provider", "demo", "--set", "sonet=x"], "did you mean 'sonnet'?"),
        (["--provider", "deepseek", "--key-stdin"], "empty"),
    ],
)
def test_init_says_what_is_missing_and_writes_nothing(
    fcc: Fcc, options: list[str], says: str
) -> None:
    done = fcc("init", "--non-interactive", *options)
    assert done.returncode == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not list(fcc.config.iterdir())


def test_init_asks_what_it_does_not_know(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("FCC_STATE_DIR", str(tmp_path / "state"))
    for name in ("FCC_PROVIDER", "FCC_MODEL", "FCC_BASE_URL", "FCC_CONFIG", "ACME_KEY"):
        monkeypatch.delenv(name, raising=False)
    with Server() as server:
        (tmp_path / "providers").mkdir()
        (tmp_path / "providers" / "acme.toml").write_text(
            f'title = "Acme"\nbase_url = "{server.url}"\napi_key_env = "ACME_KEY"\n'
            'key_url = "https://acme.example/keys"\n'
        )
        done = CliRunner().invoke(cli, ["init", "--no-doctor"], input=f"99\nacme\n{KEY}\n2\n")
    assert done.exit_code == 0, done.output
    assert "Which provider shall answer Claude Code?" in done.output
    assert "there is no '99' in the list" in done.output
    assert "Acme's key (get one at https://acme.example/keys)" in done.output
    assert KEY not in done.output, "a key is not shown while it is typed"
    assert KEY in (tmp_path / "fcc.env").read_text()
    models = tomllib.loads((tmp_path / "config.toml").read_text())["models"]
    assert models["opus"] == "acme/acme/other"


def test_models_are_listed_searched_and_chosen(fcc: Fcc) -> None:
    with Server(
        Ills(list_window=131_072, offers=["acme/coder-2", "acme/small", "other"])
    ) as server:
        acme(fcc, server.url)
        environ = {"FCC_PROVIDER": "acme", "ACME_KEY": KEY}
        listed = fcc("models", **environ)
        assert listed.returncode == 0, listed.stderr
        lines = listed.stdout.splitlines()
        assert lines[0].split() == ["model", "context", "output", "in", "out", "tools", "vision"]
        assert lines[1].split() == ["acme/coder-2", "131,072", "?", "?", "?", "?", "?"]
        assert [
            line.split()[0]
            for line in fcc("models", "ACME", "small", **environ).stdout.splitlines()[1:]
        ] == ["acme/small"]
        assert [one["id"] for one in fcc.json("models", "--json", "coder", **environ)] == [
            "acme/coder-2"
        ]
        none = fcc("models", "nonsense", **environ)
        assert none.returncode == 1
        assert "none of the 3 models" in none.stderr

        typo = fcc("models", "--set", "opus=acme/coder-3", **environ)
        assert typo.returncode == 2
        assert "did you mean 'acme/coder-2'?" in typo.stderr
        (fcc.config / "config.toml").write_text('provider = "acme" # mine\n')
        chosen = fcc("models", "--set", "opus=acme/coder-2", "--set", "haiku=demo/demo", **environ)
        assert chosen.returncode == 0, chosen.stderr
    assert config_of(fcc)["models"] == {"opus": "acme/acme/coder-2", "haiku": "demo/demo"}
    assert "# mine" in (fcc.config / "config.toml").read_text()
    assert (
        fcc("models", "--set", "opus=", "--set", "haiku=gone", "--unchecked", **environ).returncode
        == 0
    )
    assert config_of(fcc)["models"] == {"haiku": "gone"}


def test_a_list_that_cannot_be_had_is_one_line(fcc: Fcc) -> None:
    acme(fcc, "http://127.0.0.1:9/v1")
    for more in ((), ("--set", "opus=acme/coder-2")):
        done = fcc("models", "--provider", "acme", *more, ACME_KEY=KEY)
        assert done.returncode == 1, "the options are right: it is the network that is not"
        assert done.stderr.startswith("fcc: Acme does not list its models")
        assert len(done.stderr.splitlines()) == 1
    assert not (fcc.config / "config.toml").exists()


def test_a_list_that_wants_a_key_says_which_variable_has_it(fcc: Fcc) -> None:
    with Server() as server:
        acme(fcc, server.url)
        without = fcc("models", "--provider", "acme")
        wrong = fcc("models", "--provider", "acme", ACME_KEY="sk-wrong-0123456789")
    assert (without.returncode, "Acme needs a key: set ACME_KEY" in without.stderr) == (2, True)
    assert (wrong.returncode, "Acme does not list its models" in wrong.stderr) == (1, True)


@pytest.mark.parametrize(
    ("target", "key", "why"),
    [
        ("acme/coder-3", "", "acme/coder-3 is written unchecked: Acme needs a key: set ACME_KEY"),
        ("acme/acme/coder-3", KEY, "acme/acme/coder-3 is written unchecked: Acme lists no models"),
    ],
)
def test_a_model_that_nobody_could_check_is_written_and_that_is_said(
    fcc: Fcc, target: str, key: str, why: str
) -> None:
    with Server(Ills(offers=[])) as server:
        acme(fcc, server.url)
        done = fcc("models", "--provider", "demo", "--set", f"opus={target}", ACME_KEY=key)
        assert done.returncode == 0, done.stderr
        assert config_of(fcc)["models"] == {"opus": target}
        (line,) = done.stderr.splitlines()
        assert why in line
        assert line.endswith("then fcc doctor acme says whether it is offered")
        meant = fcc("models", "--set", f"opus={target}", "--unchecked", ACME_KEY=key)
        assert (meant.returncode, meant.stderr) == (0, "")


# What the environment says, and is wrong.


@pytest.mark.parametrize(
    "command",
    [("serve",), ("models",), ("env",), ("config", "show"), ("doctor",),
     ("init", "--non-interactive"), ("claude",)],
    ids=" ".join,
)  # fmt: skip
def test_an_unknown_provider_of_the_environment_is_told_with_its_variable(
    fcc: Fcc, command: tuple[str, ...]
) -> None:
    fcc.install_claude()
    ended = fcc(*command, FCC_PROVIDER="demmo")
    assert ended.returncode == (1 if command == ("doctor",) else 2)
    said = "FCC_PROVIDER in the environment: unknown provider 'demmo', did you mean 'demo'?"
    assert said in ended.stdout + ended.stderr


@pytest.mark.parametrize("port", ["many", "-1", "70000"])
def test_a_port_of_the_environment_that_is_none_is_told_by_every_command(
    fcc: Fcc, port: str
) -> None:
    fcc.install_claude()
    for command in (("status",), ("claude",), ("env",)):
        ended = fcc(*command, FCC_PORT=port)
        said = f"fcc: FCC_PORT must be a number from 0 to 65535, not {port!r}\n"
        assert (ended.returncode, ended.stderr) == (2, said)


def test_an_option_is_not_taken_for_the_environment(fcc: Fcc) -> None:
    ended = fcc("models", "--provider", "demmo", FCC_PROVIDER="nim")
    assert ended.stderr == "fcc: unknown provider 'demmo', did you mean 'demo'?\n"
    assert "--base-url must begin with" in fcc("models", "--base-url", "box").stderr
    assert "'--port'" in fcc("serve", "--port", "many", FCC_PORT="8082").stderr


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("FCC_BASE_URL", "box:8000", "FCC_BASE_URL in the environment must begin with http://"),
        ("FCC_PORT", "many", "Invalid value for FCC_PORT in the environment: 'many'"),
        ("FCC_RECORD", "perhaps", "Invalid value for FCC_RECORD in the environment: 'perhaps'"),
        ("FCC_LOG_LEVEL", "loud", "Invalid value for FCC_LOG_LEVEL in the environment: 'loud'"),
        ("FCC_CONFIG", "/gone.toml", "FCC_CONFIG in the environment: /gone.toml is not there"),
    ],
)
def test_a_wrong_value_of_the_environment_is_told_with_its_variable(
    fcc: Fcc, variable: str, value: str, said: str
) -> None:
    ended = fcc("serve", **{variable: value})
    assert (ended.returncode, said in ended.stderr) == (2, True), ended.stderr


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ({"id": "a/b:free", "context_length": 1000, "pricing": {"prompt": "0", "completion": "0"},
          "supported_parameters": ["tools"], "architecture": {"input_modalities": ["text", "image"]},
          "top_provider": {"max_completion_tokens": 99}},
         Offer(id="a/b:free", context_window=1000, max_output_tokens=99, price_in=0, price_out=0,
               tools=True, vision=True)),
        ({"id": "a", "pricing": {"prompt": "0.0000015", "completion": "-1"}, "supported_parameters": []},
         Offer(id="a", price_in=1.5, tools=False)),
        ({"id": "a", "pricing": {"input": 0.2, "output": 0.6}}, Offer(id="a", price_in=0.2, price_out=0.6)),
        ({"id": "a", "capabilities": {"function_calling": True, "vision": False}, "max_context_length": 9},
         Offer(id="a", tools=True, vision=False, context_window=9)),
        ({"id": "a", "type": "vlm", "capabilities": ["tool_use"]}, Offer(id="a", tools=True, vision=True)),
        ({"id": "a", "pricing": {"prompt": "soon"}, "capabilities": 3, "architecture": []}, Offer(id="a")),
    ],
)  # fmt: skip
def test_what_a_provider_says_of_a_model_is_read_in_each_shape(
    entry: dict[str, object], wanted: Offer
) -> None:
    assert list(offers({"data": [entry, {"no": "id"}, 3]}, Profile())) == [wanted]
    assert list(offers([entry], Profile())) == [wanted]


def test_what_the_profile_knows_fills_the_gaps() -> None:
    profile = Profile(
        ask=Ask(images=False), facts={"a*": Facts(context_window=5, max_output_tokens=3)}
    )
    (offer,) = offers([{"id": "ab"}], profile)
    assert (offer.context_window, offer.max_output_tokens, offer.vision) == (5, 3, False)
    assert not list(offers("nonsense", profile))


def test_config_show_says_who_set_what_and_shows_no_secret(fcc: Fcc) -> None:
    (fcc.config / "config.toml").write_text(
        'provider = "deepseek"\nauth_token = "very-secret"\n[models]\nopus = "nim/x"\n'
    )
    shown = fcc.json("config", "show", "--json", DEEPSEEK_API_KEY="sk-secret-0123", FCC_PORT="9001")
    file = str(fcc.config / "config.toml")
    assert shown["provider"] == {"value": "deepseek", "origin": file}
    assert shown["auth_token"] == {"value": "***", "origin": file}
    assert shown["server.port"] == {"value": "9001", "origin": "FCC_PORT in the environment"}
    assert shown["server.host"] == {"value": "127.0.0.1", "origin": "default"}
    assert shown["DEEPSEEK_API_KEY"] == {"value": "***", "origin": "the environment"}
    assert shown["opus ->"] == {"value": "nim/x", "origin": file}
    assert shown["haiku ->"]["origin"].endswith("deepseek.toml")
    short = fcc("config", "show").stdout
    assert "secret" not in short
    assert "server.drain_seconds" not in short
    assert "server.drain_seconds" in fcc("config", "show", "--all").stdout


def test_config_validate_finds_the_file_and_the_key_that_is_wrong(fcc: Fcc) -> None:
    assert fcc("config", "validate").returncode == 0
    file = fcc.config / "config.toml"
    file.write_text("[server]\nprot = 1\n")
    wrong = fcc("config", "validate")
    assert wrong.returncode == 2
    assert wrong.stderr == f"fcc: {file}: unknown key 'server.prot', did you mean 'port'?\n"
    file.write_text("")
    acme(fcc, "http://127.0.0.1:9/v1")
    (fcc.config / "providers" / "acme.toml").write_text("nonsense = 1")
    assert "acme.toml" in fcc("config", "validate").stderr
    assert fcc("reload").returncode == 3


def test_config_edit_begins_with_the_example_and_checks_the_result(fcc: Fcc) -> None:
    editor = fcc.home / "bin" / "editor"
    editor.write_text('#!/bin/sh\necho "port = 1" >> "$1"\n')
    editor.chmod(0o755)
    edited = fcc("config", "edit", EDITOR=str(editor))
    assert edited.returncode == 2
    assert "unknown key 'port'" in edited.stderr
    assert (fcc.config / "config.toml").read_text().startswith("# fcc's options")


def test_config_path_says_where_each_file_is(fcc: Fcc) -> None:
    assert fcc("config", "path", "config.toml").stdout == f"{fcc.config / 'config.toml'}\n"
    assert str(fcc.state) in fcc("config", "path").stdout
    assert fcc("config", "path", "nonsense").returncode == 2


def test_providers_are_a_table_or_json(fcc: Fcc) -> None:
    ready = fcc.json("providers", "--json", "--ready", NVIDIA_API_KEY="x")
    assert {"nim", "demo"} <= {one["name"] for one in ready}
    assert "deepseek" not in {one["name"] for one in ready}
    acme(fcc, "http://127.0.0.1:9/v1")
    lines = fcc("providers").stdout.splitlines()
    assert lines[0].split() == ["name", "provider", "state", "address"]
    assert any("Acme (your file)" in line for line in lines)


def test_columns_stand_under_their_heads_whatever_colour_they_have(monkeypatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown = table(
        ("a", "long head", "n"), [(paint("x", "red"), "y", "7"), ("xyz", "", "12")], right="n"
    )
    assert click.unstyle(shown) == "a    long head   n\nx    y           7\nxyz             12"
    assert "\x1b[31m" in shown
    monkeypatch.setenv("NO_COLOR", "1")
    assert paint("x", "red") == "x"


def test_every_command_has_examples_in_its_help(fcc: Fcc) -> None:
    for name in _COMMANDS:
        said = fcc(name, "--help").stdout
        assert "Example" in said, name
        assert all(len(line) <= 100 for line in said.splitlines()), name


@pytest.mark.parametrize(
    "command",
    [("serve", "--help"), ("status",), ("stop",), ("logs",), ("env", "--provider", "demo"), ("config", "show"),
     ("config", "path"), ("config", "validate"), ("providers",), ("service", "status", "--dry-run"),
     ("statusline",), ("reload",), ("trace", "list"), ("trace", "show", "last"), ("bug", "last"),
     ("replay", "last")],
    ids=" ".join,
)  # fmt: skip
def test_what_needs_no_network_imports_none_of_its_libraries(
    fcc: Fcc, command: tuple[str, ...]
) -> None:
    """Each of these costs as much CPU time as all the rest of the command."""
    slow = (
        "httpx", "openai", "aiohttp", "asyncio", "http.client", "ssl", "tomlkit", "rich",
        "platformdirs", "encodings.idna", "sqlite3", "difflib", "plistlib",
    )  # fmt: skip
    assert imported(fcc, command, slow) == []


@pytest.mark.parametrize("command", _COMMANDS)
def test_no_commands_help_imports_what_asks_a_network(fcc: Fcc, command: str) -> None:
    assert imported(fcc, (command, "--help"), ("httpx", "openai", "aiohttp", "asyncio")) == []


@pytest.mark.parametrize(
    "command", [("status",), ("stop",), ("logs",), ("statusline",), ("trace", "list")], ids=" ".join
)
def test_what_only_looks_for_the_daemon_imports_nothing_that_chooses_a_model(
    fcc: Fcc, command: tuple[str, ...]
) -> None:
    rest = ("fcc.cli.link", "fcc.cli.options", "fcc.settings.routing", "tomllib", "json", "csv")
    assert imported(fcc, command, rest) == []


def test_usage_needs_the_ledger_and_no_network(fcc: Fcc) -> None:
    rest = ("httpx", "openai", "aiohttp", "asyncio", "tomllib", "json", "csv")
    assert imported(fcc, ("usage",), rest) == []


def imported(fcc: Fcc, command: tuple[str, ...], modules: tuple[str, ...]) -> list[str]:
    """Which of the modules the command imports."""
    program = f"import sys\nfrom fcc.cli.main import _COMMANDS, cli\ncli({list(command)!r}, standalone_mode=False)\n"
    check = f"import atexit, sys\natexit.register(lambda: print([m for m in {modules!r} if m in sys.modules], file=sys.stderr))\n"
    # A tracer has libraries of its own.
    untraced = {name: said for name, said in fcc.environ.items() if "COVERAGE" not in name}
    ended = subprocess.run(
        [sys.executable, "-c", check + program], env=untraced, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    loaded = ast.literal_eval(ended.stderr.strip().splitlines()[-1])
    assert isinstance(loaded, list)
    return loaded


def test_a_list_is_json_that_jq_reads(fcc: Fcc) -> None:
    assert isinstance(json.loads(fcc("providers", "--json").stdout), list)


# What a command can't write or read.

FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no disk is full here")
@pytest.mark.parametrize("arguments", [("--help",), ("providers",), ("config", "show"), ("env",)])
def test_a_full_disk_behind_standard_output_is_one_line(
    fcc: Fcc, arguments: tuple[str, ...]
) -> None:
    with FULL.open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "fcc", *arguments],
            env={name: value for name, value in fcc.environ.items() if value},
            stdout=full, stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (1, "fcc: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", ">&- 2>&- <&-"])
def test_a_stream_that_is_closed_takes_nothing_from_the_exit_code(fcc: Fcc, closed: str) -> None:
    ended = subprocess.run(
        ["/bin/sh", "-c", f'"$0" -m fcc status {closed}', sys.executable],
        env={name: value for name, value in fcc.environ.items() if value},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (3, "")


def test_a_folder_in_the_place_of_a_file_is_told(fcc: Fcc) -> None:
    (fcc.config / "config.toml").mkdir()
    for arguments in (("config", "validate"), ("status",), ("serve",)):
        ended = fcc(*arguments)
        assert ended.returncode == 2
        assert ended.stderr == f"fcc: {fcc.config}/config.toml: can't be read: Is a directory\n"


def test_a_place_that_cannot_be_looked_at_is_a_finding(fcc: Fcc) -> None:
    ended = fcc("doctor", FCC_CONFIG_DIR=str(fcc.home / ("x" * 300)))
    assert ended.returncode == 1
    assert ended.stdout.count("File name too long") == 2
    assert "Traceback" not in ended.stderr


def test_a_state_folder_that_cannot_be_made_is_one_line(fcc: Fcc) -> None:
    fcc.install_claude()
    (fcc.home / "file").write_text("")
    ended = fcc("claude", FCC_STATE_DIR=str(fcc.home / "file" / "state"))
    assert ended.returncode == 2
    assert "daemon.log: no log can be written there: Not a directory" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments", [("serve",), ("models",), ("reload",), ("config", "show"), ("config", "validate")]
)
def test_an_unknown_provider_is_told_with_the_file_that_names_it(
    fcc: Fcc, arguments: tuple[str, ...]
) -> None:
    (fcc.config / "config.toml").write_text('provider = "dem"\n')
    ended = fcc(*arguments)
    assert ended.returncode == 2
    assert ended.stderr == (
        f"fcc: {fcc.config}/config.toml: 'provider': unknown provider 'dem', did you mean 'demo'?\n"
    )


def test_the_demos_one_model_is_listed_and_no_other_chosen(fcc: Fcc) -> None:
    assert [one["id"] for one in fcc.json("models", "--provider", "demo", "--json")] == ["demo"]
    ended = fcc("models", "--provider", "demo", "--set", "opus=x")
    assert ended.returncode == 2
    assert "does not offer 'x' (known: demo)" in ended.stderr


def test_two_shapes_of_the_environment_at_once_are_refused(fcc: Fcc) -> None:
    ended = fcc("env", "--json", "--vscode")
    assert ended.returncode == 2
    assert "--json and --vscode exclude each other" in ended.stderr


def test_init_that_finds_nothing_says_that_it_is_the_demo(fcc: Fcc) -> None:
    ended = fcc("init", "--non-interactive", "--no-doctor")
    assert ended.returncode == 0
    assert "it is the demo" in ended.stderr
    assert config_of(fcc)["provider"] == "demo"
