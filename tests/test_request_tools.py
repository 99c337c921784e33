"""Tools: what is declared, under which name, and how one is chosen."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcc.errors import RequestError
from fcc.settings.profile import Ask
from fcc.translate.request.names import RULES, provider_name
from fcc.translate.request.tools import offer
from fcc.translate.tools import DeclaredTool
from tests.strict import assert_legal
from tests.test_request_body import HI, TOOL, sent, translated
from tests.test_request_turns import answer, assistant, call, user

OTHER = {"name": "Run", "description": "runs", "input_schema": {"type": "object"}}
SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 8}
LONG = "mcp__" + "very_" * 20 + "long"
EMPTY = {"type": "object", "properties": {}}


def functions(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [tool["function"] for tool in body["tools"]]


def test_a_tool_is_a_function_with_a_description() -> None:
    body = sent(HI, tools=[TOOL, {**OTHER, "cache_control": {"type": "ephemeral"}, "strict": True}])
    assert body["tools"] == [
        {
            "type": "function",
            "function": {"name": "Stat", "description": "", "parameters": TOOL["input_schema"]},
        },
        {
            "type": "function",
            "function": {"name": "Run", "description": "runs", "parameters": EMPTY},
        },
    ]


@pytest.mark.parametrize("schema", [None, {}, {"type": "object"}, {"properties": None}, True, []])
def test_parameters_are_the_schema_of_an_object(schema: Any) -> None:
    body = sent(HI, tools=[{"name": "x", "input_schema": schema}])
    assert functions(body)[0]["parameters"] == EMPTY


@pytest.mark.parametrize("tools", [None, [], [SEARCH]])
def test_without_tools_nothing_about_tools_is_sent(tools: Any) -> None:
    choice = {"type": "tool", "name": "web_search", "disable_parallel_tool_use": True}
    body = sent(HI, tools=tools, tool_choice=choice)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(body)
    assert_legal(body)


@pytest.mark.parametrize(
    "tool",
    [
        SEARCH,
        {"type": "web_fetch_20260318", "name": "web_fetch"},
        {"type": "code_execution_20260521", "name": "code_execution"},
        {"type": "bash_20250124", "name": "bash"},
        {"type": "text_editor_20250728", "name": "str_replace_based_edit_tool"},
        {"type": "computer_20251124", "name": "computer", "display_width_px": 1},
        {"type": "memory_20250818", "name": "memory"},
        {"type": "tool_search_tool_regex", "name": "tool_search_tool_regex"},
        {"type": "advisor_20260301", "name": "advisor", "model": "x"},
        {"type": "mcp_toolset", "mcp_server_name": "x"},
    ],
)
def test_tools_of_anthropics_servers_are_declined_and_the_model_is_told(tool: Any) -> None:
    name = tool.get("name", tool["type"])
    body = translated(HI, tools=[TOOL, tool], system="Be terse.")
    assert body.declined == (f"tool {name}",)
    plain = sent(HI, tools=[TOOL, tool], system="Be terse.")
    note = f"Not available through this provider: {name}."
    assert plain["messages"][0]["content"] == f"Be terse.\n\n{note}"
    assert [function["name"] for function in functions(plain)] == ["Stat"]
    assert sent(HI, tools=[tool])["messages"][0] == {"role": "system", "content": note}


def test_a_clients_own_tool_wins_over_a_server_tool_of_its_name() -> None:
    body = translated(HI, tools=[SEARCH, {**OTHER, "name": "web_search", "type": "custom"}])
    assert [tool.name for tool in body.tools] == ["web_search"]
    assert body.declined == ()


def test_of_two_tools_with_one_name_the_first_is_kept() -> None:
    body = sent(HI, tools=[{**OTHER, "description": "1"}, {**OTHER, "description": "2"}])
    assert [function["description"] for function in functions(body)] == ["1"]


def test_the_placeholder_of_deferred_tools_is_dropped_and_loaded_tools_pass() -> None:
    placeholder = {"name": "DeferredToolPlaceholder", "input_schema": {}, "defer_loading": True}
    body = translated(HI, tools=[placeholder, {**TOOL, "defer_loading": True}])
    assert [tool.name for tool in body.tools] == ["Stat"]
    assert body.declined == ()


@pytest.mark.parametrize(
    ("tools", "says"),
    [
        ([{"input_schema": {}}], "tools.0: a tool needs 'name'"),
        ([TOOL, 5], "tools.1: expected `object`"),
        ([{"name": 5}], "tools.0.name: expected `str"),
    ],
)
def test_tools_that_can_not_be_read_are_refused_with_their_place(tools: Any, says: str) -> None:
    with pytest.raises(RequestError, match=r"^tools") as caught:
        translated(HI, tools=tools)
    assert says in caught.value.message


def test_the_same_bytes_are_translated_once() -> None:
    tools = b'[{"name":"x","input_schema":{"type":"object"}}]'
    assert offer(tools, Ask()) is offer(bytes(bytearray(tools)), Ask(schema=()))
    assert offer(tools, Ask()) is not offer(tools, Ask(schema=("drop_meta",)))


def test_a_declared_tool_has_the_clients_name_and_schema() -> None:
    schema = {"$schema": "x", "type": "object", "properties": {"a": {"type": "string"}}}
    tools = [{"name": LONG, "input_schema": schema}]
    body = translated(HI, Ask(schema=("drop_meta",)), tools=tools)
    assert body.tools == (DeclaredTool(LONG, schema),)
    assert body.tools[0].properties == {"a": {"type": "string"}}
    assert DeclaredTool("x", {"properties": None}).properties == {}


def test_a_name_that_does_not_fit_is_short_everywhere_and_can_be_turned_back() -> None:
    tools = [{**TOOL, "name": LONG}, {**TOOL, "name": LONG + "er"}]
    turns = [assistant(call("a", LONG)), user(answer("a"))]
    choice = {"type": "tool", "name": LONG}
    body = sent(turns, tools=tools, tool_choice=choice)
    assert_legal(body)
    short = functions(body)[0]["name"]
    assert body["tool_choice"] == {"type": "function", "function": {"name": short}}
    assert body["messages"][0]["tool_calls"][0]["function"]["name"] == short
    names = translated(turns, tools=[*tools, TOOL]).names
    assert [names[function["name"]] for function in functions(body)] == [LONG, LONG + "er"]
    assert len(names) == 2, "those that keep their name need no telling"


@pytest.mark.parametrize("rule", RULES)
@given(name=st.text(min_size=0, max_size=120))
def test_every_name_fits_its_rule_and_a_fit_one_is_kept(rule: str, name: str) -> None:
    made = provider_name(name, rule)
    assert RULES[rule].fit.fullmatch(made)
    assert provider_name(made, rule) == made
    assert made == provider_name(name, rule)


@given(names=st.sets(st.text(alphabet="ab._ é", min_size=1, max_size=80), max_size=20))
def test_names_stay_apart(names: set[str]) -> None:
    assert len({provider_name(name, "openai") for name in names}) == len(names)


ALL = ("auto", "none", "required", "function")
FUNCTION = {"type": "function", "function": {"name": "Stat"}}
ASKED = "Call one of the tools now; do not answer with text alone."


@pytest.mark.parametrize(
    ("choice", "forms", "sent_choice", "names", "words"),
    [
        ("auto", ALL, "auto", ["Stat", "Run"], None),
        ("auto", (), None, ["Stat", "Run"], None),
        ("any", ALL, "required", ["Stat", "Run"], None),
        ("any", ("auto", "any"), "any", ["Stat", "Run"], None),
        ("any", ("auto",), None, ["Stat", "Run"], ASKED),
        ("none", ALL, "none", ["Stat", "Run"], None),
        ("none", ("auto",), None, None, None),
        ("Stat", ALL, FUNCTION, ["Stat", "Run"], None),
        ("Stat", ("auto", "required"), "required", ["Stat"], None),
        ("Stat", ("any",), "any", ["Stat"], None),
        ("Stat", (), None, ["Stat"], "Call the tool Stat now; do not answer with text alone."),
        ("Unknown", ALL, None, ["Stat", "Run"], None),
    ],
)
def test_a_choice_is_made_in_the_forms_that_the_provider_knows(
    choice: str, forms: tuple[str, ...], sent_choice: Any, names: Any, words: str | None
) -> None:
    given_choice = (
        {"type": choice} if choice in ("auto", "any", "none") else {"type": "tool", "name": choice}
    )
    body = sent(HI, Ask(tool_choice=forms), tools=[TOOL, OTHER], tool_choice=given_choice)
    assert body.get("tool_choice") == sent_choice
    assert ([f["name"] for f in functions(body)] if "tools" in body else None) == names
    assert body["messages"][-1]["content"] == (f"hi\n{words}" if words else "hi")


@pytest.mark.parametrize("forms", [ALL, ("auto",)])
def test_with_the_choice_none_nothing_may_be_called_and_the_history_stays(forms: Any) -> None:
    turns = [assistant(call("a")), user(answer("a"))]
    ask = Ask(tool_choice=forms)
    body = translated(turns, ask, tools=[TOOL], tool_choice={"type": "none"})
    assert body.tools == ()
    assert body.names == {}
    assert_legal(body.data)
    assert len(sent(turns, ask, tools=[TOOL], tool_choice={"type": "none"})["messages"]) == 2


def test_an_instruction_after_results_is_a_message_of_its_own() -> None:
    turns = [assistant(call("a")), user(answer("a"))]
    body = sent(turns, Ask(tool_choice=()), tools=[TOOL], tool_choice={"type": "any"})
    assert body["messages"][-1] == {"role": "user", "content": ASKED}


def test_one_call_at_a_time_is_asked_for_where_that_is_known() -> None:
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert sent(HI, tools=[TOOL], tool_choice=choice)["parallel_tool_calls"] is False
    unknown = Ask(parallel_tool_calls=False)
    assert "parallel_tool_calls" not in sent(HI, unknown, tools=[TOOL], tool_choice=choice)
    assert "parallel_tool_calls" not in sent(HI, tools=[TOOL], tool_choice={"type": "auto"})
