"""What each provider refuses, for the golden corpus: a strict view of a body per profile.

Written from the providers' documentation and from issues, apart from the profiles it judges.
"""

import re
from typing import Any

from tests.strict import Rules

NINE = re.compile(r"[a-zA-Z0-9]{9}")
FORTY = re.compile(r"(?s).{1,40}")
KIMI = re.compile(r"(?s).{1,128}")
EVERY_EFFORT = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
ANTHROPIC_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def without(*words: str, booleans: bool = True, lists: bool = True) -> Any:
    """A check of one sub-schema: none of `words`; no bare true or false; no list of types."""

    def fits(schema: Any) -> bool:
        if isinstance(schema, bool):
            return booleans
        if not isinstance(schema, dict):
            return False
        if not lists and isinstance(schema.get("type"), list):
            return False
        return not any(word in schema for word in words)

    return fits


def additional_properties_aside(check: Any) -> Any:
    return lambda schema: schema is False or check(schema)


NO_META = without("$schema", "$id", "$comment")
GEMINI = additional_properties_aside(
    without(
        "$schema",
        "$ref",
        "const",
        "exclusiveMinimum",
        "exclusiveMaximum",
        booleans=False,
        lists=False,
    )
)
GEMINI_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.-]{0,63}")
NAME96 = re.compile(r"[a-zA-Z0-9_-]{1,96}")
TEMPLATE = frozenset({"chat_template_kwargs"})
DETAILS = frozenset({"reasoning_details"})

OPENROUTER = Rules(
    extra=frozenset({"reasoning", "top_k"}), alternate=True, schema=NO_META, message=DETAILS
)
NIM = Rules(
    extra=TEMPLATE,
    alternate=True,
    limit="max_tokens",
    name=NAME96,
    schema=without("$schema", booleans=False),
)
LOCAL = Rules(alternate=True, extra=TEMPLATE | {"top_k"}, schema=NO_META)
MISTRAL = Rules(
    alternate=True,
    limit="max_tokens",
    id=NINE,
    user_after_tool=False,
    choices=("auto", "none", "any", "required", "function"),
    schema=without("$schema", "$id"),
    prefix="prefix",
)
AUTO = ("auto", "none")

RULES: dict[str, Rules] = {
    "cerebras": Rules(alternate=True, limit="max_completion_tokens", choices=AUTO, schema=NO_META),
    "custom": Rules(),
    "deepseek": Rules(
        extra=frozenset({"thinking"}),
        efforts=EVERY_EFFORT,
        limit="max_tokens",
        choices=AUTO,
    ),
    "demo": Rules(),
    "fireworks": Rules(
        extra=frozenset({"top_k"}), efforts=EVERY_EFFORT, schema=without("$schema", "$ref", "$defs")
    ),
    "gemini": Rules(
        extra=frozenset({"extra_body"}),
        name=GEMINI_NAME,
        choices=AUTO,
        schema=GEMINI,
        call=frozenset({"extra_content"}),
    ),
    "groq": Rules(limit="max_completion_tokens", schema=NO_META),
    "huggingface": Rules(schema=NO_META),
    "llamacpp": LOCAL,
    "lmstudio": Rules(empty=True, alternate=True, limit="max_tokens", choices=AUTO, schema=NO_META),
    "minimax": Rules(limit="max_completion_tokens", choices=("auto",)),
    "mistral": MISTRAL,
    "mistral magistral-medium-latest": MISTRAL.with_(assistant_parts=("thinking", "text")),
    "moonshot": Rules(
        extra=frozenset({"thinking"}),
        limit="max_tokens",
        choices=AUTO,
        id=KIMI,
        prefix="partial",
        schema=without("$schema", lists=False),
    ),
    "nim": NIM,
    "nim moonshotai/kimi-k3": NIM.with_(id=KIMI),
    "nim mistralai/devstral-2": NIM.with_(id=NINE, user_after_tool=False),
    "ollama": Rules(limit="max_tokens", efforts=EVERY_EFFORT, choices=AUTO),
    "openai": Rules(
        limit="max_completion_tokens",
        id=FORTY,
        efforts=EVERY_EFFORT,
        parts=("text", "image_url", "file"),
    ),
    "openrouter": OPENROUTER,
    "openrouter anthropic/claude-opus-4.8": OPENROUTER.with_(id=ANTHROPIC_ID, cached=True),
    "openrouter google/gemini-3-pro": OPENROUTER.with_(
        name=GEMINI_NAME, schema=GEMINI, cached=True
    ),
    "sglang": LOCAL,
    "together": Rules(extra=frozenset({"reasoning", "top_k"}), limit="max_tokens", schema=NO_META),
    "vllm": LOCAL,
    "xai": Rules(choices=AUTO, efforts=EVERY_EFFORT, schema=NO_META),
    "zai": Rules(
        extra=frozenset({"thinking", "tool_stream"}),
        efforts=EVERY_EFFORT,
        limit="max_tokens",
        choices=("auto",),
        images=False,
        schema=NO_META,
    ),
}
"""By `provider model`, else by provider."""


def rules_for(label: str) -> Rules:
    return RULES.get(label) or RULES[label.partition(" ")[0]]
