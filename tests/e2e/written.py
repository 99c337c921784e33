"""How does a model write a call as text? Each dialect, spelled out for any name and arguments.

It shares no code with what reads them; the names are those of the dialects' table. Sources:
sglang 0.5.23 function_call/*_detector.py, vllm 0.33 tool_parsers/*, openai_harmony 0.0.8.
"""

import json
from collections.abc import Callable
from typing import Any

__all__ = ["WRITTEN", "written"]

Arguments = dict[str, Any]
Writer = Callable[[str, Arguments], str]

BAR, BLOCK = "\N{FULLWIDTH VERTICAL LINE}", "\N{LOWER ONE EIGHTH BLOCK}"
M3 = "]<]minimax[>["
WHOLE = frozenset(
    ("llama_json", "fenced_json", "pythonic", "gemma3", "phi4", "mistral_args")
)  # fmt: skip
"""Those that are only calls where nothing else is said."""


def written(dialect: str, text: str, calls: list[tuple[str, Arguments]]) -> str:
    """An answer that says `text` and makes `calls`, all in words."""
    spelled = [WRITTEN[dialect](*call) for call in calls]
    said = [] if dialect in WHOLE and spelled else [text]
    return "\n".join(part for part in (*said, *spelled) if part)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _object(name: str, arguments: Arguments, key: str = "arguments") -> str:
    return _json({"name": name, key: arguments})


def _raw(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)


def _between(before: str, after: str, key: str = "arguments", *, listed: bool = False) -> Writer:
    def write(name: str, arguments: Arguments) -> str:
        body = _object(name, arguments, key)
        return before + (f"[{body}]" if listed else body) + after

    return write


def _cohere(name: str, arguments: Arguments) -> str:
    call = {"tool_call_id": "0", "tool_name": name, "parameters": arguments}
    return f"<|START_ACTION|>[\n    {_json(call)}\n]<|END_ACTION|>"


def _apertus(name: str, arguments: Arguments) -> str:
    return f"<|tools_prefix|>[{_json({name: arguments})}]<|tools_suffix|>"


def _python(name: str, arguments: Arguments) -> str:
    return f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})"


def _function(before: str = "", after: str = "", line: str = "\n") -> Writer:
    def write(name: str, arguments: Arguments) -> str:
        parameters = "".join(
            f"<parameter={key}>{line}{_raw(value)}{line}</parameter>{line}"
            for key, value in arguments.items()
        )
        return f"{before}<function={name}>{line}{parameters}</function>{after}"

    return write


def _seed(name: str, arguments: Arguments) -> str:
    parameters = (f"<parameter={k}>{_raw(v)}</parameter>" for k, v in arguments.items())
    return f"● <function={name}>{''.join(parameters)}"


def _pairs(prefix: str, types: bool = False) -> Writer:
    def write(name: str, arguments: Arguments) -> str:
        lines = [f"<{prefix}tool_call>{name}"]
        for key, value in arguments.items():
            kind = [f"<{prefix}arg_type>string</{prefix}arg_type>"] if types else []
            lines += [f"<{prefix}arg_key>{key}</{prefix}arg_key>", *kind]
            lines += [f"<{prefix}arg_value>{_raw(value)}</{prefix}arg_value>"]
        return "\n".join([*lines, f"</{prefix}tool_call>"])

    return write


def _invoke(section: str, prefix: str = "", attributes: str = "") -> Writer:
    def write(name: str, arguments: Arguments) -> str:
        lines = [f'<{prefix}invoke name="{name}">']
        for key, value in arguments.items():
            opening = f'<{prefix}parameter name="{key}"{attributes}>'
            lines.append(f"{opening}{_raw(value)}</{prefix}parameter>")
        return "\n".join([f"<{section}>", *lines, f"</{prefix}invoke>", f"</{section}>"])

    return write


def _minimax_m3(name: str, arguments: Arguments) -> str:
    lines = [f"{M3}<tool_call>", f'{M3}<invoke name="{name}">']
    lines += [f"{M3}<{key}>{_raw(value)}{M3}</{key}>" for key, value in arguments.items()]
    return "\n".join([*lines, f"{M3}</invoke>", f"{M3}</tool_call>"])


def _step3(name: str, arguments: Arguments) -> str:
    parameters = "".join(
        f'<steptml:parameter name="{key}">{_raw(value)}</steptml:parameter>'
        for key, value in arguments.items()
    )
    return (
        f"<{BAR}tool_calls_begin{BAR}>\n<{BAR}tool_call_begin{BAR}>function<{BAR}tool_sep{BAR}>"
        f'<steptml:invoke name="{name}">{parameters}</steptml:invoke>'
        f"<{BAR}tool_call_end{BAR}>\n<{BAR}tool_calls_end{BAR}>"
    )


def _minicpm(name: str, arguments: Arguments) -> str:
    parameters = "".join(
        f'<param name="{key}"><![CDATA[{_raw(value)}]]></param>' for key, value in arguments.items()
    )
    return f'<function name="{name}">{parameters}</function>'


