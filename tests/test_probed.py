"""What the doctor found is what the daemon uses, beneath what the person's own file says."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fcc.settings.capabilities import Capabilities, capabilities_dir, write_capabilities
from fcc.settings.files import Providers
from fcc.settings.probed import Probes, own_words
from fcc.settings.profile import Model
from fcc.settings.routing import Router
from fcc.translate.request.body import translate
from fcc.wire.messages import decode_request

URL = "http://127.0.0.1:9/v1"
NOW = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FCC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path / "config"))
    (tmp_path / "config" / "providers").mkdir(parents=True)
    return tmp_path


def own(home: Path, name: str, text: str) -> None:
    (home / "config" / "providers" / f"{name}.toml").write_text(text)


def found(provider: str, model: str, base_url: str = URL, **known: Any) -> None:
    write_capabilities(provider, model, Capabilities(base_url=base_url, **known))


def model_of(provider: str, model: str) -> Model:
    return Providers(probes=Probes.read(NOW)).get(provider).model(model)


def test_each_finding_is_a_fact_of_its_model_and_of_no_other(home: Path) -> None:
    own(home, "acme", f'base_url = "{URL}"\n[reply]\ndialects = []\nreasoning = ["reasoning"]\n')
    found(
        "acme", "a/B*[1]", context_window=4096, max_output_tokens=512, images=False, usage=False,
        parallel_tools=False, tools=False, tools_as_text=True, thinking_refused=True,
        thinking_history=False, thinking_field="thought",
    )  # fmt: skip
    model = model_of("acme", "a/B*[1]")
    assert (model.context_window, model.max_output_tokens) == (4096, 512)
    assert not model.ask.images
    assert not model.ask.stream_usage
    assert model.ask.one_call
    assert (model.ask.reasoning, model.ask.reasoning_history) == ("none", "none")
    other = model_of("acme", "a/Bxx[1]")
    assert other.context_window is None
    assert other.ask.images


def test_what_the_persons_file_says_of_all_models_or_of_one_counts_more(home: Path) -> None:
    own(home, "acme", f'base_url = "{URL}"\n[ask]\nimages = true\n[reply]\ndialects = []\n'
        '[facts."m"]\ncontext_window = 8192\nask.stream_usage = true\n')  # fmt: skip
    found("acme", "m", context_window=4096, max_output_tokens=99, images=False, usage=False,
          tools_as_text=True)  # fmt: skip
    model = model_of("acme", "m")
    assert (model.context_window, model.max_output_tokens) == (8192, 99)
    assert model.ask.images
    assert model.ask.stream_usage
    assert model.reply.dialects == ()


def test_a_probe_counts_more_than_a_shipped_file(home: Path) -> None:
    shipped = Providers().get("deepseek")
    assert shipped.model("deepseek-v4-pro").context_window != 4096
    found("deepseek", "deepseek-v4-pro", shipped.base_url, context_window=4096)
    assert model_of("deepseek", "deepseek-v4-pro").context_window == 4096


def test_a_copy_of_a_shipped_file_says_nothing_of_its_own(home: Path) -> None:
    path = Providers().path("llamacpp")
    text = path.read_text().replace("http://localhost:8080/v1", URL)
    assert 'reasoning_history = "reasoning_content"' in text
    own(home, "llamacpp", text)
    found("llamacpp", "m", thinking_history=False)
    assert model_of("llamacpp", "m").ask.reasoning_history == "none"
    own(home, "llamacpp", text.replace('"reasoning_content"\n', '"reasoning"\n'))
    assert model_of("llamacpp", "m").ask.reasoning_history == "reasoning"


def test_what_was_found_at_another_address_is_not_believed(home: Path) -> None:
    own(home, "acme", f'base_url = "{URL}"')
    found("acme", "m", "http://elsewhere.example/v1", context_window=1)
    assert model_of("acme", "m").context_window is None
    providers = Providers(probes=Probes.read(NOW))
    assert providers.get("acme", "http://elsewhere.example/v1").model("m").context_window == 1
    assert providers.get("acme").model("m").context_window is None


def test_every_way_to_a_provider_meets_its_facts(home: Path) -> None:
    own(home, "acme", f'base_url = "{URL}"\ndefault_model = "m"')
    own(home, "other", f'base_url = "{URL}"')
    found("acme", "m", context_window=5)
    found("other", "m", context_window=7)
    providers = Providers(probes=Probes.read(NOW))
    router = Router(providers, providers.get("acme"))
    assert router.route("claude-opus-5").model.context_window == 5
    assert router.route("other/m").model.context_window == 7


def test_what_is_in_force_is_told_with_its_file(home: Path) -> None:
    own(home, "acme", f'base_url = "{URL}"\n[facts.m]\ncontext_window = 8192')
    found("acme", "m", context_window=4096, images=False)
    probes = Probes.read(NOW)
    ((one, facts),) = probes.applied(Providers(probes=probes).get("acme"))
    assert facts == {"ask.images": False}
    assert one.file.endswith("/capabilities/acme/m.json")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no capability file"), (b"[]", "no capability file"), (b'{"images": 3}', "images"),
        (b"\xff", "no capability file"), (b'{"format": 99}', "another version"),
        (b'{"probed": "2026-01-01T00:00:00+00:00"}', "328 days old"),
    ],
)  # fmt: skip
def test_a_file_that_is_broken_or_old_is_ignored_and_named(data: bytes, words: str) -> None:
    found("acme", "good", context_window=4096)
    path = capabilities_dir() / "acme" / "x%2Fy.json"
    path.write_bytes(data)
    probes = Probes.read(NOW)
    assert [one.model for one in probes.found] == ["good"]
    (problem,) = probes.problems
    assert problem.seen.startswith(f"{path}: ")
    assert words in problem.seen
    assert problem.message.endswith("; it is ignored; run: fcc doctor acme --deep --model x/y")


def test_a_file_of_yesterday_and_one_without_a_date_are_used() -> None:
    found("acme", "m", probed=(NOW - timedelta(days=1)).isoformat())
    found("acme", "n")
    found("acme", "o", probed="yesterday")
    assert len(Probes.read(NOW).found) == 3
    assert not Probes.read(NOW).problems


def test_where_nothing_was_probed_there_is_nothing_and_no_problem() -> None:
    probes = Probes.read()
    assert (probes.found, probes.problems) == ([], [])


@pytest.mark.parametrize(
    ("mine", "shipped", "said"),
    [
        ({"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 2}}, {}),
        ({"a": 2, "b": {"c": 2, "d": False}}, {"a": 1, "b": {"c": 2}}, {"a": 2, "b": {"d": False}}),
        ({"b": {"c": 1}}, {"b": 1}, {"b": {"c": 1}}),
        ({"b": 1}, {"b": {"c": 1}}, {"b": 1}),
        ({}, {"a": 1}, {}),
    ],
)
def test_ones_own_words_are_those_that_differ(mine: Any, shipped: Any, said: Any) -> None:
    assert own_words(mine, shipped) == said


@pytest.mark.parametrize("choice", [None, {"type": "auto"}, {"type": "any"}])
def test_a_model_that_makes_one_call_at_a_time_is_asked_for_one(home: Path, choice: Any) -> None:
    own(home, "acme", f'base_url = "{URL}"')
    found("acme", "m", parallel_tools=False)
    request = {
        "model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "x"}],
        "tools": [{"name": "t", "input_schema": {"type": "object"}}],
    } | ({"tool_choice": choice} if choice else {})  # fmt: skip
    decoded = decode_request(msgspec.json.encode(request))
    body = msgspec.json.decode(translate(decoded, model_of("acme", "m")).data)
    assert body["parallel_tool_calls"] is False
    del request["tools"]
    without = decode_request(msgspec.json.encode(request))
    assert b"parallel_tool_calls" not in translate(without, model_of("acme", "m")).data
    assert b"parallel_tool_calls" not in translate(decoded, model_of("acme", "other")).data
