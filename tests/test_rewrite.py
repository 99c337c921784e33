"""Arguments that the client sees otherwise than the model wrote them, and all that it does not."""

import json

import pytest

from fcc.translate.context import Context
from fcc.translate.pieces import Arguments, Piece, Text, ToolCall, ToolCallEnd
from fcc.translate.reply.rewrite import Rewrites
from fcc.translate.tools import DeclaredTool

FOREGROUND = Context(foreground=True)
ALIASES = Context(
    tools=(DeclaredTool("Search", aliases={"type_": "type"}), DeclaredTool("Bash")),
    names={"mcp_search": "Search"},
)


def arguments(pieces: list[Piece], call: int = 0) -> str:
    return "".join(p.text for p in pieces if isinstance(p, Arguments) and p.call == call)


def whole(context: Context, name: str, text: str) -> str:
    rewrites = Rewrites(context)
    return arguments(
        rewrites.feed([ToolCall(0, name), *(Arguments(0, c) for c in text), ToolCallEnd(0)])
    )


def test_a_context_without_reasons_rewrites_nothing() -> None:
    assert not Rewrites(Context()).needed
    assert not Rewrites(Context(tools=(DeclaredTool("Task"),))).needed
    assert Rewrites(FOREGROUND).needed
    assert Rewrites(ALIASES).needed


@pytest.mark.parametrize("name", ["Task", "Agent"])
def test_a_subagent_in_the_background_is_brought_to_the_foreground(name: str) -> None:
    rewrites = Rewrites(FOREGROUND)
    pieces = rewrites.feed([ToolCall(0, name), Arguments(0, '{"run_in_back')])
    assert pieces == [ToolCall(0, name)]
    pieces += rewrites.feed([Arguments(0, 'ground":true,"prompt":"é"}'), ToolCallEnd(0)])
    assert json.loads(arguments(pieces)) == {"run_in_background": False, "prompt": "é"}
    assert pieces[-1] == ToolCallEnd(0)


@pytest.mark.parametrize(
    "text",
    ['{"prompt": "x"}', '{"run_in_background": false }', "[1]", "{broken", "", "5", "[" * 3000],
)
def test_arguments_that_need_no_change_stay_byte_for_byte(text: str) -> None:
    assert whole(FOREGROUND, "Task", text) == text


def test_a_parameter_gets_its_own_name_back() -> None:
    assert json.loads(whole(ALIASES, "Search", '{"type_":"x","q":1}')) == {"type": "x", "q": 1}


def test_a_parameter_gets_its_own_name_back_where_the_tool_has_another_name_too() -> None:
    assert json.loads(whole(ALIASES, "mcp_search", '{"type_":"x"}')) == {"type": "x"}


def test_other_tools_stream_as_they_come() -> None:
    pieces = [ToolCall(0, "Bash"), Arguments(0, '{"run_in_background":true'), Text("x"),
              Arguments(0, "}"), ToolCallEnd(0)]  # fmt: skip
    assert Rewrites(FOREGROUND).feed(pieces) == pieces
    assert Rewrites(ALIASES).feed(pieces) == pieces


def test_calls_that_run_at_the_same_time_are_kept_apart() -> None:
    pieces = Rewrites(FOREGROUND).feed(
        [
            ToolCall(0, "Task"), ToolCall(1, "Bash"), Arguments(0, '{"run_in_background":'),
            Arguments(1, '{"run_in_background":true}'), ToolCallEnd(1), Arguments(0, "1}"),
            ToolCallEnd(0),
        ]
    )  # fmt: skip
    assert json.loads(arguments(pieces, 0)) == {"run_in_background": False}
    assert arguments(pieces, 1) == '{"run_in_background":true}'


def test_a_subagent_call_that_is_cut_gives_no_arguments() -> None:
    pieces = Rewrites(FOREGROUND).feed([ToolCall(0, "Task"), Arguments(0, '{"run_in_b')])
    assert pieces == [ToolCall(0, "Task")]


def test_a_subagent_whose_parameters_have_other_names_is_brought_to_the_foreground_too() -> None:
    context = Context(tools=(DeclaredTool("Task", aliases={"a_": "a"}),), foreground=True)
    got = json.loads(whole(context, "Task", '{"a_":1,"run_in_background":true}'))
    assert got == {"a": 1, "run_in_background": False}
