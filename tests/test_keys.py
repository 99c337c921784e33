"""Keys: from the environment, else from a file that only its owner can read."""

import os
from pathlib import Path

import pytest

from fcc.errors import ConfigError
from fcc.settings.keys import Keys, read_env_file
from fcc.settings.profile import Profile

NEEDS = Profile(name="p", title="P", api_key_env="P_KEY", key_url="https://p/keys")
MAY = Profile(name="p", api_key_env="P_KEY", api_key_optional=True)
NONE = Profile(name="p")


@pytest.fixture
def env_file(tmp_path: Path):
    def env_file(text: str | bytes, mode: int = 0o600) -> Path:
        path = tmp_path / "fcc.env"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    return env_file


def test_the_file_has_lines_of_names_and_values(env_file) -> None:
    path = env_file("# a comment\n\nA=1\n export B = two \nC='three'\nD=\"four=4\"\nE=\n")
    assert read_env_file(path) == {"A": "1", "B": "two", "C": "three", "D": "four=4", "E": ""}


def test_a_quote_within_a_value_is_part_of_it(env_file) -> None:
    assert read_env_file(env_file('A=it\'s\nB=x"y"z\n')) == {"A": "it's", "B": 'x"y"z'}


def test_a_file_that_is_not_there_has_no_variables(tmp_path: Path) -> None:
    assert read_env_file(tmp_path / "no.env") == {}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620])
def test_a_file_that_others_can_reach_is_refused(env_file, mode: int) -> None:
    with pytest.raises(ConfigError, match=f"mode {mode:04o}.*chmod 600"):
        read_env_file(env_file("A=1", mode))


@pytest.mark.parametrize("line", ["nonsense", "=x", "A B=1", "1A=x"])
def test_a_line_that_is_no_variable_is_told_by_its_number(env_file, line: str) -> None:
    with pytest.raises(ConfigError, match="line 2 is not NAME=VALUE") as caught:
        read_env_file(env_file(f"OK=sk-1\n{line}\n"))
    assert "sk-1" not in caught.value.message


def test_a_file_that_is_no_utf8_is_a_config_error(env_file) -> None:
    with pytest.raises(ConfigError, match=r"fcc\.env"):
        read_env_file(env_file(b"A=\xff\n"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_cannot_be_opened_is_a_config_error(env_file) -> None:
    with pytest.raises(ConfigError, match=r"fcc\.env"):
        read_env_file(env_file("A=1", 0o000))


def test_a_folder_that_cannot_be_entered_is_a_config_error(tmp_path) -> None:
    path = tmp_path / ("x" * 300) / "fcc.env"
    with pytest.raises(ConfigError, match=r"fcc\.env: can't be read: File name too long"):
        read_env_file(path)


def test_the_environment_goes_before_the_file(env_file) -> None:
    path = env_file("P_KEY=from-file\nX=file")
    assert Keys({"P_KEY": "from-env"}, path).get(NEEDS) == "from-env"
    assert Keys({"P_KEY": ""}, path).get(NEEDS) == "from-file"
    assert Keys({}, path).variable("X") == "file"
    assert Keys({}, path).variable("Y") == ""


def test_blanks_around_a_key_are_no_part_of_it(env_file) -> None:
    assert Keys({"P_KEY": " k \n"}, env_file("")).get(NEEDS) == "k"


@pytest.mark.parametrize(
    ("profile", "environ", "missing"),
    [
        (NEEDS, {}, True), (NEEDS, {"P_KEY": " "}, True), (NEEDS, {"P_KEY": "k"}, False),
        (MAY, {}, False), (NONE, {}, False),
    ],
)  # fmt: skip
def test_only_a_key_that_is_needed_can_be_missing(
    env_file, profile: Profile, environ: dict[str, str], missing: bool
) -> None:
    keys = Keys(environ, env_file(""))
    assert keys.missing(profile) is missing
    if missing:
        with pytest.raises(ConfigError):
            keys.require(profile)
    else:
        assert keys.require(profile) == environ.get("P_KEY", "")


def test_a_missing_key_is_told_with_what_to_do(env_file) -> None:
    with pytest.raises(ConfigError) as caught:
        Keys({}, env_file("")).require(NEEDS)
    for word in ("P needs a key", "P_KEY", "https://p/keys", "fcc.env"):
        assert word in caught.value.message


def test_the_real_environment_and_the_persons_file_are_the_default(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("FROM_ENV", "a")
    (tmp_path / "fcc.env").touch(0o600)
    (tmp_path / "fcc.env").write_text("FROM_FILE=b")
    keys = Keys()
    assert (keys.variable("FROM_ENV"), keys.variable("FROM_FILE")) == ("a", "b")


def test_keys_do_not_show_themselves(env_file) -> None:
    keys = Keys({"P_KEY": "sk-secret"}, env_file("A=sk-other"))
    assert "sk-" not in repr(keys) + str(keys)


@pytest.mark.parametrize(
    ("value", "keys"),
    [("a", ["a"]), ("a, b ,a,,", ["a", "b"]), ("", []), (" , ", [])],
)
def test_several_keys_have_commas_between_them(env_file, value: str, keys: list[str]) -> None:
    given = Keys({"P_KEY": value}, env_file(""))
    assert given.all(NEEDS) == keys
    assert given.get(NEEDS) == (keys[0] if keys else "")
    assert given.all(NONE) == []
    assert given.missing(NEEDS) is (not keys)
