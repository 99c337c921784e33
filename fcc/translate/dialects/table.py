"""Which ways of writing tool calls as text are known?

Those whose calls are JSON or Python objects stand here, those with tags in tags.py, and those
with a name between tokens in tokens.py. Sources: sglang 0.5.23 function_call/*_detector.py, vllm
0.33 tool_parsers/*, and what stands beside a dialect.
"""

from collections.abc import Mapping
from typing import Final

from fcc.translate.dialects.dialect import Dialect
from fcc.translate.dialects.json_calls import JsonCalls
from fcc.translate.dialects.python_calls import PythonCalls, ToolCode
from fcc.translate.dialects.tags import TAGS
from fcc.translate.dialects.tokens import LLAMA_ENDS, TOKENS

__all__ = ["DEFAULT", "DIALECTS"]

_OBJECT = '{"name": "Bash", "arguments": {"command": "ls"}}'
_LLAMA_OBJECT = '{"name": "Bash", "parameters": {"command": "ls"}}'
_CHATML_ENDS = ("<|im_end|>", "<|endoftext|>")


def _enveloped(
    opens: str, closes: str, example: str, grammar: JsonCalls | None = None, form: str = "JSON"
) -> Dialect:
    """JSON between two special tokens."""
    return Dialect(
        form=f"{opens} {form} {closes}",
        example=f"{opens}{example}{closes}",
        opens=(opens,),
        grammar=grammar or JsonCalls(opens=(opens,), closes=(closes,)),
        special=True,
    )


_JSON: Mapping[str, Dialect] = {
    "hermes": Dialect(  # Hermes 2 and 3, Qwen2.5, Qwen3, Trinity
        form="<tool_call> JSON [</tool_call>]",
        example=f"<tool_call>\n{_OBJECT}\n</tool_call>",
        opens=("<tool_call>",),
        grammar=JsonCalls(opens=("<tool_call>",), closes=("</tool_call>",)),
        sentinels=_CHATML_ENDS,
        results=("<tool_response>",),
    ),
    "llama_tag": Dialect(
        form='<|python_tag|> JSON { ";" JSON } [<|eom_id|> | <|eot_id|>]',
        example=f"<|python_tag|>{_LLAMA_OBJECT}<|eom_id|>",
        opens=("<|python_tag|>",),
        grammar=JsonCalls(opens=("<|python_tag|>",), closes=LLAMA_ENDS, must_close=False),
        special=True,
        sentinels=LLAMA_ENDS,
    ),
    "mistral": Dialect(
        form="[TOOL_CALLS] JSON list",
        example=f"[TOOL_CALLS] [{_OBJECT}]",
        opens=("[TOOL_CALLS]",),
        grammar=JsonCalls(opens=("[TOOL_CALLS]",), closes=("</s>",), must_close=False),
        special=True,
        sentinels=("</s>",),
    ),
    "nemotron": _enveloped("<TOOLCALL>", "</TOOLCALL>", f"[{_OBJECT}]"),
    "lmstudio": _enveloped("[TOOL_REQUEST]", "[END_TOOL_REQUEST]", _OBJECT),
    "granite": _enveloped("<|tool_call|>", "<|/tool_call|>", f"[{_OBJECT}]"),
    "longcat": _enveloped("<longcat_tool_call>", "</longcat_tool_call>", _OBJECT),
    "dots": _enveloped("<dots_function_call>", "</dots_function_call>", _OBJECT),
    "k2_horizon_json": _enveloped("<ifm|tool_call>", "</ifm|tool_call>", _OBJECT),
    "cohere": _enveloped(
        "<|START_ACTION|>",
        "<|END_ACTION|>",
        '[{"tool_call_id": "0", "tool_name": "Bash", "parameters": {"command": "ls"}}]',
    ),
    "internlm": _enveloped(
        "<|action_start|>",
        "<|action_end|>",
        f" <|plugin|>\n{_LLAMA_OBJECT}",
        JsonCalls(opens=("<|action_start|>",), closes=("<|action_end|>",), after_open="<|plugin|>"),
        "<|plugin|> JSON",
    ),
    "apertus": _enveloped(
        "<|tools_prefix|>",
        "<|tools_suffix|>",
        '[{"Bash": {"command": "ls"}}]',
        JsonCalls(opens=("<|tools_prefix|>",), closes=("<|tools_suffix|>",), keyed=True),
        "[{NAME: JSON}]",
    ),
    "lfm2": _enveloped(
        "<|tool_call_start|>",
        "<|tool_call_end|>",
        '[Bash(command="ls")]',
        JsonCalls(opens=("<|tool_call_start|>",), closes=("<|tool_call_end|>",), python=True),
        '"[" NAME "(" [K "=" LITERAL] ")" "]" or JSON',
    ),
}

_WHOLE: Mapping[str, Dialect] = {
    "llama_json": Dialect(
        form='JSON { ";" JSON }, as the whole answer',
        example=_LLAMA_OBJECT,
        opens=("{", "["),
        grammar=JsonCalls(closes=LLAMA_ENDS, must_close=False, whole=True),
        whole=True,
    ),
    "fenced_json": Dialect(  # xLAM
        form="```json JSON ```, as the whole answer",
        example=f"```json\n{_OBJECT}\n```",
        opens=("```",),
        grammar=JsonCalls(opens=("```json", "```"), closes=("```",), whole=True),
        whole=True,
    ),
    "pythonic": Dialect(  # Llama 4, ToolACE
        form='"[" NAME "(" [K "=" LITERAL { "," ... }] ")" { "," ... } "]", as the whole answer',
        example='[Bash(command="ls")]',
        opens=("[",),
        grammar=PythonCalls(closes=LLAMA_ENDS),
        whole=True,
    ),
    "gemma3": Dialect(  # https://ai.google.dev/gemma/docs/capabilities/function-calling
        form="```tool_code [print(]NAME(K=V)[)] ```, as the whole answer",
        example='```tool_code\nprint(Bash(command="ls"))\n```',
        opens=("```",),
        grammar=ToolCode(),
        whole=True,
    ),
    "phi4": Dialect(
        form="functools JSON list, as the whole answer",
        example=f"functools[{_OBJECT}]",
        opens=("functools",),
        grammar=JsonCalls(opens=("functools",), must_close=False, whole=True),
        whole=True,
    ),
}

DIALECTS: Final[Mapping[str, Dialect]] = {**_JSON, **TAGS, **TOKENS, **_WHOLE}
"""Name -> dialect. Where several begin alike, they are tried in this order."""

DEFAULT: Final = tuple(DIALECTS)
"""What "default" in a profile's `reply.dialects` means: none of them takes prose for a call."""
