"""What ships in config/: it loads, says only what the code knows, and names its sources."""

import json
import re
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fcc.diagnosis.verdict import Source
from fcc.errors import NotFoundError
from fcc.settings.config import Config
from fcc.settings.files import Providers, load_config, shipped_dir
from fcc.settings.keys import read_env_file
from fcc.settings.profile import Ask, Profile, Reply
from fcc.settings.routing import TIERS, Router
from fcc.translate.dialects.table import DIALECTS
from fcc.translate.pieces import Text
from fcc.translate.reply.reader import Reader
from fcc.translate.request import ids, names
from fcc.translate.request.body import translate
from fcc.translate.request.history import HISTORY
from fcc.translate.request.reasoning import KNOBS
from fcc.translate.request.schema import rules
from fcc.translate.request.turns import PREFILL
from fcc.wire.messages import decode_request

ROOT = Path(__file__).parent.parent
CONFIG = ROOT / "config"
PROVIDERS = Providers(CONFIG / "providers")
PROFILES = {name: PROVIDERS.get(name) for name in PROVIDERS.names}
LOCAL = {"lmstudio", "ollama", "llamacpp", "vllm", "sglang"}
FREE = {"nim", "openrouter"}
UNHOSTED = LOCAL | {"custom", "demo"}

PARAMS = {"temperature", "top_p", "top_k", "stop"}
TOOL_CHOICE = {"auto", "none", "required", "any", "function"}
EFFORTS = {"none", "low", "medium", "high", "xhigh", "max"}
REASONING_FIELDS = {"reasoning_content", "reasoning", "reasoning_details"}

each_profile = pytest.mark.parametrize("name", PROFILES)
each_hosted = pytest.mark.parametrize("name", sorted(PROFILES.keys() - UNHOSTED))


def asks(profile: Profile) -> Iterator[Ask]:
    """How the provider is asked in general, and for the models of each pattern."""
    yield profile.ask
    for facts in profile.facts.values():
        yield msgspec.convert({**msgspec.structs.asdict(profile.ask), **facts.ask}, Ask)


def replies(profile: Profile) -> Iterator[Reply]:
    yield profile.reply
    for facts in profile.facts.values():
        yield msgspec.convert({**msgspec.structs.asdict(profile.reply), **facts.reply}, Reply)


def some_models(profile: Profile) -> set[str]:
    """Every model that the profile names, and one for every pattern of its facts."""
    samples = {re.sub(r"\[(.).*?\]", r"\1", key).replace("*", "") for key in profile.facts}
    return {*profile.models.values(), profile.default_model, *samples} - {""}


# Names


def test_the_providers_that_ship() -> None:
    assert set(PROFILES) == UNHOSTED | FREE | {
        *("deepseek", "openai", "groq", "gemini", "mistral", "moonshot", "zai", "minimax"),
        *("cerebras", "together", "fireworks", "xai", "huggingface"),
    }


@each_profile
def test_every_named_function_is_in_its_table(name: str) -> None:
    for ask in asks(PROFILES[name]):
        assert ask.reasoning in KNOBS
        assert ask.reasoning_history in HISTORY
        assert ask.prefill in PREFILL
        assert ask.tool_ids in ids.RULES
        assert ask.tool_names in names.RULES
        assert set(ask.schema) <= set(rules.RULES)
    for reply in replies(PROFILES[name]):
        assert set(reply.dialects) <= {"default", *DIALECTS}
        assert set(reply.reasoning) <= REASONING_FIELDS


@each_profile
def test_every_word_of_the_wire_is_one(name: str) -> None:
    for ask in asks(PROFILES[name]):
        assert set(ask.params) <= PARAMS
        assert set(ask.tool_choice) <= TOOL_CHOICE
        assert set(ask.effort) <= EFFORTS
        assert ask.stop_limit > 0


@each_profile
def test_a_pattern_of_facts_fits_what_it_is_made_for(name: str) -> None:
    profile = PROFILES[name]
    for pattern, facts in profile.facts.items():
        sample = re.sub(r"\[(.).*?\]", r"\1", pattern).replace("*", "")
        model = profile.model(sample)
        if facts.context_window:
            assert model.context_window, pattern
        assert facts.ask or facts.reply or facts.context_window or facts.max_output_tokens


