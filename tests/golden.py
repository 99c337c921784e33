"""The golden corpus: requests shaped like Claude Code's, and the body that every profile sends.

`python -m tests.golden --write` makes the files in `tests/fixtures/golden` anew; a look at the
difference is then part of the change. Messages and tools stand once in a file, in its `pool`;
a body names them by number.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from fcc.settings.files import Providers, shipped_dir
from fcc.settings.profile import Model
from fcc.translate.request.body import translate
from fcc.translate.signature import Kept, seal, tag
from fcc.wire.messages import decode_request

FOLDER = Path(__file__).parent / "fixtures" / "golden"
PROVIDERS = Providers(shipped_dir() / "providers")
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJg"
    "gg=="
)
Json = dict[str, Any]

FURTHER = {
    "fireworks": ["accounts/fireworks/models/kimi-k3"],
    "gemini": ["gemini-3-pro"],
    "mistral": ["magistral-medium-latest"],
    "nim": ["deepseek-ai/deepseek-v4-pro", "moonshotai/kimi-k3", "mistralai/devstral-2"],
    "openai": ["gpt-4.1", "o4-mini"],
    "openrouter": [
        "anthropic/claude-opus-4.8",
        "google/gemini-3-pro",
        "deepseek/deepseek-v4-pro",
        "moonshotai/kimi-k3",
    ],
}
"""Models beside the default one: those of another family than that."""


def models() -> dict[str, Model]:
    """Every profile with its default model, and some with more: by `provider model`."""
    found = {}
    for name in PROVIDERS.names:
        profile = PROVIDERS.get(name)
        for model in (profile.default_model or "local-model", *FURTHER.get(name, ())):
            found[f"{name} {model}"] = profile.model(model)
    return found


# The requests


def text(words: str, **more: Any) -> Json:
    return {"type": "text", "text": words, **more}


def thinking(words: str, signature: str = "") -> Json:
    return {"type": "thinking", "thinking": words, "signature": signature}


def use(id: str, name: str, **input: Any) -> Json:
    return {"type": "tool_use", "id": id, "name": name, "input": input}


def result(id: str, content: Any, **more: Any) -> Json:
    return {"tool_use_id": id, "type": "tool_result", "content": content, **more}


def user(*blocks: Any) -> Json:
    return {"role": "user", "content": [text(b) if isinstance(b, str) else b for b in blocks]}


def assistant(*blocks: Any) -> Json:
    return {**user(*blocks), "role": "assistant"}


CACHE: Json = {"cache_control": {"type": "ephemeral"}}
MANUAL = " ".join(
    f"Rule {n}: keep module {n % 7} small, name things after what they are, and run its tests."
    for n in range(40)
)
SYSTEM = [
    text("x-anthropic-billing-header: cc_version=9.9.9.abc; cc_entrypoint=cli; cch=1a2b3;"),
    text("You are an assistant that works in a terminal.", **CACHE),
    text(MANUAL, **CACHE),
]
NUMBER = {"type": "number", "exclusiveMinimum": 0, "maximum": 9007199254740991}


def tool(name: str, description: str, required: str, **properties: Any) -> Json:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }
    return {"name": name, "description": description, "input_schema": schema}


STRING = {"type": "string"}
BASH = tool(
    "Bash",
    "Runs a command. " + MANUAL[:900],
    "command",
    command={**STRING, "description": "What to run"},
    timeout={**NUMBER, "description": "Milliseconds"},
    run_in_background={"type": "boolean", "default": False},
)
READ = tool("Read", "Reads a file.", "file_path", file_path=STRING, offset=NUMBER, limit=NUMBER)
EDIT = tool(
    "Edit",
    "Replaces text in a file.",
    "file_path old_string new_string",
    file_path=STRING,
    old_string=STRING,
    new_string=STRING,
    replace_all={"type": "boolean", "default": False},
)
GREP = tool(
    "Grep",
    "Searches files.",
    "pattern",
    pattern=STRING,
    path=STRING,
    type=STRING,
    output_mode={"type": "string", "enum": ["content", "files_with_matches", "count"]},
    **{"-A": NUMBER},
)
TODO = tool(
    "TodoWrite",
    "Keeps a list.",
    "todos",
    todos={
        "type": "array",
        "minItems": 1,
        "items": {
            "type": "object",
            "properties": {"content": {**STRING, "minLength": 1}, "status": {"const": "pending"}},
            "required": ["content"],
        },
    },
)
FETCH = tool("WebFetch", "Fetches a page.", "url", url={**STRING, "format": "uri"}, prompt=STRING)
TOOLS = [BASH, READ, EDIT, GREP, TODO, FETCH]
MCP = [
    tool(
        "mcp__a_server_with_quite_a_long_name__a_tool_whose_name_is_much_longer_than_most",
        "From a server.",
        "",
        filter={
            "anyOf": [{"type": "string"}, {"type": "array", "items": STRING}, {"type": "null"}]
        },
        nullable={"type": ["string", "null"], "pattern": "[a-z]+"},
        tuple={"type": "array", "items": [STRING, {"type": "integer"}]},
        tree={"$ref": "#/$defs/node"},
        anything=True,
        type={"type": "string", "description": "A parameter that is named type"},
    ),
    {"name": "mcp__s__bare", "input_schema": {"type": "object"}},
    {"name": "mcp__s__bare_2", "description": "none", "input_schema": {}},
]
MCP[0]["input_schema"]["$defs"] = {
    "node": {"type": "object", "properties": {"kind": STRING}, "additionalProperties": True}
}


def request(*messages: Json, **more: Any) -> Json:
    session = {"device_id": "d" * 64, "account_uuid": "", "session_id": "0000-1111"}
    return {
        "model": "claude-sonnet-5-5",
        "messages": list(messages),
        "system": SYSTEM,
        "tools": TOOLS,
        "metadata": {"user_id": json.dumps(session)},
        "max_tokens": 32_000,
        "thinking": {"type": "adaptive", "display": "omitted"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
        "stream": True,
        **more,
    }


SURROUNDINGS = {
    "role": "system",
    "content": [text("# Environment\nLinux, /home/a/project, a git repository.\n" + MANUAL[:1500])],
}


def loop() -> list[Json]:
    """Three turns with tools; results come in the order in which they are ready."""
    return [
        user("Why does the build fail?"),
        SURROUNDINGS,
        assistant(
            thinking("The build log tells.", "EqoBCkgIARABGAIi"),
            text("I look at the log.", citations=[]),
            use("toolu_01", "Bash", command="make 2>&1 | tail -20", description="Build"),
            use("toolu_02", "Read", file_path="/home/a/project/Makefile"),
        ),
        user(
            result("toolu_02", "     1\tall:\n     2\t\tcc -o x x.c\n"),
            result("toolu_01", "x.c:3: error: 'y' undeclared", is_error=True),
            text("<system-reminder>\nThe list of tasks is empty.\n</system-reminder>"),
        ),
        assistant(use("call_3", "Grep", pattern="y", path="x.c", type="c")),
        user(result("call_3", [text("3:  return y;")])),
        {"role": "system", "content": [], "output_config": {"effort": "medium"}},
        assistant(
            thinking("Declare it."),
            use("functions.Edit:3", "Edit", file_path="x.c", old_string="y", new_string="0"),
        ),
        user(result("functions.Edit:3", "The file x.c has been updated.", **CACHE)),
    ]


def sealed() -> list[Json]:
    """A session that three providers have answered, each with what only it can read."""
    known = models()
    openrouter, gemini, mistral = (
        tag(known[label])
        for label in (
            "openrouter anthropic/claude-opus-4.8",
            "gemini gemini-3-pro",
            "mistral magistral-medium-latest",
        )
    )

    def kept(*entries: Json, words: str = "", **calls: Json) -> Kept:
        raw = [msgspec.Raw(json.dumps(entry).encode()) for entry in entries]
        extra = {id: msgspec.Raw(json.dumps(value).encode()) for id, value in calls.items()}
        return Kept(raw, extra, [words])

    signed = {"type": "reasoning.text", "text": "First.", "signature": "SIG", "index": 0}
    part = {"type": "thinking", "thinking": [{"type": "text", "text": "Third."}], "closed": True}
    google = {"google": {"thought_signature": "EjQKMgEMOdbH"}}
    return [
        user("go"),
        assistant(
            thinking("First.", seal(openrouter, kept(signed, words="First."))),
            use("toolu_a", "Bash", command="ls"),
        ),
        user(result("toolu_a", "x.c")),
        assistant(
            {"type": "redacted_thinking", "data": seal(gemini, kept(call_b=google))},
            use("call_b", "Bash", command="pwd"),
            use("call_c", "Bash", command="date"),
        ),
        user(result("call_b", "/home/a"), result("call_c", "Tuesday")),
        assistant(
            thinking("Third.", seal(mistral, kept(part, words="Third."))),
            "Done with that.",
            use("toolu_f_ZnVuY3Rpb25zLkJhc2g6MA_1-9", "Bash", command="true"),
        ),
        user(result("toolu_f_ZnVuY3Rpb25zLkJhc2g6MA_1-9", "")),
    ]


def image() -> Json:
    return {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}}


def document(title: str, **source: Any) -> Json:
    return {"type": "document", "title": title, "source": source}


def long_history() -> list[Json]:
    turns = []
    for n in range(60):
        turns += [
            assistant(use(f"toolu_{n:03}", "Read", file_path=f"/home/a/project/module_{n}.py")),
            user(
                result(
                    f"toolu_{n:03}", f"# module {n}\n" + f"value_{n} = {n}  # as in ä ü 中\n" * 25
                )
            ),
        ]
    return [user("Read everything."), *turns, user("Write a <summary> of all this. " + MANUAL)]


BUDGET = {"type": "enabled", "budget_tokens": 31_999}
TITLE = {"type": "object", "properties": {"title": STRING}, "required": ["title"]}

REQUESTS: dict[str, Json] = {
    "first_turn": request(user("Hello."), SURROUNDINGS),
    "tool_loop": request(*loop()),
    "tool_loop_with_budget": request(*loop(), thinking=BUDGET, output_config={}),
    "reasoning_of_three_providers": request(*sealed()),
    "title": request(
        {"role": "user", "content": "Hello."},
        system=SYSTEM[:2],
        tools=[],
        thinking=None,
        output_config={"effort": "low", "format": {"type": "json_schema", "schema": TITLE}},
    ),
    "classifier": request(
        user("Is `rm -rf build` dangerous?"),
        tools=None,
        max_tokens=64,
        stop_sequences=["</severity>"],
        thinking={"type": "disabled"},
        output_config={},
        stream=None,
    ),
    "web_search": request(
        user("Perform a web search for: msgspec"),
        tools=[{"type": "web_search_20250305", "name": "web_search", "max_uses": 8}, READ],
        tool_choice={"type": "tool", "name": "Read", "disable_parallel_tool_use": True},
    ),
    "images": request(
        user("What is on it?", image()),
        assistant(use("toolu_1", "Read", file_path="/tmp/shot.png")),
        user(result("toolu_1", [image()]), "And here?"),
    ),
    "documents": request(
        user(
            document("notes", type="text", media_type="text/plain", data="Plain words."),
            document("book.pdf", type="base64", media_type="application/pdf", data="JVBERi0="),
            {"type": "search_result", "title": "T", "source": "https://x", "content": [text("a")]},
            "Compare them.",
        ),
    ),
    "mcp_tools": request(
        user("Use the server."),
        assistant(use("toolu_1", MCP[0]["name"], filter="a", type="b")),
        user(result("toolu_1", None)),
        tools=[*TOOLS, *MCP],
    ),
    "tool_search": request(
        user("Search a tool."),
        assistant(use("toolu_1", "ToolSearch", query="fetch")),
        user(
            result("toolu_1", [{"type": "tool_reference", "tool_name": "WebFetch"}]), "Tool loaded."
        ),
        tools=[
            BASH,
            {"name": "DeferredToolPlaceholder", "input_schema": {}, "defer_loading": True},
            {**FETCH, "defer_loading": True},
        ],
    ),
    "interrupted": request(
        user("Do it."),
        assistant("I begin.", use("toolu_1", "Bash", command="sleep 100"), use("toolu_2", "Bash")),
        user("[Request interrupted by user for tool use]"),
        user("Do the other thing."),
        assistant("(no content)"),
        user(result("toolu_9", "of nothing")),
    ),
    "long_history": request(*long_history(), max_tokens=20_000),
}


# The bodies


def bodies(asked: Json) -> Json:
    """What every model of `models()` is sent."""
    pool: dict[str, int] = {}
    found = {}
    for label, model in models().items():
        body = json.loads(translate(decode_request(json.dumps(asked).encode()), model).data)
        for key in ("messages", "tools"):
            if key in body:
                written = [json.dumps(item, ensure_ascii=False) for item in body[key]]
                body[key] = [pool.setdefault(item, len(pool)) for item in written]
        found[label] = body
    return {"pool": [json.loads(item) for item in pool], "bodies": found}


def whole(stored: Json, label: str) -> Json:
    """One body of a file as it was sent."""
    body = dict(stored["bodies"][label])
    for key in ("messages", "tools"):
        if key in body:
            body[key] = [stored["pool"][number] for number in body[key]]
    return body


def written(stored: Json) -> str:
    """A file: one line for each thing in it, so that a difference can be read."""
    pool = ",\n".join(json.dumps(item, ensure_ascii=False) for item in stored["pool"])
    lines = (f"{json.dumps(k)}: {json.dumps(v)}" for k, v in stored["bodies"].items())
    return '{"pool": [\n' + pool + '\n],\n"bodies": {\n' + ",\n".join(lines) + "\n}}\n"


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, asked in REQUESTS.items():
        (FOLDER / f"{name}.request.json").write_text(
            json.dumps(asked, ensure_ascii=False) + "\n", "utf-8"
        )
        (FOLDER / f"{name}.bodies.json").write_text(written(bodies(asked)), "utf-8")


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    write()
