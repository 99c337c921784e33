"""Every field, block and tool of the Messages API has a destination, and the table tells the truth."""

import json
from typing import Any

import pytest

from fcc.errors import RequestError
from fcc.settings.profile import Ask, Model
from fcc.translate.request.body import Body, translate
from fcc.translate.request.destinations import DESTINATIONS, markdown
from fcc.wire.messages import decode_request
from tests.strict import Rules, assert_legal


def listed(names: str) -> list[str]:
    return names.split()


REQUEST = listed("""
model messages max_tokens cache_control container diagnostics inference_geo metadata output_config
service_tier speed stop_sequences system thinking tool_choice tools user_profile_id workspace_id
stream billing_policy compaction context_management fallback_credit_token fallbacks mcp_servers
thread betas temperature top_p top_k output_format safeguards
""")
"""Of MessageCreateParams and its beta; the last five are older, or Claude Code's own."""

BLOCKS = listed("""
text image document search_result thinking redacted_thinking tool_use tool_result tool_reference
server_tool_use web_search_tool_result web_fetch_tool_result code_execution_tool_result
bash_code_execution_tool_result text_editor_code_execution_tool_result tool_search_tool_result
container_upload browser_state advisor_tool_result mcp_tool_use mcp_tool_result compaction
tool_addition tool_removal mcp_tool_listing fallback
""")

TOOLS = listed("""
bash_20250124 code_execution_20250522 code_execution_20250825 code_execution_20260120
code_execution_20260521 browser_toolset_20260801 computer_toolset_20260801 memory_20250818
text_editor_20250124 text_editor_20250429 text_editor_20250728 web_search_20250305
web_search_20260209 web_search_20260318 web_fetch_20250910 web_fetch_20260209 web_fetch_20260309
web_fetch_20260318 tool_search_tool_bm25_20251119 tool_search_tool_bm25
tool_search_tool_regex_20251119 tool_search_tool_regex bash_20241022 computer_20241022
computer_20250124 computer_20251124 text_editor_20241022 advisor_20260301 mcp_toolset
""")

NAMES = {
    "request": REQUEST,
    "thinking": ["adaptive", "between_tools", "disabled", "enabled"],
    "tool_choice": ["any", "auto", "none", "tool"],
    "output_config": ["effort", "format", "task_budget"],
    "system_message": ["content", "clear_at", "output_config"],
    "block": [*BLOCKS, "unknown"],
    "block_field": listed("cache_control is_error citations caller toolset_name transformations"),
    "tool": ["custom", *sorted({kind.partition("_20")[0] for kind in TOOLS})],
    "tool_field": listed("""name description input_schema defer_loading allowed_callers cache_control
        eager_input_streaming input_examples strict"""),
}


def test_every_name_of_the_api_has_a_destination_and_no_other() -> None:
    wanted = [f"{section}.{name}" for section, names in NAMES.items() for name in names]
    assert sorted(DESTINATIONS) == sorted(wanted)


def test_the_table_has_a_row_for_each() -> None:
    lines = markdown().splitlines()
    assert len(lines) == len(DESTINATIONS) + 2
    assert "| `request` `thread` | declined | 400 thread_unsupported_request: " in markdown()
    assert all(line.count("|") == 4 for line in lines)


TOOL = {"name": "Read", "input_schema": {"type": "object"}}
TEXT = {"type": "text", "text": "words"}
CALL = {"type": "tool_use", "id": "a", "name": "Read", "input": {}}
ASK = Ask(
    cache_control=True,
    params=("temperature", "top_p", "top_k", "stop"),
    reasoning="reasoning_effort",
    reasoning_history="reasoning_content",
    session="prompt_cache_key",
)
RULES = Rules(
    extra=frozenset({"prompt_cache_key", "top_k"}), cached=True, parts=("text", "image_url", "file")
)


def body(**fields: Any) -> Body:
    base = {"model": "c", "max_tokens": 9, "messages": [{"role": "user", "content": "q"}]}
    asked = decode_request(json.dumps({**base, "tools": [TOOL], **fields}).encode())
    made = translate(asked, Model(name="m", provider="p", ask=ASK))
    assert_legal(made.data, RULES)
    return made


def said(*blocks: dict[str, Any], role: str = "user") -> dict[str, Any]:
    mine = {"role": role, "content": [TEXT, *blocks]}
    answers = [
        {"type": "tool_result", "tool_use_id": block["id"]}
        for block in blocks
        if block["type"] == "tool_use"
    ]
    return {
        "messages": [
            {"role": "user", "content": "q"},
            mine,
            {"role": "user", "content": [*answers, TEXT]},
        ]
    }


def result(**fields: Any) -> dict[str, Any]:
    turn = {"type": "tool_result", "tool_use_id": "a", "content": "ok", **fields}
    messages = [{"role": "assistant", "content": [CALL]}, {"role": "user", "content": [turn]}]
    return {"messages": messages}


