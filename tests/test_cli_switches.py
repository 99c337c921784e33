"""Recovery of tool calls can be switched off: by option, variable, config.toml and profile."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fcc.cli.main import cli
from fcc.errors import ConfigError
from fcc.server import run
from fcc.server.gateway import GATEWAY
from fcc.settings.config import Config
from fcc.settings.profile import Reply
from fcc.settings.recovery import ToolCalls
from tests.command import Fcc
from tests.conftest import Ask, app_of, profile_of
from tests.scripted import ASKED, DONE, Scripted, call, chunk, text

TOOL = {"name": "Read", "input_schema": {"type": "object"}}
WRITTEN = '<tool_call>\n{"name": "Read", "arguments": {"a": 1}}\n</tool_call>'
DAMAGED = '<tool_call>\n{"name": "Read", "arguments": {"a": True}}\n</tool_call>'


@pytest.fixture
def fcc(tmp_path: Path) -> Fcc:
    return Fcc(tmp_path / "home")


# What the switches do.


async def events(connect: Ask, config: Config, answer: list[Any], **fields: Any) -> list[Any]:
    """The answer's events."""
    app = app_of(profile_of(**fields), config)
    client = await connect(app, Scripted(answer))
    asked = {**ASKED, "tools": [TOOL], "stream": True}
    raw = await (await client.post("/v1/messages", json=asked)).text()
    assert sum(number for *_, number in app[GATEWAY].repairs.totals()) == (
        0 if config.tool_calls != ToolCalls() or fields else 1
    )
    return [json.loads(line[6:]) for line in raw.splitlines() if line.startswith("data: ")]


def told(events: list[Any]) -> str:
    """All the text, or all the arguments of calls."""
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    return "".join(delta.get("text", delta.get("partial_json", "")) for delta in deltas)


def kinds(events: list[Any]) -> list[str]:
    return [e["content_block"]["type"] for e in events if e["type"] == "content_block_start"]


def config(**switches: bool) -> Config:
    return Config(tool_calls=ToolCalls(**switches))


async def test_a_call_written_as_text_becomes_one(connect: Ask) -> None:
    found = await events(connect, Config(), text(WRITTEN))
    assert (kinds(found), json.loads(told(found))) == (["tool_use"], {"a": 1})


@pytest.mark.parametrize("where", ["config", "profile"])
async def test_without_dialects_it_stays_the_text_it_is(connect: Ask, where: str) -> None:
    profile = {"reply": Reply(dialects=())} if where == "profile" else {}
    switched = Config() if profile else config(dialects=False)
    found = await events(connect, switched, text(*WRITTEN), **profile)
    assert (kinds(found), told(found)) == (["text"], WRITTEN)


@pytest.mark.parametrize("where", ["config", "profile"])
@pytest.mark.parametrize(
    "fragments",
    [["{'a': 1}"], ['{"a": 1', '{"a": 1}'], ['{"a": 1}', '{"a": 1}'], ['{"a": ', "1,}"]],
    ids=["python", "cumulative", "repeated", "trailing_comma"],
)
@pytest.mark.parametrize("arguments", ["live", "buffer"])
async def test_without_repair_arguments_are_passed_on_as_they_were_written(
    connect: Ask, where: str, fragments: list[str], arguments: Any
) -> None:
    called = [call(text, name=None if i else "Read") for i, text in enumerate(fragments)]
    answer = [*called, chunk("tool_calls"), DONE]
    mended = await events(connect, Config(), answer)
    assert json.loads(told(mended)) == {"a": 1}
    off = Reply(tool_arguments=arguments, repair=where != "profile")
    switched = Config() if where == "profile" else config(repair=False)
    found = await events(connect, switched, answer, reply=off)
    assert (kinds(found), told(found)) == (["tool_use"], "".join(fragments))


async def test_without_repair_damaged_json_in_text_is_no_call(connect: Ask) -> None:
    found = await events(connect, config(repair=False), text(DAMAGED))
    assert (kinds(found), told(found)) == (["text"], DAMAGED)


