"""The deep doctor against a model with every illness it knows."""

import json
from pathlib import Path
from typing import Any

import pytest

from fcc.doctor.deep import deep
from fcc.doctor.finding import Finding, Verdict
from fcc.settings.capabilities import Capabilities, read_capabilities
from fcc.settings.profile import Ask, Facts, Profile
from tests.patient import KEY, MODEL, Ills, Server


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("FCC_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("FCC_CONFIG_DIR", str(tmp_path / "config"))
    for name in (
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def profile_at(url: str, **fields: Any) -> Profile:
    return Profile(
        **{"name": "acme", "title": "Acme", "base_url": url, "api_key_env": "ACME_KEY"} | fields
    )


def probed(
    ills: Ills, *, key: str = KEY, **fields: Any
) -> tuple[dict[str, Finding], Capabilities | None]:
    """The worst finding of each check, and what was written down."""
    with Server(ills) as server:
        worst: dict[str, Finding] = {}
        order = [Verdict.OK, Verdict.WARN, Verdict.FAIL]
        profile = profile_at(server.url, **fields)
        for step in deep(profile, MODEL, key):
            if isinstance(step, Finding):
                known = worst.get(step.check, step)
                worse = order.index(step.verdict) >= order.index(known.verdict)
                worst[step.check] = step if worse else known
        return worst, read_capabilities("acme", MODEL, server.url)


def test_a_healthy_model_has_nothing_but_good_findings_and_all_of_it_is_written_down() -> None:
    found, known = probed(
        Ills(reasoning="reasoning_content"), ask=Ask(reasoning_history="reasoning_content")
    )
    assert {finding.verdict for finding in found.values()} == {Verdict.OK}, found
    assert not any(finding.fix for finding in found.values())
    assert known is not None
    assert known.streams and known.usage and known.tools and known.parallel_tools
    assert known.tool_results and known.images and known.cached_tokens and known.cancels
    assert (known.thinking, known.thinking_field, known.thinking_history) == (
        True,
        "reasoning_content",
        True,
    )
    assert known.context_window == 60_000
    assert known.longest_prompt and known.longest_prompt > 10_000
    assert known.truncates is False
    assert known.rate_limit_headers == ("x-ratelimit-limit-requests",)
    assert known.probed.startswith("20")


@pytest.mark.parametrize(
    ("ills", "check", "verdict", "seen", "fix", "learned"),
    [
        (Ills(tools="prose"), "tools", "fail", "ignores tools", "fcc models --tools", {"tools": False}),
        (Ills(tools="text"), "tools", "warn", "into its text (hermes); fcc makes calls of them", "--tool-call-parser",
         {"tools": False, "tools_as_text": True}),
        (Ills(tools="refused"), "tools", "fail", "tool choice requires", "--enable-auto-tool-choice",
         {"tools": False}),
        (Ills(tools="ignored"), "tools", "fail", "ignores tools", "fcc models --tools", {"tools": False}),
        (Ills(tools="forced"), "tools", "warn", "only where it is forced", "larger model", {"tools": True}),
        (Ills(tools="broken"), "tools", "warn", "no JSON", "mends", {"tools": True}),
        (Ills(parallel=False), "parallel", "ok", "one call at a time", "", {"parallel_tools": False}),
        (Ills(reads_results=False), "results", "warn", "does not use", "larger model", {}),
        (Ills(usage=False), "usage", "warn", "no usage", "estimates", {"usage": False}),
        (Ills(at_once=True), "answer", "warn", "all at once", "buffering", {"streams": False}),
        (Ills(finishes=False), "answer", "warn", "no finish_reason", "usage", {"streams": True}),
        (Ills(reasoning="tags"), "thinking", "ok", "as tags", "", {"thinking_field": "content"}),
        (Ills(reasoning="reasoning"), "thinking", "ok", "in reasoning", "", {"thinking_field": "reasoning"}),
        (Ills(images="refused"), "images", "warn", "refuses images", "ask.images = false", {"images": False}),
        (Ills(images="ignored"), "images", "warn", "does not see", "ask.images = false", {"images": False}),
        (Ills(window=4096, truncates=True), "long", "fail", "cuts the rest off", "larger window",
         {"truncates": True, "context_window": 4096}),
        (Ills(window=8192), "long", "fail", "too long", "32,000", {"context_window": 8192}),
        (Ills(cache=False), "cache", "ok", "no sign", "", {"cached_tokens": False}),
        (Ills(output_cap=8192), "window", "ok", "8,192 tokens of output", "", {"max_output_tokens": 8192}),
        (Ills(rate_headers=False), "limits", "ok", "none", "", {"rate_limit_headers": ()}),
    ],
    ids=str,
)  # fmt: skip
def test_each_illness_is_found_with_what_mends_it(
    ills: Ills, check: str, verdict: str, seen: str, fix: str, learned: dict[str, Any]
) -> None:
    found, known = probed(ills)
    finding = found[check]
    assert finding.verdict.value == verdict, finding
    assert seen in finding.seen
    assert fix in finding.fix
    assert bool(finding.fix) == (verdict != "ok")
    assert known is not None
    assert {name: value for name, value in vars_of(known).items() if name in learned} == learned
    others = {one.check for one in found.values() if one.verdict is Verdict.FAIL} - {check}
    assert not others, found


@pytest.mark.parametrize(
    ("ills", "key", "seen", "fix"),
    [
        (Ills(), "sk-wrong-key-0123456789", "401", "put a valid key into ACME_KEY"),
        (
            Ills(post=(402, {"message": "Insufficient credits"})),
            KEY,
            "Insufficient credits",
            "--free",
        ),
        (Ills(offers=["acme/new"]), KEY, "does not exist", "fcc models --provider acme"),
        (Ills(says=False), KEY, "without a word", "again"),
        (Ills(page=502), KEY, "502", "choose another model"),
    ],
    ids=["key", "credit", "model", "silent", "page"],
)
def test_a_model_that_does_not_answer_is_asked_nothing_else(
    ills: Ills, key: str, seen: str, fix: str
) -> None:
    found, known = probed(ills, key=key)
    assert set(found) == {"answer"}
    assert found["answer"].verdict is Verdict.FAIL
    assert seen in found["answer"].seen
    assert fix in found["answer"].fix
    assert "0123456789" not in str(found)
    assert known is None


def test_a_window_that_is_smaller_than_thought_is_told() -> None:
    facts = {"acme/*": Facts(context_window=200_000)}
    found, known = probed(Ills(window=40_000), facts=facts)
    assert found["window"].verdict is Verdict.WARN
    assert 'facts."acme/coder-2".context_window = 40000' in found["window"].fix
    assert known is not None and known.context_window == 40_000


def test_reasoning_that_is_not_taken_back_is_told() -> None:
    ask = Ask(reasoning_history="reasoning_content")
    found, known = probed(Ills(reasoning="reasoning_content", takes_reasoning=False), ask=ask)
    assert found["thinking"].verdict is Verdict.WARN
    assert 'reasoning_history = "none"' in found["thinking"].fix
    assert known is not None and known.thinking_history is False


def test_images_that_the_profile_does_not_send_are_not_asked_about() -> None:
    with Server(Ills(images="refused")) as server:
        profile = profile_at(server.url, ask=Ask(images=False))
        steps = list(deep(profile, MODEL, KEY))
        assert "image_url" not in json.dumps(server.asked)
    images = next(step for step in steps if isinstance(step, Finding) and step.check == "images")
    assert images.verdict is Verdict.OK


def test_what_was_learned_of_another_server_is_not_believed() -> None:
    _, known = probed(Ills())
    assert known is not None
    assert read_capabilities("acme", MODEL, "http://elsewhere.example/v1") is None


def vars_of(known: Capabilities) -> dict[str, Any]:
    return {name: getattr(known, name) for name in known.__struct_fields__}


def test_a_slow_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcc.doctor.probes._SLOW", 0.05)
    found, known = probed(Ills(first_delay=0.1))
    assert found["answer"].verdict is Verdict.WARN
    assert "slow" in found["answer"].seen
    assert "smaller" in found["answer"].fix
    assert known is not None and known.streams


def test_a_server_that_goes_on_when_nobody_reads_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcc.doctor.limits._NEXT", 0.2)
    found, known = probed(Ills(goes_on=1.0))
    assert found["cancel"].verdict is Verdict.WARN
    assert "went on in vain" in found["cancel"].seen
    assert known is not None and known.cancels is False


def test_a_model_that_forgets_what_it_has_read_is_no_server_that_cuts() -> None:
    found, known = probed(Ills(forgets=True))
    assert found["long"].verdict is Verdict.WARN
    assert "began with" in found["long"].seen
    assert known is not None
    assert known.truncates is None
    assert known.context_window == 60_000


def test_a_server_that_refuses_to_think_is_not_asked_to() -> None:
    ask = Ask(reasoning="reasoning_effort")
    found, known = probed(Ills(refuses="reasoning_effort"), ask=ask)
    assert found["thinking"].verdict is Verdict.WARN
    assert 'ask.reasoning = "none"' in found["thinking"].fix
    assert known is not None and known.thinking_refused


def test_a_limit_that_comes_up_while_tools_are_forced_is_told() -> None:
    found, known = probed(Ills(tools="ignored", refuses="tool_choice"))
    assert found["tools"].verdict is Verdict.FAIL
    assert "tool_choice" in found["tools"].seen
    assert known is not None and known.tools is False


@pytest.mark.parametrize("requests", [0, 1, 4])
def test_a_server_that_goes_away_meanwhile_fails_and_nothing_is_believed(requests: int) -> None:
    found, known = probed(Ills(dies_after=requests))
    assert found["answer"].verdict is Verdict.FAIL
    assert "does not answer" in found["answer"].seen
    assert "window" not in found
    assert known is None


def test_a_limit_that_comes_up_says_nothing_of_the_window() -> None:
    found, known = probed(Ills(busy_for="50000000"))
    assert found["window"].verdict is Verdict.WARN
    assert "429" in found["window"].seen
    assert known is not None and known.overflow_known is None


def test_a_model_that_calls_no_tool_says_nothing_of_parallel_calls() -> None:
    found, known = probed(Ills(tools="forced"))
    assert found["parallel"].verdict is Verdict.OK
    assert "nothing was seen" in found["parallel"].seen
    assert known is not None and known.parallel_tools is None
