"""What config.toml may say of models and routes, and how it is refused."""

import tomllib

import pytest

from fcc.errors import ConfigError
from fcc.settings.config import Config
from fcc.settings.targets import LongContext, Routes, Target, target_of
from fcc.settings.toml import convert


def config(text: str) -> Config:
    return convert(tomllib.loads(text), Config, "config.toml")


def test_a_target_is_a_name_or_a_table() -> None:
    read = config(
        """
        [models]
        opus = "a/b"
        haiku = { model = "c", effort = "low", max_tokens = 8000 }
        [fallback]
        opus = ["d", { model = "e/f" }]
        [routes]
        long_context = { above = 120000, model = "g/h", effort = "none" }
        image = { model = "i/j", max_tokens = 5 }
        """
    )
    assert read.models == {"opus": "a/b", "haiku": Target(model="c", effort="low", max_tokens=8000)}
    assert read.fallback == {"opus": ["d", Target(model="e/f")]}
    assert read.routes == Routes(
        long_context=LongContext(above=120000, model="g/h", effort="none"),
        image=Target(model="i/j", max_tokens=5),
    )


def test_a_table_of_its_own_says_the_same() -> None:
    own = config('[routes.long_context]\nabove = 5\nmodel = "m"\n[models.opus]\nmodel = "x"')
    assert own.routes.long_context == LongContext(above=5, model="m")
    assert own.models == {"opus": Target(model="x")}


def test_there_are_no_routes_by_default() -> None:
    assert config("").routes == config("[routes]").routes == Routes()


def test_a_bare_name_changes_nothing() -> None:
    assert target_of("a/b") == Target(model="a/b")
    assert target_of(Target(model="a", effort="low")).effort == "low"


TARGET = "'models.opus'"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[routes]\nlong_contxt = 1", ["'routes.long_contxt'", "did you mean 'long_context'?"]),
        ('[routes]\nimages = "x"', ["'routes.images'", "did you mean 'image'?"]),
        ("[routs]", ["'routs'", "did you mean 'routes'?"]),
        ('[routes]\nlong_context = "x"', ["'routes.long_context'", "object", "str"]),
        ("[routes]\nlong_context = { above = 1 }", ["'routes.long_context'", "`model`"]),
        ('[routes]\nlong_context = { model = "m" }', ["'routes.long_context'", "`above`"]),
        (
            '[routes]\nlong_context = { above = 0, model = "m" }',
            ["'routes.long_context'", "above must be at least 1 token, not 0"],
        ),
        (
            '[routes]\nlong_context = { above = "120k", model = "m" }',
            ["'routes.long_context.above'", "int", "str"],
        ),
        ('[routes]\nlong_context = { over = 1, model = "m" }', ["'routes.long_context.over'"]),
        ("[routes]\nimage = 3", ["'routes.image'", "str", "int"]),
        (
            '[models]\nopus = { model = "m", effort = "lo" }',
            [TARGET, "none, low, medium, high, xhigh, max", "'lo'", "did you mean 'low'?"],
        ),
        ('[models]\nopus = { model = "m", effort = 3 }', ["'models.opus.effort'", "str", "int"]),
        ('[models]\nopus = { model = "m", max_tokens = 0 }', [TARGET, "max_tokens", "at least 1"]),
        ('[models]\nopus = { model = "m", max_tokens = -1 }', [TARGET, "at least 1, not -1"]),
        ('[models]\nopus = { model = "m", max_token = 1 }', ["did you mean 'max_tokens'?"]),
        ('[models]\nopus = { model = "" }', [TARGET, "model is empty"]),
        ('[models]\nopus = { effort = "low" }', [TARGET, "`model`"]),
        ('[models]\nsonnet = "s"\nopus = 3', [TARGET, "str", "int"]),
        ('[fallback]\nopus = "m"', ["'fallback.opus'", "array"]),
        ('[fallback]\nopus = ["a", { model = "b", efort = "low" }]', ["'fallback.opus.1.efort'"]),
        ('[fallback]\nopus = ["a", { model = "b", effort = "l" }]', ["'fallback.opus.1'", "'l'"]),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        config(text)
    message = caught.value.message
    assert message.startswith("config.toml: ")
    for word in words:
        assert word in message
