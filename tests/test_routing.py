"""The client's model name to a provider and its model."""

from pathlib import Path
from typing import Any

import pytest

from fcc.errors import ConfigError, NotFoundError
from fcc.settings.files import Providers
from fcc.settings.profile import Facts, Profile
from fcc.settings.routing import Router
from fcc.settings.targets import LongContext, Routes, Target


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


# What else a target can say, and requests that go elsewhere.


def test_a_target_can_say_how_its_model_is_asked(providers: Providers) -> None:
    target = Target(model="other/o", effort="low", max_tokens=8000)
    router = Router(providers, DEFAULT, {"opus": target}, fallback={"*": ["x", target]})
    model = router.route("claude-opus-5").model
    assert (model.name, model.effort, model.max_tokens) == ("o", "low", 8000)
    assert router.route("claude-sonnet-5").model.effort == ""
    assert [route.model.max_tokens for route in router.chain("claude-sonnet-5")] == [
        None, None, 8000,
    ]  # fmt: skip


@pytest.mark.parametrize("asked", ["other/m[1m]", "other/m[1M]", "other/m"])
def test_a_million_tokens_are_no_part_of_a_name(providers: Providers, asked: str) -> None:
    assert target(Router(providers, DEFAULT), asked) == "other/m"


def test_background_calls_have_a_model_of_their_own(providers: Providers) -> None:
    router = Router(providers, DEFAULT, {"haiku": "other/quick"}, model="")
    for asked in ("claude-haiku-5-5", "claude-haiku-4-5-20251001", "claude-3-5-haiku[1m]"):
        assert target(router, asked) == "other/quick"
    assert target(router, "claude-sonnet-5") == "main/big"


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ("other/m", "the client named it"),
        ("claude-opus-5", "models.opus"),
        ("claude-haiku-5", "models.claude-*haiku* of the profile"),
        ("gpt", "the name asked for"),
    ],
)
def test_a_route_says_what_decided_it(providers: Providers, asked: str, why: str) -> None:
    assert Router(providers, DEFAULT, {"opus": "o"}).route(asked).why == why


def test_an_option_and_a_default_are_reasons_too(providers: Providers) -> None:
    assert Router(providers, DEFAULT, model="m").route("claude-x").why == "--model"
    default = Profile(name="main", default_model="d")
    assert Router(providers, default).route("x").why == "default_model of the profile"
    fallback = Router(providers, DEFAULT, fallback={"opus": ["o"]}).chain("claude-opus-5")[1]
    assert fallback.why == "fallback.opus"


ROUTES = Routes(long_context=LongContext(above=10, model="other/far"), image="other/eyes")


def test_long_requests_go_elsewhere_unless_the_client_named_a_model(providers: Providers) -> None:
    router = Router(providers, DEFAULT, routes=ROUTES)
    route = router.long_context("claude-opus-5")
    assert route is not None
    assert (route.target, route.asked, route.why) == (
        "other/far", "claude-opus-5", "routes.long_context",
    )  # fmt: skip
    assert router.above == 10
    assert router.long_context("other/m") is None
    assert router.longest("claude-opus-5").target == "other/far"
    assert router.longest("other/m").target == "other/m"


def test_images_go_elsewhere_whatever_was_named(providers: Providers) -> None:
    router = Router(providers, DEFAULT, routes=ROUTES)
    for asked in ("claude-opus-5", "other/m"):
        route = router.image(asked)
        assert route is not None
        assert (route.target, route.asked) == ("other/eyes", asked)


def test_without_such_routes_nothing_goes_elsewhere(providers: Providers) -> None:
    router = Router(providers, DEFAULT)
    assert router.long_context("claude-x") is None
    assert router.image("claude-x") is None
    assert router.longest("claude-x").target == "main/big"
    assert [route.target for route in router.possible("claude-x")] == ["main/big"]


def test_all_that_a_request_may_take_is_known(providers: Providers) -> None:
    router = Router(providers, DEFAULT, fallback={"*": ["x"]}, routes=ROUTES)
    targets = [route.target for route in router.possible("claude-x")]
    assert targets == ["main/big", "main/x", "other/far", "other/eyes"]
    assert [route.target for route in router.chain("claude-x", router.image("claude-x"))] == [
        "other/eyes", "main/x",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "models", "fallback", "routes"),
    [
        ("models.opus", {"opus": "opnrouter/m"}, {}, Routes()),
        ("fallback.opus", {}, {"opus": ["x", "opnrouter/m"]}, Routes()),
        (
            "routes.long_context",
            {},
            {},
            Routes(long_context=LongContext(above=1, model="opnrouter/m")),
        ),
        ("routes.image", {}, {}, Routes(image=Target(model="opnrouter/m"))),
    ],
)
def test_a_provider_that_is_misspelt_is_refused_with_what_was_meant(
    where: str, models: Any, fallback: Any, routes: Routes
) -> None:
    with pytest.raises(ConfigError) as caught:
        Router(Providers(), DEFAULT, models, fallback=fallback, routes=routes)
    assert caught.value.message == (
        f"{where}: unknown provider 'opnrouter', did you mean 'openrouter'? If it is part of the model's "
        "name: main/opnrouter/m"
    )


@pytest.mark.parametrize(
    "name", ["mistralai/x", "deepseek-ai/x", "x-ai/grok", "z-ai/glm", "moonshotai/kimi", "qwen/q"]
)
def test_what_begins_the_names_of_models_is_no_misspelt_provider(name: str) -> None:
    router = Router(Providers(), DEFAULT, {"opus": name})
    assert target(router, "claude-opus-5") == f"main/{name}"


@pytest.mark.parametrize("routes", [Routes(image="other/"), Routes(image="broken/m")])
def test_a_route_that_cannot_be_used_is_told_at_the_start(
    providers: Providers, routes: Routes
) -> None:
    with pytest.raises(ConfigError):
        Router(providers, DEFAULT, routes=routes)


def test_an_empty_target_is_told_at_the_start(providers: Providers) -> None:
    with pytest.raises(ConfigError, match=r"models.opus is empty"):
        Router(providers, DEFAULT, {"opus": ""})
