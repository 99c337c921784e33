"""Which ways of writing tool calls as text are known?

The dialects whose calls are JSON, Python or channels stand here, those with tags in tags.py.
Sources: sglang 0.5.23 function_call/*_detector.py, vllm 0.33 tool_parsers/*, mistral_common
1.13.1, openai_harmony 0.0.8, and what stands beside a dialect.
"""

from collections.abc import Mapping
from typing import Final

from fcc.translate.dialects.channel_calls import Harmony
from fcc.translate.dialects.dialect import Dialect
from fcc.translate.dialects.json_calls import JsonCalls, NamedCalls
from fcc.translate.dialects.mistral_calls import BareArgs, FunctionTag, MistralCall
from fcc.translate.dialects.python_calls import PythonCalls, ToolCode
from fcc.translate.dialects.tags import TAGS, deepseek_token

__all__ = ["DEFAULT", "DIALECTS"]

_OBJECT = '{"name": "Bash", "arguments": {"command": "ls"}}'
_LLAMA_OBJECT = '{"name": "Bash", "parameters": {"command": "ls"}}'
_LLAMA_ENDS = ("<|eom_id|>", "<|eot_id|>", "<|end_of_text|>")
_CHATML_ENDS = ("<|im_end|>", "<|endoftext|>")
_KIMI_SECTION = ("<|tool_calls_section_begin|>", "<|tool_call_section_begin|>")
_KIMI_SECTION_END = ("<|tool_calls_section_end|>", "<|tool_call_section_end|>")
_DEEPSEEK = NamedCalls(
    begins=(deepseek_token("tool call begin"),),
    separator=deepseek_token("tool sep"),
    ends=(deepseek_token("tool call end"),),
    sections=(deepseek_token("tool calls begin"),),
    section_ends=(deepseek_token("tool calls end"),),
)
_DEEPSEEK_SENTINELS = (
    deepseek_token("tool calls begin"),
    deepseek_token("tool calls end"),
    deepseek_token("end of sentence"),
)
_DEEPSEEK_RESULTS = (deepseek_token("tool outputs begin"), deepseek_token("tool output begin"))


def _deepseek(form: str, body: str) -> Dialect:
    (begin,), (end,) = _DEEPSEEK.begins, _DEEPSEEK.ends
    (section,), (section_end,) = _DEEPSEEK.sections, _DEEPSEEK.section_ends
    return Dialect(
        form=form,
        example=f"{section}{begin}{body}{end}{section_end}",
        opens=(section, begin),
        grammar=_DEEPSEEK,
        special=True,
        sentinels=_DEEPSEEK_SENTINELS,
        results=_DEEPSEEK_RESULTS,
    )


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


_NAMED: Mapping[str, Dialect] = {
    "llama_function": Dialect(  # and Groq's failed_generation: sst/opencode#1018
        form='<function=NAME (">" | "=") JSON </function>',
        example='<function=Bash={"command": "ls"}</function>',
        opens=("<function=",),
        grammar=FunctionTag(),
        sentinels=_LLAMA_ENDS,
    ),
    "mistral_v11": Dialect(
        form='{ [TOOL_CALLS] NAME ["[CALL_ID]" ID] ["[ARGS]"] JSON }',
        example='[TOOL_CALLS]Bash[ARGS]{"command": "ls"}',
        opens=("[TOOL_CALLS]",),
        grammar=MistralCall(),
        special=True,
        sentinels=("</s>",),
    ),
    "mistral_args": Dialect(  # LM Studio's parser eats the token.
        form="NAME[ARGS]JSON, as the whole answer",
        example='Bash[ARGS]{"command": "ls"}',
        grammar=BareArgs(),
        whole=True,
    ),
    "deepseek_v3": _deepseek(
        "section { begin function sep NAME ```json JSON ``` end } section end",
        f'function{_DEEPSEEK.separator}Bash\n```json\n{{"command": "ls"}}\n```',
    ),
    "deepseek_v31": _deepseek(
        "section { begin NAME sep JSON end } section end",
        f'Bash{_DEEPSEEK.separator}{{"command": "ls"}}',
    ),
    "kimi_k2": Dialect(
        form="section { begin [functions.]NAME:N argument_begin JSON end } section end",
        example=f"{_KIMI_SECTION[0]}<|tool_call_begin|>functions.Bash:0<|tool_call_argument_begin|>"
        f'{{"command": "ls"}}<|tool_call_end|>{_KIMI_SECTION_END[0]}',
        opens=(*_KIMI_SECTION, "<|tool_call_begin|>"),
        grammar=NamedCalls(
            begins=("<|tool_call_begin|>",),
            separator="<|tool_call_argument_begin|>",
            ends=("<|tool_call_end|>",),
            sections=_KIMI_SECTION,
            section_ends=_KIMI_SECTION_END,
        ),
        special=True,
        sentinels=(*_KIMI_SECTION, *_KIMI_SECTION_END, "<|im_end|>", "[EOS]"),
    ),
    "inkling": Dialect(
        form="<|message_model|> NAME <|content_invoke_tool_json|> JSON <|end_message|>",
        example='<|message_model|>Bash<|content_invoke_tool_json|>{"command": "ls"}<|end_message|>',
        opens=("<|message_model|>",),
        grammar=NamedCalls(
            begins=("<|message_model|>",),
            separator="<|content_invoke_tool_json|>",
            ends=("<|end_message|>",),
        ),
        special=True,
    ),
    "harmony": Dialect(  # gpt-oss
        form="[<|start|>assistant] <|channel|>commentary to=functions.NAME [<|constrain|>json] <|message|> JSON <|call|>",
        example='<|start|>assistant<|channel|>commentary to=functions.Bash <|constrain|>json<|message|>{"command": "ls"}<|call|>',
        opens=("<|start|>assistant", "<|channel|>"),
        grammar=Harmony(),
        special=True,
        sentinels=("<|call|>", "<|return|>", "<|end|>"),
    ),
}

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
        grammar=JsonCalls(opens=("<|python_tag|>",), closes=_LLAMA_ENDS, must_close=False),
        special=True,
        sentinels=_LLAMA_ENDS,
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
        grammar=JsonCalls(closes=_LLAMA_ENDS, must_close=False, whole=True),
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
        grammar=PythonCalls(closes=_LLAMA_ENDS),
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

DIALECTS: Final[Mapping[str, Dialect]] = {**_JSON, **TAGS, **_NAMED, **_WHOLE}
"""Name -> dialect. Where several begin alike, they are tried in this order."""

DEFAULT: Final = tuple(DIALECTS)
"""What "default" in a profile's `reply.dialects` means: none of them takes prose for a call."""