SCHEMA = {"type": "json_schema", "schema": {"type": "object"}}
ADAPTIVE: dict[str, Any] = {"thinking": {"type": "adaptive"}}
FOUND = {"tool_use_id": "s", "content": [{"type": "found", "url": "https://x"}]}
SERVER_CALL = {"id": "s", "name": "web_search", "input": {"query": "x"}}
CACHE = {"cache_control": {"type": "ephemeral"}}
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://x/y.png"}}

EXAMPLES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "request.messages": ({}, said()),
    "request.system": ({}, {"system": "s"}),
    "request.tools": ({"tools": []}, {}),
    "request.tool_choice": ({}, {"tool_choice": {"type": "any"}}),
    "request.max_tokens": ({}, {"max_tokens": 10}),
    "request.thinking": ({}, ADAPTIVE),
    "request.output_config": (ADAPTIVE, {**ADAPTIVE, "output_config": {"effort": "high"}}),
    "request.output_format": ({}, {"output_format": SCHEMA}),
    "request.stop_sequences": ({}, {"stop_sequences": ["x"]}),
    "request.temperature": ({}, {"temperature": 0.5}),
    "request.top_p": ({}, {"top_p": 0.5}),
    "request.top_k": ({}, {"top_k": 5}),
    "request.cache_control": ({}, CACHE),
    "request.metadata": ({}, {"metadata": {"user_id": "u"}}),
    "request.container": ({}, {"container": "c"}),
    "request.mcp_servers": ({}, {"mcp_servers": [{"name": "s", "type": "url", "url": "u"}]}),
    "request.context_management": (
        {},
        {"context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]}},
    ),
    "request.compaction": ({}, {"compaction": {"type": "summarize"}}),
    "request.fallbacks": ({}, {"fallbacks": [{"model": "x"}]}),
    "request.safeguards": ({}, {"safeguards": [{"type": "dangerous_tool_use"}]}),
    "request.betas": ({}, {"betas": ["x"]}),
    "request.billing_policy": ({}, {"billing_policy": {}}),
    "request.diagnostics": ({}, {"diagnostics": {"previous_message_id": "m"}}),
    "request.fallback_credit_token": ({}, {"fallback_credit_token": "t"}),
    "request.inference_geo": ({}, {"inference_geo": "eu"}),
    "request.service_tier": ({}, {"service_tier": "auto"}),
    "request.speed": ({}, {"speed": "fast"}),
    "request.user_profile_id": ({}, {"user_profile_id": "u"}),
    "request.workspace_id": ({}, {"workspace_id": "w"}),
    "thinking.enabled": ({}, {"thinking": {"type": "enabled", "budget_tokens": 2000}}),
    "thinking.adaptive": ({}, ADAPTIVE),
    "thinking.between_tools": ({}, {"thinking": {"type": "between_tools"}}),
    "thinking.disabled": (ADAPTIVE, {"thinking": {"type": "disabled"}}),
    "tool_choice.auto": ({}, {"tool_choice": {"type": "auto"}}),
    "tool_choice.any": ({}, {"tool_choice": {"type": "any"}}),
    "tool_choice.tool": ({}, {"tool_choice": {"type": "tool", "name": "Read"}}),
    "tool_choice.none": ({}, {"tool_choice": {"type": "none"}}),
    "output_config.effort": (ADAPTIVE, {**ADAPTIVE, "output_config": {"effort": "low"}}),
    "output_config.format": ({}, {"output_config": {"format": SCHEMA}}),
    "output_config.task_budget": (
        {},
        {"output_config": {"task_budget": {"type": "tokens", "total": 9000}}},
    ),
    "system_message.content": (said(), said(TEXT, role="system")),
    "system_message.clear_at": (
        said(TEXT, role="system"),
        {
            "messages": [
                {**message, "clear_at": "next_user_message"}
                if message["role"] == "system"
                else message
                for message in said(TEXT, role="system")["messages"]
            ]
        },
    ),
    "system_message.output_config": (
        {**said(TEXT, role="system"), **ADAPTIVE},
        {
            **ADAPTIVE,
            "messages": [
                {**message, "output_config": {"effort": "low"}}
                if message["role"] == "system"
                else message
                for message in said(TEXT, role="system")["messages"]
            ],
        },
    ),
    "block.text": (said(), said(TEXT)),
    "block.image": (said(), said(IMAGE)),
    "block.document": (
        said(),
        said({"type": "document", "source": {"type": "text", "data": "words"}}),
    ),
    "block.search_result": (
        said(),
        said({"type": "search_result", "title": "t", "source": "s", "content": [TEXT]}),
    ),
    "block.thinking": (
        said(role="assistant"),
        said({"type": "thinking", "thinking": "hm", "signature": ""}, role="assistant"),
    ),
    "block.tool_use": (said(role="assistant"), said(CALL, role="assistant")),
    "block.tool_result": (said(), said({"type": "tool_result", "tool_use_id": "a"})),
    "block.tool_reference": (
        result(),
        result(content=[{"type": "tool_reference", "tool_name": "Read"}]),
    ),
    "block.browser_state": (result(), result(content=[{"type": "browser_state", "tabs": []}])),
    "block.container_upload": (said(), said({"type": "container_upload", "file_id": "f"})),
    "block.compaction": (said(), said({"type": "compaction", "content": "so far"})),
    "block.server_tool_use": (
        said(role="assistant"),
        said({"type": "server_tool_use", **SERVER_CALL}, role="assistant"),
    ),
    "block.mcp_tool_use": (
        said(role="assistant"),
        said({"type": "mcp_tool_use", "server_name": "m", **SERVER_CALL}, role="assistant"),
    ),
    **{
        f"block.{kind}": (
            said(role="assistant"),
            said({"type": kind, **FOUND}, role="assistant"),
        )
        for kind in BLOCKS
        if kind.endswith("_tool_result")
    },
    **{
        f"block.{kind}": (
            said(role="system"),
            said({"type": kind, "tool": {"type": "tool_reference", "name": "Read"}}, role="system"),
        )
        for kind in ("tool_addition", "tool_removal")
    },
    "block.mcp_tool_listing": (
        {},
        said({"type": "mcp_tool_listing", "mcp_server_name": "m", "tools": []}, role="assistant"),
    ),
    "block.fallback": ({}, said({"type": "fallback", "to": {"model": "x"}}, role="assistant")),
    "block.unknown": ({}, said({"type": "from_the_future", "blob": 1})),
    "block_field.cache_control": (said(TEXT), said({**TEXT, **CACHE})),
    "block_field.is_error": (result(), result(is_error=True)),
    "block_field.citations": (said(TEXT), said({**TEXT, "citations": []})),
    "block_field.caller": (
        said(CALL, role="assistant"),
        said({**CALL, "caller": {"type": "direct"}}, role="assistant"),
    ),
    "block_field.toolset_name": (result(), result(toolset_name="browser")),
    "block_field.transformations": (said(IMAGE), said({**IMAGE, "transformations": {}})),
    "tool.custom": ({}, {"tools": [{**TOOL, "type": "custom", "name": "Grep"}]}),
    **{
        f"tool.{kind.partition('_20')[0]}": ({}, {"tools": [TOOL, {"type": kind, "name": kind}]})
        for kind in TOOLS
    },
    "tool_field.name": ({}, {"tools": [{**TOOL, "name": "Grep"}]}),
    "tool_field.description": ({}, {"tools": [{**TOOL, "description": "Reads."}]}),
    "tool_field.input_schema": (
        {},
        {"tools": [{**TOOL, "input_schema": {"type": "object", "properties": {"a": {}}}}]},
    ),
    "tool_field.defer_loading": (
        {"tools": []},
        {"tools": [{**TOOL, "defer_loading": True}]},
    ),
    "tool_field.allowed_callers": ({}, {"tools": [{**TOOL, "allowed_callers": ["direct"]}]}),
    "tool_field.cache_control": ({}, {"tools": [{**TOOL, **CACHE}]}),
    "tool_field.eager_input_streaming": ({}, {"tools": [{**TOOL, "eager_input_streaming": True}]}),
    "tool_field.input_examples": ({}, {"tools": [{**TOOL, "input_examples": [{}]}]}),
    "tool_field.strict": ({}, {"tools": [{**TOOL, "strict": True}]}),
}
"""What to compare: a request without it, and one with it."""

