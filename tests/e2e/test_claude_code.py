"""Does the real Claude Code work through the daemon, also when the provider does not?"""

import signal
from pathlib import Path

import pytest

from tests.e2e.claude import Room
from tests.e2e.daemon import TOKEN
from tests.e2e.images import png
from tests.e2e.script import REASONING, TRICKY, cue
from tests.e2e.upstream import MODEL, OTHER_MODEL, Asked, Upstream

# The first test may have to install Claude Code.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

ONE_RETRY = {"CLAUDE_CODE_MAX_RETRIES": "1"}


def answer(room: Room) -> str:
    return f"Said for {room.run}. {TRICKY} The end."


def test_a_text_arrives_unharmed(room: Room, upstream: Upstream) -> None:
    outcome = room.claude(f"Say it. {cue('text', run=room.run)}")
    assert not outcome.failed
    assert outcome.text == answer(room)
    usage = outcome.result["usage"]
    assert usage["input_tokens"] + usage["cache_read_input_tokens"] > 1000
    assert usage["output_tokens"] > 0
    assert len(upstream.asked(room.run)) == 1


def test_what_only_the_client_understands_does_not_reach_the_model(
    room: Room, upstream: Upstream
) -> None:
    room.claude(f"Say it. {cue('text', run=room.run)}")
    body = str(upstream.asked(room.run)[0].body)
    assert "x-anthropic-billing-header" not in body
    assert "DeferredToolPlaceholder" not in body
    assert TOKEN not in body + str(upstream.asked(room.run)[0].headers)
    assert str(room.place) in body


@pytest.mark.parametrize("form", ["reasoning_content", "reasoning", "think"])
def test_reasoning_becomes_thinking(room: Room, form: str) -> None:
    outcome = room.claude(f"Say it. {cue('text', run=room.run, reasoning=form, cuts='odd')}")
    assert outcome.text == answer(room)
    assert [block["thinking"].strip() for block in outcome.blocks("thinking")] == [REASONING]


@pytest.mark.parametrize(
    "options",
    [{}, {"cuts": "odd", "reasoning": "reasoning_content"}, {"damage": "brackets"}],
    ids=["plain", "cut_anywhere", "brackets_lost"],
)
def test_a_file_is_read_changed_and_run(room: Room, options: dict[str, str]) -> None:
    outcome = room.claude(f"Do it. {cue('work', run=room.run, at=room.place, **options)}")
    changed = f"changed-{room.secret} {TRICKY}"
    assert outcome.text == f"It prints changed-{room.secret}."
    assert room.read("greet.sh") == f"echo one\ncat <<'EOF'\n{changed}\nEOF\n"
    assert room.read("printed.txt") == f"one\n{changed}\n"
    assert [block["name"] for block in outcome.blocks("tool_use")] == ["Read", "Edit", "Bash"]


@pytest.mark.parametrize("calls", ["", "interleaved"], ids=["in_turn", "interleaved"])
def test_parallel_tools_all_run(room: Room, upstream: Upstream, calls: str) -> None:
    for name, word in (("one.txt", "alpha"), ("two.txt", "beta"), ("three.txt", "gamma")):
        room.write(name, f"{word}\n")
    form = {"calls": calls} if calls else {}
    outcome = room.claude(f"Look. {cue('parallel', run=room.run, at=room.place, **form)}")
    assert outcome.text == "Saw: alpha beta gamma"
    assert len(outcome.blocks("tool_use")) == len(outcome.blocks("tool_result")) == 3
    assert [asked.step for asked in upstream.asked(room.run)] == [0, 1]


def test_a_subagent_brings_back_what_it_found(room: Room, upstream: Upstream) -> None:
    outcome = room.claude(f"Delegate. {cue('delegate', run=room.run, at=room.place)}")
    assert outcome.text == f"The errand brought {room.secret}."
    assert {asked.cue.name for asked in upstream.asked(room.run)} == {"delegate", "errand"}


def test_an_image_in_a_tool_result_reaches_the_model(room: Room) -> None:
    room.write("picture.png", png())
    outcome = room.claude(f"Look. {cue('look', run=room.run, at=room.place)}")
    assert outcome.text == "Pictures seen: 1."


def test_each_tier_is_answered_by_the_model_it_is_mapped_to(
    binary: Path, tiers_url: str, tmp_path: Path, upstream: Upstream
) -> None:
    for tier, model in (("opus", MODEL), ("haiku", OTHER_MODEL)):
        room = Room(binary, tiers_url, TOKEN, tmp_path / tier)
        outcome = room.claude(f"Say it. {cue('text', run=room.run)}", "--model", tier)
        assert outcome.text == answer(room)
        assert [asked.body["model"] for asked in upstream.asked(room.run)] == [model]


