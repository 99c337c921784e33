"""The client's model name to a provider and its model."""

from pathlib import Path

import pytest

from fcc.errors import ConfigError, NotFoundError
from fcc.settings.files import Providers
from fcc.settings.profile import Facts, Profile
from fcc.settings.routing import Router


@pytest.fixture
def providers(tmp_path: Path) -> Providers:
    (tmp_path / "other.toml").write_text('base_url = "http://o/v1"\ndefault_model = "om"')
    (tmp_path / "broken.toml").write_text("nonsense = 1")
    return Providers(tmp_path)


DEFAULT = Profile(
    name="main",
    title="Main",
    models={"claude-*haiku*": "small", "claude-*": "big"},
    facts={"big": Facts(context_window=1000)},
)
BARE = Profile(name="main", title="Main")


def target(router: Router, asked: str) -> str:
    route = router.route(asked)
    assert route.asked == asked
    return f"{route.profile.name}/{route.model.name}"


@pytest.mark.parametrize(
    ("asked", "want"),
    [
        ("claude-opus-5-5", "main/big"),
        ("claude-haiku-4-5", "main/small"),
        ("CLAUDE-HAIKU-X", "main/small"),
        ("claude-sonnet-5[1m]", "main/big"),
        ("some-model", "main/some-model"),
        ("vendor/model", "main/vendor/model"),
        ("other/their-model", "other/their-model"),
        ("other/vendor/model", "other/vendor/model"),
        ("anthropic/other/vendor/model", "other/vendor/model"),
        ("claude/other/m", "other/m"),
        ("anthropic/claude-x", "main/anthropic/claude-x"),
        ("other/", "main/other/"),
    ],
)
def test_a_name_goes_where_the_profile_says(providers: Providers, asked: str, want: str) -> None:
    assert target(Router(providers, DEFAULT), asked) == want


def test_the_persons_patterns_go_before_the_profiles(providers: Providers) -> None:
    router = Router(
        providers, DEFAULT, {"opus": "mine", "Claude-Son*": "other/theirs", "*": "rest"}
    )
    assert target(router, "claude-opus-5-5") == "main/mine"
    assert target(router, "claude-sonnet-5") == "other/theirs"
    assert target(router, "claude-haiku-4-5") == "main/rest"
    assert target(router, "gpt") == "main/rest"


def test_a_family_is_every_name_that_contains_it(providers: Providers) -> None:
    router = Router(providers, DEFAULT, {"haiku": "h"})
    assert target(router, "claude-3-5-HAIKU-20241022") == "main/h"
    assert target(router, "claude-opus-4") == "main/big"


def test_the_first_pattern_that_fits_counts(providers: Providers) -> None:
    router = Router(providers, DEFAULT, {"claude-opus-5*": "five", "opus": "older"})
    assert target(router, "claude-opus-5-5") == "main/five"
    assert target(router, "claude-opus-4-8") == "main/older"


def test_the_chosen_model_takes_every_name_but_one_that_was_typed(providers: Providers) -> None:
    router = Router(providers, DEFAULT, {"opus": "mine"}, model="chosen")
    assert target(router, "claude-opus-5-5") == "main/chosen"
    assert target(router, "anything") == "main/chosen"
    assert target(router, "other/m") == "other/m"


def test_the_default_model_takes_what_no_pattern_fits(providers: Providers) -> None:
    router = Router(providers, Profile(name="main", default_model="d"))
    assert target(router, "claude-opus-5-5") == "main/d"
    assert target(router, "gpt") == "main/d"


def test_a_target_may_have_slashes_of_its_own(providers: Providers) -> None:
    router = Router(providers, DEFAULT, {"opus": "vendor/model", "haiku": "other/v/m"})
    assert target(router, "claude-opus-5-5") == "main/vendor/model"
    assert target(router, "claude-haiku-5") == "other/v/m"


def test_a_claude_name_that_nothing_maps_is_told_what_to_set(providers: Providers) -> None:
    with pytest.raises(
        NotFoundError, match=r"no model of Main is set for 'claude-opus-5-5'.*--model"
    ):
        Router(providers, BARE).route("claude-opus-5-5")