@each_profile
def test_every_model_can_be_asked_with_all_that_a_client_sends(name: str) -> None:
    request = {
        "model": "claude-sonnet",
        "max_tokens": 32_000,
        "thinking": {"type": "adaptive"},
        "output_config": {"effort": "max"},
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "stop_sequences": ["A", "B", "C", "D", "E"],
        "tools": [{"name": "mcp__x__" + "y" * 90, "input_schema": {"properties": {"type": True}}}],
        "messages": [
            {"role": "user", "content": "hi"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "tool_use", "id": "toolu_1", "name": "Read", "input": {}},
                ],
            },
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]},
        ],
    }
    for model in some_models(PROFILES[name]) or {"any"}:
        for thinking in ({"type": "adaptive"}, {"type": "disabled"}):
            asked = decode_request(json.dumps({**request, "thinking": thinking}).encode())
            known = PROFILES[name].model(model)
            body = json.loads(translate(asked, known).data)
            assert body["model"] == model
            assert len(body.get("stop", ())) <= known.ask.stop_limit
            assert body[known.ask.max_tokens] <= 32_000


@each_profile
def test_every_reply_can_be_read(name: str) -> None:
    for reply in replies(PROFILES[name]):
        reader = Reader(Source("p", "m", "KEY", "http://p.test/v1"), reply)
        pieces = reader.feed(b'data: {"choices":[{"delta":{"content":"hi"}}]}\n\n')
        pieces += reader.feed(b"data: [DONE]\n\n")
        assert any(isinstance(piece, Text) for piece in pieces)


# What each profile says


@each_profile
def test_a_profile_has_a_title_and_a_place(name: str) -> None:
    profile = PROFILES[name]
    assert profile.title
    if name == "custom" or profile.embedded:
        assert not profile.base_url
    else:
        assert re.fullmatch(r"https?://[a-z0-9.:-]+(/[a-z0-9/.]*[a-z0-9])?", profile.base_url)
        assert not profile.base_url.endswith("/chat/completions")


def test_keys_are_named_once_and_in_upper_case() -> None:
    named = [profile.api_key_env for profile in PROFILES.values() if not profile.embedded]
    assert all(re.fullmatch(r"[A-Z][A-Z0-9_]*", variable) for variable in named)
    assert len(set(named)) == len(named)


@each_hosted
def test_a_hosted_provider_wants_a_key_and_says_where_to_get_one(name: str) -> None:
    profile = PROFILES[name]
    assert not profile.api_key_optional
    assert profile.base_url.startswith("https://")
    assert profile.key_url.startswith("https://")


@each_hosted
def test_a_hosted_provider_has_a_model_for_each_of_claudes(name: str) -> None:
    profile = PROFILES[name]
    assert list(profile.models) == ["*opus*", "*sonnet*", "*haiku*"]
    router = Router(PROVIDERS, profile)
    assert [tier for tier, _ in router.mapping()] == list(TIERS)
    for tier, target in router.mapping():
        assert target.removeprefix(f"{name}/") == profile.models.get(
            f"*{tier}*", profile.default_model
        )


@pytest.mark.parametrize("name", sorted(LOCAL))
def test_a_local_server_is_asked_what_it_has(name: str) -> None:
    profile = PROFILES[name]
    assert profile.local
    assert profile.api_key_optional
    assert not profile.models
    assert not profile.default_model
    assert profile.base_url.startswith("http://localhost:")
    assert profile.timeouts.read > 600
    with pytest.raises(NotFoundError):
        Router(PROVIDERS, profile).route("claude-sonnet")


def test_only_local_servers_are_looked_for() -> None:
    assert {name for name, profile in PROFILES.items() if profile.local} == LOCAL


def test_free_tiers_are_limited_and_keep_subagents_in_line() -> None:
    assert {n for n, p in PROFILES.items() if p.foreground_subagents} == FREE
    assert {n for n, p in PROFILES.items() if p.limits.requests} == FREE
    for name, requests in (("nim", 40), ("openrouter", 20)):
        limits = PROFILES[name].limits
        assert (limits.requests, limits.seconds) == (requests, 60)
        assert 1 < limits.burst <= requests // 2
        assert 1 < limits.concurrency <= requests // 2