ELSEWHERE = {
    "request.model": "tests of routing",
    "request.stream": "tests of the server",
    "request.thread": "below",
    "block.redacted_thinking": "tests/test_roundtrip.py",
}


def test_every_row_has_an_example() -> None:
    assert sorted([*EXAMPLES, *ELSEWHERE]) == sorted(DESTINATIONS)


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_row_tells_the_truth(name: str) -> None:
    without, with_it = (body(**fields) for fields in EXAMPLES[name])
    how = DESTINATIONS[name].how
    assert bool(set(with_it.declined) - set(without.declined)) is (how == "declined")
    if how == "ignored":
        assert with_it.data == without.data
    elif how != "declined":
        assert with_it.data != without.data


@pytest.mark.parametrize("kind", TOOLS)
def test_a_declined_tool_is_named_to_the_model_and_can_not_be_called(kind: str) -> None:
    made = body(tools=[TOOL, {"type": kind, "name": kind}])
    sent = json.loads(made.data)
    assert sent["messages"][0]["content"] == f"Not available through this provider: {kind}."
    assert [tool["function"]["name"] for tool in sent["tools"]] == ["Read"]


def test_a_thread_is_refused_in_the_word_that_the_sdk_knows() -> None:
    with pytest.raises(RequestError) as caught:
        body(thread={"type": "create"})
    assert caught.value.error_code == "thread_unsupported_request"
