"""What fcc writes into a person's file keeps what the person wrote."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.edit import backup, edited, write
from fcc.settings.files import shipped_dir
from fcc.settings.toml import convert

MINE = """\
# my file
provider = "nim"  # the one

# the models that I like
[models]
# best
opus = "a/b" # why
haiku = "c"

[server]
port = 1
"""


def test_a_value_changes_and_nothing_else() -> None:
    assert edited(MINE, {"models.opus": "d"}, "f") == MINE.replace('"a/b"', '"d"')
    assert edited(MINE, {"provider": "x"}, "f") == MINE.replace('"nim"', '"x"')


def test_a_new_key_goes_behind_its_like() -> None:
    assert edited(MINE, {"log_level": "debug"}, "f") == MINE.replace(
        "# the one\n", '# the one\nlog_level = "debug"\n'
    )
    assert edited(MINE, {"models.sonnet": "s"}, "f") == MINE.replace(
        'haiku = "c"\n', 'haiku = "c"\nsonnet = "s"\n'
    )


def test_a_key_is_taken_out() -> None:
    assert edited(MINE, {"models.haiku": None}, "f") == MINE.replace('haiku = "c"\n', "")


def test_a_pattern_is_one_key() -> None:
    changed = edited(MINE, {'models."claude-*.5"': "q"}, "f")
    assert tomllib.loads(changed)["models"]["claude-*.5"] == "q"


def test_the_comment_above_the_first_table_stays_there() -> None:
    assert edited('# good ones\n[models]\nopus = "x"\n', {"provider": "y"}, "f") == (
        'provider = "y"\n\n# good ones\n[models]\nopus = "x"\n'
    )
    assert edited('# mine\n\n# good ones\n[models]\nopus = "x"\n', {"provider": "y"}, "f") == (
        '# mine\n\nprovider = "y"\n\n# good ones\n[models]\nopus = "x"\n'
    )


def test_in_the_shipped_example_the_hash_is_taken_away() -> None:
    example = (shipped_dir() / "config.toml.example").read_text()
    changes = {"provider": "nim", "models.opus": "a", "server.port": 9000}
    changed = edited(example, changes, "f")
    assert tomllib.loads(changed) == {
        "provider": "nim", "models": {"opus": "a"}, "server": {"port": 9000}
    }  # fmt: skip
    assert '#provider = ""' not in changed
    assert '\nprovider = "nim"\n' in changed
    assert "\n[models]\nopus" in changed
    kept = {line for line in example.splitlines() if line not in changed}
    assert kept == {'#provider = ""', "#[models]", "#[server]"}
    assert convert(tomllib.loads(changed), Config, "f").server.port == 9000


def test_what_looks_like_a_place_inside_a_string_is_none() -> None:
    text = 'note = """\n#provider = 1\n[models]\n"""\n'
    assert tomllib.loads(edited(text, {"provider": "x"}, "f")) == {
        "note": "#provider = 1\n[models]\n", "provider": "x"
    }  # fmt: skip


words = st.sampled_from(["a", "b", "c", '"d.e"'])
values = st.one_of(
    st.text(max_size=5), st.integers(-9, 9), st.booleans(), st.lists(st.text(max_size=3))
)


@given(
    st.dictionaries(st.sampled_from(["x", "t.a", "t.b", 't."c*"', "u.a", "y"]), values, max_size=5)
)
def test_what_is_set_is_read_back_and_all_else_is_as_it_was(changes: dict[str, object]) -> None:
    before = (
        '# one\nx = 1 # two\n\n# three\n[t]\na = "1" # four\nz = [1, # five\n2]\n#[u]\n#a = 1\n'
    )
    after = edited(before, changes, "f")
    expected = tomllib.loads(before)
    for key, value in changes.items():
        table, _, name = key.rpartition(".")
        (expected.setdefault(table, {}) if table else expected)[name.strip('"')] = value
    assert tomllib.loads(after) == expected
    for comment in ("# one", "# three", "# five"):
        assert comment in after


def test_broken_toml_and_a_value_in_the_place_of_a_table_are_told() -> None:
    with pytest.raises(ConfigError, match="not TOML"):
        edited("a = = 1", {"b": 1}, "f")
    with pytest.raises(ConfigError, match="'a' is no table"):
        edited("a = 1", {"a.b": 1}, "f")


def test_files_are_private_links_stay_links_and_copies_do_not_overwrite_copies(
    tmp_path: Path,
) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "dir" / "config.toml"
    write(real, "a = 1\n")
    link.parent.mkdir()
    link.symlink_to(real)
    write(link, "a = 2\n")
    assert link.is_symlink()
    assert real.read_text() == "a = 2\n"
    assert real.stat().st_mode & 0o777 == 0o600
    first, second = backup(real), backup(real)
    assert (first.name, second.name) == ("real.toml.bak", "real.toml.bak2")
    assert second.read_text() == "a = 2\n"
    assert not list(tmp_path.glob("**/*.part"))
