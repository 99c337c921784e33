"""The environment that makes Claude Code work through fcc."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.cli.client import Link, variables, window_of
from fcc.settings.running import Tier


def link(**windows: int | None) -> Link:
    tiers = {name: Tier(f"nim/{name}-model", window) for name, window in windows.items()}
    return Link("http://127.0.0.1:8082", "secret", tiers)


def test_address_token_and_models_are_set() -> None:
    wanted = variables(link(opus=200_000, haiku=32_000), {})
    assert wanted["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8082"
    assert wanted["ANTHROPIC_AUTH_TOKEN"] == "secret"
    assert wanted["ANTHROPIC_DEFAULT_OPUS_MODEL"] == "nim/opus-model"
    assert wanted["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "nim/haiku-model"
    assert wanted["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] == "1"
    assert wanted["CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK"] == "1"
    assert wanted["CLAUDE_CODE_ATTRIBUTION_HEADER"] == "0"
    assert wanted["DISABLE_AUTOUPDATER"] == "1"


def test_the_smallest_window_of_a_main_conversation_counts_and_haiku_does_not() -> None:
    wanted = variables(link(opus=200_000, sonnet=131_072, haiku=8_000), {})
    assert wanted["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "131072"
    assert wanted["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] == "131072"


def test_nothing_is_said_of_a_window_that_nobody_knows() -> None:
    wanted = variables(link(opus=None), {})
    assert not {"CLAUDE_CODE_MAX_CONTEXT_TOKENS", "CLAUDE_CODE_MAX_OUTPUT_TOKENS"} & wanted.keys()


@given(st.integers(32_000, 2_000_000))
def test_a_conversation_is_compacted_before_the_window_is_full_and_after_half_of_nothing(
    window: int,
) -> None:
    wanted = variables(link(sonnet=window), {})
    output = int(wanted["CLAUDE_CODE_MAX_OUTPUT_TOKENS"])
    threshold = window - min(output, 20_000) - 13_000
    assert threshold > 0
    assert threshold + output < window
    assert threshold >= window * 0.45


def test_a_models_own_output_limit_is_kept() -> None:
    tiers = {"opus": Tier("nim/m", 1_000_000, 8_192)}
    wanted = variables(Link("http://x", "t", tiers), {})
    assert wanted["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "8192"


def test_what_the_person_has_set_wins_but_for_address_and_token() -> None:
    mine = {
        "CLAUDE_CODE_MAX_OUTPUT_TOKENS": "9",
        "ENABLE_TOOL_SEARCH": "auto",
        "ANTHROPIC_BASE_URL": "https://elsewhere.example",
        "ANTHROPIC_AUTH_TOKEN": "old",
    }
    wanted = variables(link(opus=100_000), mine)
    assert "CLAUDE_CODE_MAX_OUTPUT_TOKENS" not in wanted
    assert "ENABLE_TOOL_SEARCH" not in wanted
    assert wanted["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:8082"
    assert wanted["ANTHROPIC_AUTH_TOKEN"] == "secret"


@pytest.mark.parametrize(
    ("window", "choice"), [(32_768, "true"), (200_000, "false"), (None, "false")]
)
def test_tools_are_looked_up_only_where_the_window_is_small(
    window: int | None, choice: str
) -> None:
    assert variables(link(opus=window), {})["ENABLE_TOOL_SEARCH"] == choice


@pytest.mark.parametrize(
    ("listed", "wanted"),
    [
        ("", "127.0.0.1,localhost,::1"),
        ("corp.example, localhost", "corp.example,localhost,127.0.0.1,::1"),
    ],
)
def test_a_proxy_is_not_asked_for_this_machine(listed: str, wanted: str) -> None:
    environ = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": listed}
    assert variables(link(), environ)["NO_PROXY"] == wanted
    assert "NO_PROXY" not in variables(link(), {"NO_PROXY": listed})


def test_a_slow_provider_gets_more_patience_and_a_fast_one_the_clients_own() -> None:
    slow = Link("http://x", "t", {}, patience=1200)
    assert variables(slow, {})["API_TIMEOUT_MS"] == "1200000"
    assert "API_TIMEOUT_MS" not in variables(Link("http://x", "t", {}, patience=300), {})


def test_the_window_of_no_tiers_is_unknown() -> None:
    assert window_of({}) is None