def test_a_free_openrouter_profile_names_free_models() -> None:
    profile = PROFILES["openrouter"]
    for model in (profile.default_model, *profile.models.values()):
        assert model.endswith(":free")


# (provider, model, field of the model, what is known of it)
KNOWN: list[tuple[str, str, str, Any]] = [
    ("nim", "deepseek-ai/deepseek-r1-0528", "reply.implicit_think_open", True),
    ("nim", "z-ai/glm-5.3-flash", "reply.implicit_think_open", False),
    ("nim", "moonshotai/kimi-k3", "ask.params", ["temperature", "stop"]),
    ("nim", "openai/gpt-oss-20b", "ask.reasoning", "reasoning_effort"),
    ("openrouter", "deepseek/deepseek-v4-flash:free", "ask.reasoning_history", "reasoning_content"),
    ("openrouter", "moonshotai/kimi-k2.6", "ask.reasoning_history", "reasoning"),
    ("openrouter", "qwen/qwen3-coder:free", "ask.cache_control", True),
    ("openrouter", "qwen/qwen3-coder:free", "reply.tool_arguments", "live"),
    ("openrouter", "baidu/cobuddy:free", "reply.tool_arguments", "buffer"),
    ("openrouter", "google/gemini-3.8-flash", "ask.tool_names", "gemini"),
    ("openrouter", "google/gemma-4-31b-it:free", "ask.tool_names", "openai"),
    ("deepseek", "deepseek-v4-pro", "ask.images", False),
    ("groq", "qwen/qwen3.8-27b", "ask.effort", {}),
    ("groq", "qwen/qwen3.6-27b", "ask.effort.high", "default"),
    ("openai", "gpt-5.6-terra", "ask.extra", {"reasoning_effort": "none"}),
    ("openai", "gpt-5.6-terra", "context_window", 272_000),
    ("openai", "gpt-5.4-mini", "ask.effort", {}),
    ("openai", "gpt-5-mini", "ask.effort.none", "minimal"),
    ("openai", "gpt-4.1", "ask.params", ["temperature", "top_p", "stop"]),
    ("openai", "o4-mini", "ask.params", []),
    ("mistral", "devstral-latest", "ask.tool_ids", "mistral9"),
    ("zai", "glm-5.3-flash", "ask.images", True),
    ("zai", "glm-5.3", "ask.images", False),
    ("cerebras", "gpt-oss-120b", "max_output_tokens", 16_384),
    ("fireworks", "accounts/fireworks/models/glm-5p3-flash", "ask.images", True),
    ("fireworks", "accounts/fireworks/models/glm-5p3", "ask.images", False),
    ("vllm", "deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", "reply.implicit_think_open", True),
]


@pytest.mark.parametrize(("provider", "model", "field", "value"), KNOWN)
def test_what_is_known_of_a_model(provider: str, model: str, field: str, value: Any) -> None:
    known: Any = msgspec.json.decode(msgspec.json.encode(PROFILES[provider].model(model)))
    for part in field.split("."):
        known = known[part]
    assert known == value


# Sources

FACTS = re.compile(r"limits|timeouts|retry|ask|reply|headers|facts\..*")
MARK = re.compile(r"\b(docs|source|fcc|unverified): ", re.IGNORECASE)
CITED = re.compile(
    r"docs: [a-z0-9-]+(\.[a-z0-9-]+)+(/\S*)?"
    r"|source: (PyPI|npm) @?[\w./-]+ \d+(\.\d+)+"
    r"|source: [\w.-]+(/[\w.-]+)?[#@]\w+",
    re.IGNORECASE,
)


def keys_and_comments(text: str) -> Iterator[tuple[int, str, str]]:
    """Line number, key and nearest comment of every fact; a block of comments counts as one."""
    section, block, age = "", "", 0
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.fullmatch(r"\[(.+)\]\s*(#.*)?", line):
            section, block, age = header[1], "", 0
        elif line.startswith("#"):
            block, age = (f"{block}\n{line}" if age == 0 else line), 0
        elif line:
            age += 1
            own = line.partition(" # ")[2]
            if FACTS.fullmatch(section):
                yield number, line.split("=")[0].strip(), own or (block if age <= 3 else "")


