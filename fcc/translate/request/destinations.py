"""What becomes of each field, content block and tool of a Messages request?

The table of the documentation, checked by examples in `tests/test_destinations.py`. The names are
those of the types of the `anthropic` package, `section.name`.
"""

from typing import Literal

import msgspec

__all__ = ["DESTINATIONS", "Destination", "markdown"]

How = Literal["translated", "emulated", "declined", "ignored"]


class Destination(msgspec.Struct, frozen=True):
    """`how`: translated has a counterpart; emulated is told in other fields or in words; declined
    is left out and says so, to the model or in the log; ignored changes nothing for the model.
    """

    how: How
    words: str


def _of(how: How, **names: str) -> dict[str, Destination]:
    return {name: Destination(how, words) for name, words in names.items()}


_SERVER_TOOL = "declined per tool; the system message names it as not available"
_SERVER_RESULT = "its open content as text, without what is encrypted"

_SECTIONS: dict[str, dict[str, Destination]] = {
    "request": {
        **_of(
            "translated",
            model="routed to a provider and its model; by length and images too (`[routes]`)",
            messages="messages, in the order that chat completions demand",
            system="one leading system message, without the billing line",
            tools="tools, with names and schemas as the provider takes them",
            tool_choice="tool_choice and parallel_tool_calls",
            max_tokens="max_tokens or max_completion_tokens, at most the model's cap or the route's",
            thinking="the provider's knob (`ask.reasoning`)",
            output_config="effort: the knob; format: response_format, or words and a check",
            output_format="the older place of output_config.format",
            stop_sequences="stop, as many as are taken; the others are declined",
            temperature="temperature, where taken",
            top_p="top_p, where taken",
            top_k="top_k, where taken",
            cache_control="a breakpoint at the last user message, where taken",
            metadata="user_id's session, hashed, in the field of `ask.session`",
        ),
        **_of(
            "emulated",
            stream="the provider always streams; without it the answer is collected",
        ),
        **_of(
            "declined",
            thread="400 thread_unsupported_request: the SDK goes on without it",
            container="no containers; named in the log",
            mcp_servers="no connector; named in the log",
            context_management="nothing is cleared; named in the log",
            compaction="the client compacts; named in the log",
            fallbacks="the daemon's own `[fallback]` counts; named in the log",
            safeguards="no safety check is faked; named in the log",
        ),
        **_of(
            "ignored",
            betas="what they turn on is taken anyway",
            billing_policy="there is no such bill",
            diagnostics="there is no cache diagnosis",
            fallback_credit_token="there is no such bill",  # noqa: S106
            inference_geo="the provider is where it is",
            service_tier="there is one tier",
            speed="there is one speed",
            user_profile_id="no profiles",
            workspace_id="no workspaces",
        ),
    },
    "thinking": _of(
        "translated",
        enabled="on, budget_tokens as budget or effort",
        adaptive="on, by effort",
        between_tools="on",
        disabled="off, also over an effort",
    ),
    "tool_choice": _of(
        "translated",
        auto="auto",
        any="required or any; else words",
        tool="the function; else only this tool and required; else words",
        none="none; else no tools",
    ),
    "output_config": {
        **_of(
            "translated",
            effort="the provider's word for it (`ask.effort`)",
            format="response_format json_schema; else words, and the answer is checked",
        ),
        **_of("ignored", task_budget="the model is not told of a budget"),
    },
    "system_message": {
        **_of(
            "translated",
            content="a system message where those stand anywhere; else a reminder in user text",
            output_config="the last effort counts",
        ),
        **_of("emulated", clear_at="next_user_message: left out once a user message follows"),
    },
    "block": {
        **_of(
            "translated",
            text="text",
            image="image_url, base64 or URL; else to `routes.image`, or a marker",
            document="a file part; else its text, PDFs too; else a marker",
            thinking="the history field that the provider wants (`ask.reasoning_history`)",
            redacted_thinking="the provider's own entries, to the model that they are from",
            tool_use="a tool call",
            tool_result="a tool message; images follow in a user message",
        ),
        **_of(
            "emulated",
            search_result="title, source and text",
            tool_reference="words; the tool itself is in tools",
            tool_addition="words, and tools as they are at the end",
            tool_removal="words, and tools as they are at the end",
            container_upload="words: the file can't be reached",
            compaction="its summary as text",
            server_tool_use="words: what was called, and with what",
            mcp_tool_use="words: what was called, and with what",
            browser_state="its JSON as the result's text",
            mcp_tool_result=_SERVER_RESULT,
            advisor_tool_result=_SERVER_RESULT,
            web_search_tool_result=_SERVER_RESULT,
            web_fetch_tool_result=_SERVER_RESULT,
            code_execution_tool_result=_SERVER_RESULT,
            bash_code_execution_tool_result=_SERVER_RESULT,
            text_editor_code_execution_tool_result=_SERVER_RESULT,
            tool_search_tool_result=_SERVER_RESULT,
        ),
        **_of(
            "declined",
            mcp_tool_listing="there is no connector; named in the log",
            fallback="a mark of Anthropic's servers; named in the log",
            unknown="its own text; where it has none, named in the log",
        ),
    },
    "block_field": {
        **_of(
            "translated",
            cache_control="on text parts, four at most, where taken",
            is_error="the text begins with Error",
        ),
        **_of(
            "ignored",
            citations="answers carry none",
            caller="all calls are the model's own",
            toolset_name="the name of the tool is enough",
            transformations="images go as they are",
        ),
    },
    "tool": {
        **_of("translated", custom="a function"),
        **_of(
            "declined",
            advisor=_SERVER_TOOL,
            bash=_SERVER_TOOL,
            browser_toolset=_SERVER_TOOL,
            code_execution=_SERVER_TOOL,
            computer=_SERVER_TOOL,
            computer_toolset=_SERVER_TOOL,
            mcp_toolset=_SERVER_TOOL,
            memory=_SERVER_TOOL,
            text_editor=_SERVER_TOOL,
            tool_search_tool_bm25=_SERVER_TOOL,
            tool_search_tool_regex=_SERVER_TOOL,
            web_fetch=_SERVER_TOOL,
            web_search=_SERVER_TOOL,
        ),
    },
    "tool_field": {
        **_of(
            "translated",
            name="name, in the provider's alphabet and length",
            description="description",
            input_schema="parameters, by the rules of `ask.schema`",
        ),
        **_of("emulated", defer_loading="all are offered; only the placeholder is left out"),
        **_of(
            "ignored",
            allowed_callers="the model alone calls",
            cache_control="a breakpoint in the system message covers the tools",
            eager_input_streaming="arguments stream as the provider sends them",
            input_examples="the schema has to be enough",
            strict="arguments are mended where that is safe",
        ),
    },
}

DESTINATIONS: dict[str, Destination] = {
    f"{section}.{name}": destination
    for section, names in _SECTIONS.items()
    for name, destination in names.items()
}


def markdown() -> str:
    """The table, as the documentation has it."""
    rows = [
        f"| `{name.replace('.', '` `', 1)}` | {found.how} | {found.words} |"
        for name, found in DESTINATIONS.items()
    ]
    return "\n".join(["| what | how | where |", "|---|---|---|", *rows])
