"""TOML as structs; what does not fit is told by file, key and reason."""

from pathlib import Path

import pytest

from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.profile import Profile
from fcc.settings.toml import convert, nearest, read, read_table


def refused(path: Path, type_: type) -> str:
    with pytest.raises(ConfigError) as caught:
        read(path, type_)
    return caught.value.message


@pytest.fixture
def file(tmp_path: Path):
    def file(text: str | bytes, name: str = "config.toml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return file


def test_a_whole_config_is_read(file) -> None:
    config = read(
        file(
            'provider = "nim"\nlog_level = "debug"\nauth_token = "t"\n[models]\nopus = "a"\n'
            "[server]\nport = 9000\n[local_answers]\ntitle = false\n"
        ),
        Config,
    )
    assert (config.provider, config.log_level, config.models) == ("nim", "debug", {"opus": "a"})
    assert (config.server.port, config.server.host) == (9000, "127.0.0.1")
    assert not config.local_answers.title
    assert config.local_answers.quota


def test_an_empty_file_is_all_defaults(file) -> None:
    assert read(file(""), Config) == Config()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('providor = "x"', ["unknown key 'providor'", "did you mean 'provider'?"]),
        ("[server]\nprot = 1", ["unknown key 'server.prot'", "did you mean 'port'?"]),
        ("[server]\nxyzzy = 1", ["unknown key 'server.xyzzy'", "known:", "drain_seconds"]),
        ("[server]\nport = 'x'", ["'server.port'", "int", "str"]),
        ("[server]\nport = 70000", ["'server'", "port must be between 0 and 65535"]),
        ("[server]\nmax_body_bytes = 3", ["at least 1024"]),
        ("[server]\ndrain_seconds = -1", ["negative"]),
        ('log_level = "loud"', ["'log_level'", "loud"]),
        ("models = 3", ["'models'", "object"]),
        ("[models]\nopus = 3", ["models", "str"]),
        ("server = [1]", ["'server'", "object"]),
    ],
)
def test_what_does_not_fit_is_told_by_file_key_and_reason(
    file, text: str, words: list[str]
) -> None:
    path = file(text)
    message = refused(path, Config)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[limits]\nrequest = 3", ["unknown key 'limits.request'", "did you mean 'requests'?"]),
        ("[limits]\nrequests = -3", ["negative"]),
        ("[limits]\nseconds = 0", ["seconds must be more than 0"]),
        ("[limits]\nconcurrency = -1", ["negative"]),
        ('[limits.models."x*"]\nrequest = 3', ["unknown key 'limits.models.x*.request'"]),
        ('[limits.models."x*"]\ntokens = -3', ["limits.models", "negative"]),
        ('[limits.models."x*".models.y]\ntokens = 3', ["'limits.models.x*.models'"]),
        ("[timeouts]\nread = 0", ["timeout must be more than 0"]),
        ("[retry]\nattempts = 0", ["attempts must be at least 1"]),
        ("[retry]\nbase = -1", ["retry"]),
        ('[ask]\nsystem = "last"', ["'ask.system'"]),
        (
            '[facts."x*"]\ncontext_windw = 3',
            ["unknown key 'facts.x*.context_windw'", "did you mean"],
        ),
        ('[facts."x*".ask]\nimagse = true', ["facts.x*.ask", "imagse"]),
        ('[facts."x*".reply]\nrepair = 3', ["facts.x*.reply", "bool"]),
    ],
)
def test_a_profile_that_does_not_fit_is_told_the_same_way(
    file, text: str, words: list[str]
) -> None:
    path = file(text, "p.toml")
    message = refused(path, Profile)
    assert message.startswith(f"{path}: ")
    for word in words:
        assert word in message


@pytest.mark.parametrize("text", ["a = ", "[server", 'a = "x\n"', "a = 1\na = 2"])
def test_what_is_no_toml_is_told_with_its_place(file, text: str) -> None:
    message = refused(file(text), Config)
    assert "not TOML" in message
    assert "(at " in message


def test_what_is_no_utf8_is_told(file) -> None:
    assert "can't be read: not UTF-8" in refused(file(b'a = "\xff"'), Config)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    message = refused(tmp_path / "no.toml", Config)
    assert "can't be read: No such file" in message


def test_a_table_is_given_as_it_is(file) -> None:
    assert read_table(file("a = 1\n[b]\nc = [2]")) == {"a": 1, "b": {"c": [2]}}


def test_a_table_that_did_not_come_from_a_file_is_named_too() -> None:
    with pytest.raises(ConfigError, match=r"^here: unknown key 'x'"):
        convert({"x": 1}, Config, "here")


def test_the_nearest_word_is_suggested_or_all_where_they_are_few() -> None:
    assert nearest("opnrouter", ["openrouter", "nim"]) == ", did you mean 'openrouter'?"
    assert nearest("zzz", ["b", "a"]) == " (known: a, b)"
    assert nearest("zzz", []) == ""
    assert nearest("zzz", [f"w{n}" for n in range(50)]) == ""