def _kimi_k3(name: str, arguments: Arguments) -> str:
    inner = "".join(
        f'<|open|>argument key="{key}" type="string"<|sep|>{_raw(value)}<|close|>argument<|sep|>'
        for key, value in arguments.items()
    )
    return (
        f'<|open|>tools<|sep|><|open|>call tool="{name}" index="1"<|sep|>{inner}'
        "<|close|>call<|sep|><|close|>tools<|sep|>"
    )


def _marked(before: str, after: str, quote: str) -> Writer:
    def write(name: str, arguments: Arguments) -> str:
        pairs = (f"{key}:{quote}{_raw(value)}{quote}" for key, value in arguments.items())
        return f"{before}call:{name}{{{','.join(pairs)}}}{after}"

    return write


def _deepseek_token(words: str) -> str:
    return f"<{BAR}{words.replace(' ', BLOCK)}{BAR}>"


def _deepseek(body: Writer) -> Writer:
    def write(name: str, arguments: Arguments) -> str:
        parts = ("tool calls begin", "tool call begin", "", "tool call end", "tool calls end")
        tokens = [_deepseek_token(part) if part else body(name, arguments) for part in parts]
        return "".join(tokens)

    return write


def _deepseek_v3(name: str, arguments: Arguments) -> str:
    return f"function{_deepseek_token('tool sep')}{name}\n```json\n{_json(arguments)}\n```"


def _deepseek_v31(name: str, arguments: Arguments) -> str:
    return f"{name}{_deepseek_token('tool sep')}{_json(arguments)}"


def _kimi_k2(name: str, arguments: Arguments) -> str:
    return (
        f"<|tool_calls_section_begin|><|tool_call_begin|>functions.{name}:0"
        f"<|tool_call_argument_begin|>{_json(arguments)}<|tool_call_end|>"
        "<|tool_calls_section_end|>"
    )


def _inkling(name: str, arguments: Arguments) -> str:
    body = _object(name, arguments, "args")
    return f"<|message_model|>{name}<|content_invoke_tool_json|>{body}<|end_message|>"


def _harmony(name: str, arguments: Arguments) -> str:
    return (
        f"<|start|>assistant<|channel|>commentary to=functions.{name} <|constrain|>json"
        f"<|message|>{_json(arguments)}<|call|>"
    )


WRITTEN: dict[str, Writer] = {
    "hermes": _between("<tool_call>\n", "\n</tool_call>"),
    "llama_tag": _between("<|python_tag|>", "<|eom_id|>", "parameters"),
    "mistral": _between("[TOOL_CALLS] ", "", listed=True),
    "nemotron": _between("<TOOLCALL>", "</TOOLCALL>", listed=True),
    "lmstudio": _between("[TOOL_REQUEST]\n", "\n[END_TOOL_REQUEST]"),
    "granite": _between("<|tool_call|>", "<|/tool_call|>", listed=True),
    "longcat": _between("<longcat_tool_call>\n", "\n</longcat_tool_call>"),
    "dots": _between("<dots_function_call>\n", "\n</dots_function_call>"),
    "k2_horizon_json": _between("<ifm|tool_call>\n", "\n</ifm|tool_call>"),
    "cohere": _cohere,
    "internlm": _between("<|action_start|> <|plugin|>\n", "<|action_end|>", "parameters"),
    "apertus": _apertus,
    "lfm2": lambda name, args: f"<|tool_call_start|>[{_python(name, args)}]<|tool_call_end|>",
    "qwen3_coder": _function("<tool_call>\n", "\n</tool_call>"),
    "seed": _seed,
    "glm": _pairs(""),
    "k2_horizon": _pairs("ifm|", types=True),
    "anthropic": _invoke("function_calls"),
    "anthropic_prefixed": _invoke("antml:function_calls", "antml:"),
    "minimax_m2": _invoke("minimax:tool_call"),
    "minimax_m3": _minimax_m3,
    "deepseek_dsml": _invoke(f"{BAR}DSML{BAR}function_calls", f"{BAR}DSML{BAR}", ' string="true"'),
    "deepseek_v41": _invoke(f"{BAR}DSML{BAR} calls", f"{BAR}DSML{BAR} ", ' string="true"'),
    "step3": _step3,
    "minicpm": _minicpm,
    "kimi_k3": _kimi_k3,
    "gemma4": _marked("<|tool_call>", "<tool_call|>", '<|"|>'),
    "function_gemma": _marked("<start_function_call>", "<end_function_call>", "<escape>"),
    "llama_function": lambda name, args: f"<function={name}>{_json(args)}</function>",
    "mistral_v11": lambda name, args: f"[TOOL_CALLS]{name}[ARGS]{_json(args)}",
    "mistral_args": lambda name, args: f"{name}[ARGS]{_json(args)}",
    "deepseek_v3": _deepseek(_deepseek_v3),
    "deepseek_v31": _deepseek(_deepseek_v31),
    "kimi_k2": _kimi_k2,
    "inkling": _inkling,
    "harmony": _harmony,
    "llama_json": lambda name, args: _object(name, args, "parameters"),
    "fenced_json": _between("```json\n", "\n```"),
    "pythonic": lambda name, args: f"[{_python(name, args)}]",
    "gemma3": lambda name, args: f"```tool_code\nprint({_python(name, args)})\n```",
    "phi4": _between("functools", "", listed=True),
}