@each_profile
def test_every_fact_has_its_source_on_the_line_or_shortly_above(name: str) -> None:
    text = (CONFIG / "providers" / f"{name}.toml").read_text("utf-8")
    bare = [(n, key) for n, key, comment in keys_and_comments(text) if not MARK.search(comment)]
    assert bare == []


@each_profile
def test_a_source_is_one_that_can_be_looked_up(name: str) -> None:
    text = (CONFIG / "providers" / f"{name}.toml").read_text("utf-8")
    cited = text.partition("our own choice.\n")[2].replace("\n# ", " ")
    for match in re.finditer(r"\b(docs|source): ", cited, re.IGNORECASE):
        assert CITED.match(cited, match.start()), cited[match.start() : match.start() + 80]


@each_hosted
def test_models_places_and_keys_have_a_source_too(name: str) -> None:
    lines = (CONFIG / "providers" / f"{name}.toml").read_text("utf-8").splitlines()
    for line in lines:
        if line.startswith(("base_url", "api_key_env")):
            assert MARK.search(line), line
    place = next(i for i, line in enumerate(lines) if line.startswith("default_model"))
    assert any(MARK.search(line) for line in lines[place - 3 : place])


def test_the_check_of_sources_finds_a_bare_key() -> None:
    text = "[ask]\n# fcc: why\nimages = true\nprefill = 'keep'\n\n[reply]\nrepair = true  # odd\n"
    found = {key: comment for _, key, comment in keys_and_comments(text)}
    assert {key: bool(MARK.search(comment)) for key, comment in found.items()} == {
        "images": True,
        "prefill": True,
        "repair": False,
    }


# The other files


def uncommented(name: str) -> str:
    """The example with every option in force: `#key` is an option, `# words` are words."""
    return re.sub(r"^#(?=[\[A-Za-z])", "", (CONFIG / name).read_text("utf-8"), flags=re.MULTILINE)


def options(struct: Any) -> dict[str, Any]:
    """All but what is None by default: TOML has no word for that, so it is shown as an example."""
    return {
        field.encode_name: options(field.type)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
        else None
        for field in msgspec.structs.fields(struct)
        if field.default is not None
    }


def test_the_example_is_the_defaults_and_names_every_option(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(uncommented("config.toml.example"))
    assert load_config(path) == Config()

    def shape(table: dict[str, Any]) -> dict[str, Any]:
        return {k: shape(v) if isinstance(v, dict) and v else None for k, v in table.items()}

    assert shape(tomllib.loads(path.read_text())) == options(Config)


def test_the_example_as_it_is_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    shutil.copy(CONFIG / "config.toml.example", path)
    assert tomllib.loads(path.read_text()) == {}


def env_file(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "fcc.env"
    path.write_text(text)
    path.chmod(0o600)
    return read_env_file(path)


def test_the_env_example_names_every_key_and_sets_none(tmp_path: Path) -> None:
    assert env_file(tmp_path, (CONFIG / "fcc.env.example").read_text("utf-8")) == {}
    named = env_file(tmp_path, uncommented("fcc.env.example"))
    keys = {profile.api_key_env for profile in PROFILES.values()} - {""}
    assert set(named) == keys | {"FCC_AUTH_TOKEN", "FCC_PROVIDER"}
    assert set(named.values()) == {""}


def test_a_wheel_carries_all_of_config() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    wheel = project["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"] == {"config": "fcc/_config"}
    assert shipped_dir() == CONFIG
    shipped = {str(path.relative_to(CONFIG)) for path in CONFIG.rglob("*") if path.is_file()}
    profiles = {f"providers/{name}.toml" for name in PROFILES}
    assert shipped == profiles | {
        "config.toml.example",
        "fcc.env.example",
        "fcc.service",
        "fcc.socket",
        "REFERENCE.md",
        "alerts.yml",
        "grafana.json",
        "prices.toml",
    }