def test_one_429_is_waited_out(room: Room) -> None:
    once = cue("text", run=room.run, status=429, times=1, retry_after=1)
    outcome = room.claude(f"Say it. {once}")
    assert not outcome.failed
    assert outcome.text == answer(room)


def test_a_persistent_500_is_told_and_not_hammered(room: Room, upstream: Upstream) -> None:
    outcome = room.claude(f"Say it. {cue('text', run=room.run, status=500)}", **ONE_RETRY)
    assert outcome.failed
    assert "scripted refusal 500" in outcome.text
    assert len(upstream.asked(room.run)) <= 8


def test_a_400_is_told_and_asked_only_once(room: Room, upstream: Upstream) -> None:
    outcome = room.claude(f"Say it. {cue('text', run=room.run, status=400)}")
    assert outcome.failed
    assert "scripted refusal 400" in outcome.text
    assert len(upstream.asked(room.run)) == 1


def test_a_refused_provider_key_is_told_quickly_and_not_as_a_login_of_the_client(
    room: Room, upstream: Upstream
) -> None:
    outcome = room.claude(f"Say it. {cue('text', run=room.run, status=401)}")
    assert outcome.failed
    assert outcome.seconds < 20
    assert "/login" not in outcome.text
    assert "scripted refusal 401" in outcome.text
    assert len(upstream.asked(room.run)) == 1


def test_a_cut_in_mid_text_does_not_end_the_turn(room: Room) -> None:
    outcome = room.claude(f"Say it. {cue('text', run=room.run, fault='cut', times=1)}")
    assert not outcome.failed
    assert outcome.text.endswith("The end.")


def test_a_text_that_is_cut_whenever_it_is_first_asked_for_comes_whole(
    room: Room, upstream: Upstream
) -> None:
    # A client that went on from half an answer would ask something new, and be cut again.
    broken = cue("text", run=room.run, fault="cut", times=1, anew=1)
    outcome = room.claude(f"Say it. {broken}")
    assert not outcome.failed
    assert outcome.text == answer(room)
    assert [asked.end for asked in upstream.asked(room.run)] == ["broken", "complete"]


def test_a_call_cut_in_its_arguments_is_never_run(room: Room) -> None:
    once = cue("work", run=room.run, at=room.place, fault="cut", where="arguments", times=1)
    outcome = room.claude(f"Do it. {once}")
    assert not outcome.failed
    assert outcome.text == f"It prints changed-{room.secret}."
    assert not any(block.get("is_error") for block in outcome.blocks("tool_result"))


@pytest.mark.parametrize("where", ["start", "text", "reasoning"])
def test_an_error_in_the_stream_is_never_presented_as_an_answer(room: Room, where: str) -> None:
    broken = cue("text", run=room.run, fault="error", where=where, reasoning="reasoning_content")
    outcome = room.claude(f"Say it. {broken}", **ONE_RETRY)
    assert outcome.failed or outcome.result["stop_reason"] != "end_turn"
    assert not outcome.text.endswith("The end.")


def test_an_empty_stream_is_not_a_success(room: Room) -> None:
    outcome = room.claude(f"Say it. {cue('text', run=room.run, empty=1)}", **ONE_RETRY)
    assert outcome.failed or outcome.text.strip()


def test_a_full_context_window_is_compacted(room: Room) -> None:
    outcome = room.claude(f"Grow. {cue('grow', run=room.run, overflow=3)}")
    assert outcome.compacted
    assert not outcome.failed
    assert outcome.text == answer(room)


def test_a_slow_first_token_is_waited_for(room: Room, upstream: Upstream) -> None:
    outcome = room.claude(f"Say it. {cue('text', run=room.run, stall=3)}")
    assert outcome.text == answer(room)
    assert len(upstream.asked(room.run)) == 1


def test_an_interruption_closes_the_upstream_request(room: Room, upstream: Upstream) -> None:
    process = room.start(f"Go on. {cue('words', run=room.run, pause=0.2)}")
    try:
        assert upstream.until(room.run, _speaks, 30) is not None
        process.send_signal(signal.SIGINT)
        assert upstream.until(room.run, _ended, 3) is not None
    finally:
        room.finish(process, 15)
    assert upstream.asked(room.run)[-1].end == "left"


def _speaks(asked: Asked) -> bool:
    return asked.writes > 5


def _ended(asked: Asked) -> bool:
    return asked.end != ""
