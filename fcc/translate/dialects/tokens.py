"""Which dialects put a call's name between tokens, before its arguments?

Sources: sglang 0.5.23 function_call/*_detector.py, mistral_common 1.13.1, openai_harmony 0.0.8.
"""

from collections.abc import Mapping
from typing import Final

from fcc.translate.dialects.channel_calls import Harmony
from fcc.translate.dialects.dialect import Dialect
from fcc.translate.dialects.mistral_calls import BareArgs, FunctionTag, MistralCall
from fcc.translate.dialects.named_calls import NamedCalls

__all__ = ["LLAMA_ENDS", "TOKENS", "deepseek_token"]

LLAMA_ENDS = ("<|eom_id|>", "<|eot_id|>", "<|end_of_text|>")
_BAR = "\uff5c"
_BLOCK = "\u2581"


def deepseek_token(words: str) -> str:
    """DeepSeek's way of writing a special token: fullwidth bars and lower one eighth blocks."""
    return f"<{_BAR}{words.replace(' ', _BLOCK)}{_BAR}>"


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


TOKENS: Final[Mapping[str, Dialect]] = {
    "llama_function": Dialect(  # and Groq's failed_generation: sst/opencode#1018
        form='<function=NAME (">" | "=") JSON </function>',
        example='<function=Bash={"command": "ls"}</function>',
        opens=("<function=",),
        grammar=FunctionTag(),
        sentinels=LLAMA_ENDS,
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
        form="<|message_model|> NAME <|content_invoke_tool_json|> {name, args: JSON} <|end_message|>",
        example="<|message_model|>Bash<|content_invoke_tool_json|>"
        '{"name": "Bash", "args": {"command": "ls"}}<|end_message|>',
        opens=("<|message_model|>",),
        grammar=NamedCalls(
            begins=("<|message_model|>",),
            separator="<|content_invoke_tool_json|>",
            ends=("<|end_message|>",),
            wrapped_in="args",
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