def test_an_empty_name_is_not_found(providers: Providers) -> None:
    with pytest.raises(NotFoundError):
        Router(providers, BARE).route("")


def test_a_target_whose_profile_cannot_be_read_is_told_at_the_start(providers: Providers) -> None:
    with pytest.raises(ConfigError, match=r"broken.toml: unknown key 'nonsense'"):
        Router(providers, DEFAULT, {"opus": "broken/m"})


def test_a_target_that_names_a_provider_and_no_model_is_told_at_the_start(
    providers: Providers,
) -> None:
    with pytest.raises(ConfigError, match="other/"):
        Router(providers, DEFAULT, {"opus": "other/"})


def test_a_typed_provider_that_cannot_be_read_is_not_found(providers: Providers) -> None:
    with pytest.raises(NotFoundError, match="nonsense"):
        Router(providers, DEFAULT).route("broken/m")


def test_a_route_has_all_that_is_known_of_the_model(providers: Providers) -> None:
    router = Router(providers, DEFAULT)
    assert router.route("claude-opus-5-5").model.context_window == 1000
    assert router.route("claude-haiku-5").model.context_window is None


def test_routes_are_remembered_but_not_without_end(providers: Providers) -> None:
    router = Router(providers, DEFAULT)
    assert router.route("claude-x") is router.route("claude-x")
    for n in range(300):
        router.route(f"name-{n}")
    assert target(router, "name-299") == "main/name-299"


def test_each_family_is_shown_with_where_it_goes(providers: Providers) -> None:
    assert Router(providers, DEFAULT, {"opus": "other/o"}).mapping() == [
        ("opus", "other/o"), ("sonnet", "main/big"), ("haiku", "main/small"), ("fable", "main/big"),
    ]  # fmt: skip
    assert Router(providers, BARE).mapping() == []


def test_profiles_are_read_once_and_listed(providers: Providers) -> None:
    router = Router(providers, DEFAULT)
    assert router.default is DEFAULT
    assert router.profile("other") is router.profile("other")
    assert [profile.name for profile in router.profiles] == ["main", "other"]
    assert router.profile("main") is DEFAULT
    with pytest.raises(ConfigError, match="unknown provider"):
        router.profile("nobody")


def chained(router: Router, asked: str) -> list[str]:
    return [f"{route.profile.name}/{route.model.name}" for route in router.chain(asked)]


def test_a_fallback_is_the_first_that_fits_and_each_target_once(providers: Providers) -> None:
    fallback = {"opus": ["big", "other/o", "other/o", "x/y"], "*": ["other/rest"]}
    router = Router(providers, DEFAULT, fallback=fallback)
    assert chained(router, "claude-opus-5[1m]") == ["main/big", "other/o", "main/x/y"]
    assert chained(router, "claude-haiku-5") == ["main/small", "other/rest"]
    assert {route.asked for route in router.chain("claude-opus-5[1m]")} == {"claude-opus-5[1m]"}
    assert chained(Router(providers, DEFAULT), "claude-opus-5") == ["main/big"]


@pytest.mark.parametrize("target", ["broken/m", "other/"])
def test_a_fallback_that_cannot_be_used_is_told_at_the_start(
    providers: Providers, target: str
) -> None:
    with pytest.raises(ConfigError):
        Router(providers, DEFAULT, fallback={"opus": [target]})


def test_the_pattern_that_decides_is_named(providers: Providers) -> None:
    router = Router(providers, DEFAULT, {"opus": "a", "claude-*": "b"})
    assert router.pattern_for("claude-opus-5") == "*opus*"
    assert router.pattern_for("claude-x") == "claude-*"
    assert router.pattern_for("gpt") is None
    assert Router(providers, DEFAULT, {"*": "a"}, model="m").pattern_for("x") is None


def test_a_profile_is_known_or_not(providers: Providers) -> None:
    router = Router(providers, DEFAULT)
    assert router.known("other").name == "other"
    assert router.known("nobody") is None
    assert router.known("broken") is None