def test_a_switch_never_turns_on_what_the_profile_turns_off() -> None:
    off = Reply(dialects=(), repair=False)
    assert ToolCalls().applied(off) == off
    assert ToolCalls(dialects=False).applied(Reply()) == Reply(dialects=())
    assert ToolCalls(repair=False).applied(Reply()) == Reply(repair=False)


# How they are set.


def served(monkeypatch: pytest.MonkeyPatch, *options: str) -> tuple[Config, Config]:
    """The configuration that the daemon starts with, and the one after a reload."""
    seen: list[Config] = []

    async def serve(
        config: Config, router: Any, keys: Any, ready: Any, reload: Any, *_further: Any
    ) -> None:
        ready("http://127.0.0.1:1")
        seen.extend((config, reload().config))

    monkeypatch.setattr(run, "serve", serve)
    result = CliRunner().invoke(cli, ["serve", "--provider", "demo", *options])
    if result.exception:
        raise result.exception
    return seen[0], seen[1]


@pytest.mark.parametrize(
    ("said", "variables", "options", "wanted"),
    [
        ("", {}, [], (True, True)),
        ("", {}, ["--no-dialects"], (False, True)),
        ("", {}, ["--no-repair"], (True, False)),
        ("", {}, ["--no-dialects", "--no-repair"], (False, False)),
        ("dialects = false", {}, [], (False, True)),
        ("repair = false", {}, ["--no-dialects"], (False, False)),
        ("dialects = false\nrepair = false", {}, ["--dialects"], (True, False)),
        ("", {"FCC_DIALECTS": "0", "FCC_REPAIR": "no"}, [], (False, False)),
        ("", {"FCC_REPAIR": "false"}, ["--repair"], (True, True)),
        ("repair = false", {"FCC_REPAIR": "1"}, [], (True, True)),
    ],
)
def test_options_win_over_variables_and_these_over_the_file_also_when_it_is_read_again(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    said: str,
    variables: dict[str, str],
    options: list[str],
    wanted: tuple[bool, bool],
) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("FCC_STATE_DIR", str(tmp_path / "state"))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "config.toml").write_text(f"log_level = 'warning'\n[tool_calls]\n{said}\n")
    for config in served(monkeypatch, *options):
        assert (config.tool_calls.dialects, config.tool_calls.repair) == wanted
        assert config.log_level == "warning"


def helped() -> Result:
    return CliRunner().invoke(cli, ["serve", "--help"])


def test_the_help_names_both_and_has_an_example() -> None:
    output = helped().output
    assert "--dialects / --no-dialects" in output
    assert "--repair / --no-repair" in output
    assert "fcc serve --provider vllm --no-dialects" in output


def test_a_value_that_is_neither_yes_nor_no_is_refused() -> None:
    refused = CliRunner().invoke(cli, ["serve"], env={"FCC_REPAIR": "maybe"})
    assert refused.exit_code == 2
    assert "maybe" in refused.output


def test_a_misspelt_switch_in_the_file_is_refused_with_its_place(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    (tmp_path / "config.toml").write_text("[tool_calls]\nrepairs = false\n")
    with pytest.raises(ConfigError, match=r"config\.toml.*repairs"):
        served(monkeypatch)


def test_the_shell_completes_them(fcc: Fcc) -> None:
    done = fcc(_FCC_COMPLETE="bash_complete", COMP_WORDS="fcc serve --no-", COMP_CWORD="2")
    assert {"plain,--no-dialects", "plain,--no-repair"} <= set(done.stdout.split())


def test_what_counts_is_shown_with_who_said_so(fcc: Fcc) -> None:
    (fcc.config / "config.toml").write_text("[tool_calls]\nrepair = false\n")
    shown = fcc("config", "show", FCC_DIALECTS="0").stdout
    lines = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
    assert "FCC_DIALECTS in the environment" in lines["tool_calls.dialects"]
    assert "config.toml" in lines["tool_calls.repair"]
