"""Where the files are, and which of them counts."""

from pathlib import Path

import pytest

from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.files import Providers, config_dir, load_config, shipped_dir


def test_the_shipped_profiles_are_there() -> None:
    assert {"demo", "custom"} <= set(Providers(shipped_dir() / "providers").names)


def test_every_shipped_profile_can_be_read() -> None:
    providers = Providers(shipped_dir() / "providers")
    for name in providers.names:
        assert providers.get(name).name == name


def test_the_config_directory_can_be_chosen(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    assert config_dir() == tmp_path


def test_the_config_directory_may_begin_with_a_tilde(monkeypatch) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", "~/there")
    assert config_dir() == Path.home() / "there"


def test_the_config_directory_is_the_platforms_place_otherwise(monkeypatch) -> None:
    monkeypatch.delenv("FCC_CONFIG_DIR", raising=False)
    assert config_dir().name == "fcc"


def test_a_config_is_read_where_there_is_one(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    assert load_config() == Config()
    (tmp_path / "config.toml").write_text('provider = "x"')
    assert load_config().provider == "x"


def test_a_config_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no\.toml"):
        load_config(tmp_path / "no.toml")
    (tmp_path / "my.toml").write_text('provider = "y"')
    assert load_config(tmp_path / "my.toml").provider == "y"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    shipped, own = tmp_path / "shipped", tmp_path / "own"
    for folder in (shipped, own):
        folder.mkdir()
    (shipped / "a.toml").write_text('title = "A"\nbase_url = "http://a/v1"')
    (shipped / "b.toml").write_text('title = "B"')
    (own / "a.toml").write_text('title = "my A"')
    (own / "c.toml").write_text("")
    (own / "notes.txt").write_text("")
    return shipped, own


def test_a_persons_profile_takes_the_place_of_a_shipped_one_whole(folders) -> None:
    providers = Providers(*folders)
    assert providers.names == ["a", "b", "c"]
    assert providers.get("a").title == "my A"
    assert providers.get("a").base_url == ""
    assert providers.get("b").title == "B"
    assert providers.get("c").label == "c"
    assert "a" in providers
    assert "x" not in providers
    assert 5 not in providers


def test_folders_that_are_not_there_have_no_profiles(tmp_path: Path) -> None:
    assert Providers(tmp_path / "no").names == []


def test_a_persons_folder_is_looked_into(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path))
    (tmp_path / "providers").mkdir()
    (tmp_path / "providers" / "mine.toml").write_text('base_url = "http://x/v1"')
    assert {"mine", "demo"} <= set(Providers().names)


def test_an_unknown_provider_gets_a_suggestion(folders) -> None:
    (folders[0] / "openrouter.toml").write_text("")
    with pytest.raises(
        ConfigError, match="unknown provider 'openruter', did you mean 'openrouter'"
    ):
        Providers(*folders).get("openruter")


def test_a_profile_is_named_by_its_file(folders) -> None:
    (folders[1] / "d.toml").write_text('name = "e"')
    with pytest.raises(ConfigError, match="'name' is 'e', but the file's name decides"):
        Providers(*folders).get("d")
    (folders[1] / "d.toml").write_text('name = "d"')
    assert Providers(*folders).get("d").name == "d"
