"""Which numbers of tokens does an overflow text name: the prompt's, the completion's, the limit?

One list of wordings for each number, not one for each provider: servers copy each other's halves
of sentences. Sources: the wordings of OpenAI, vLLM 0.33, SGLang 0.5.23, llama.cpp, LM Studio
(lmstudio-bug-tracker#546), Mistral, xAI, Gemini, Moonshot, Cerebras (anomalyco/opencode#1551),
OpenRouter (autohandai/code-cli#435), TGI and GitHub Models.
"""

from collections.abc import Mapping

from fcc.diagnosis.pattern import Pattern

__all__ = ["at_least", "limit", "max_tokens", "prompt_tokens"]

_N = r"\(?\[?`?([0-9][0-9,]{0,14})"
_OF = r"(?:\s(?:is|of|was|to|at)|:)?(?:\s(?:only|just))?\s?"


def _wordings(*patterns: str) -> tuple[Pattern, ...]:
    return tuple(Pattern("(?i)" + pattern.replace("#", _N)) for pattern in patterns)


_LIMIT = _wordings(
    r"exceed context limit: [0-9]{1,12} \+ [0-9]{1,12} > #",
    r"\btokens? > # ?max",
    r"\bn_ctx[\"']?\s?[:=]\s?#",
    rf"max(?:imum)? context (?:length|window|size|limit){_OF}#",
    rf"context (?:length|size|window|limit){_OF}#",
    r"# (?:tokens? )?max(?:imum)? context",
    rf"model token limit{_OF}#",
    r"\blimit is #",
    rf"maximum prompt length{_OF}#",
    rf"tokens allowed{_OF}#",
    r"supports? (?:only )?up to #",
    rf"max size{_OF}#",
    r"must be <= #",
    r"must have (?:less than|at most) #",
    r"length should be \[[0-9]{1,9}, ?#",
    r"exceeds? (?:the )?(?:maximum |max |configured |allowed |token )*(?:limit|length|input) (?:of|is) #",
    r"(?:configured|input|token) limit(?: of| is|:) #",
    rf"max(?:imum)? (?:model|allowed|input|sequence) (?:length|len|tokens?){_OF}#",
    r"cannot exceed #",
    r"max_(?:model|seq)_len\s?\(?#",
)

_PARTS = Pattern(
    rf"(?i){_N} (?:tokens? )?(?:in|of|from) (?:the |your )?(?:\w+ )?"
    r"(?:messages?|prompts?|inputs?|functions?|tools?)\b"
)
_BOUND = Pattern(r"(?i)upper bound for [0-9,]{1,15} input tokens?")

_PROMPT = _wordings(
    r"exceed context limit: # \+",
    r"\btoo long: #",
    r"(?:has|have|had|passed|contains?(?: at least)?|with|used|of) # input tokens?\b",
    r"(?:messages|prompt|request|input) resulted in #",
    r"\b(?:input|request|prompt|messages?)(?: length)? \((?:length )?#(?: tokens?\)|\))",
    r"\bfirst # tokens\b",
    r"\bn_keep[\"']?\s?[:=]\s?#",
    r"\brequested(?: tokens)?:? ?#(?! output)(?:\)| tokens\))",
    rf"(?:current|input|prompt|total) length{_OF}#(?= (?:while|exceeds|tokens? exceeds|is))",
    r"(?:prompt|request|input|conversation) (?:contains|has|is|of) (?:about )?# tokens\b",
    rf"token count{_OF}#",
    r"\bgiven: #",
    r"\breceived #",
    r"you requested (?:about |at least )?# tokens\b",
    r"\brequested: #",
)

_MAX_TOKENS = _wordings(
    r"exceed context limit: [0-9]{1,12} \+ # >",
    r"requested # output tokens\b",
    r"# (?:tokens? )?(?:in|for|of) (?:the |your )?(?:completion|output)\b",
    r"tokens['\"`]? is too large: #",
    r"# `?max_new_tokens",
)

_AT_LEAST = Pattern(r"(?i)at least [0-9,]{1,15} input tokens?")
_CHARACTERS = Pattern(r"(?i)prompt contains ([0-9][0-9,]{0,14}) characters")
_CHARACTERS_A_TOKEN = 4
"""vLLM counts no tokens where the characters alone are too many; English text has about four."""


def prompt_tokens(text: str, numbers: Mapping[str, int]) -> int | None:
    """The input's tokens, with its parts (messages, functions, tools) added up."""
    known = numbers.get("n_prompt_tokens")
    if known is not None:
        return known
    text = _BOUND.sub("", text)
    parts = [_number(found) for found in _PARTS.findall(text)]
    counted = sum(parts) or _first(_PROMPT, text)
    if counted is None and (found := _CHARACTERS.search(text)):
        return _number(found[1]) // _CHARACTERS_A_TOKEN
    return counted


def max_tokens(text: str) -> int | None:
    """The tokens that were asked for as output."""
    return _first(_MAX_TOKENS, text)


def limit(text: str, numbers: Mapping[str, int]) -> int | None:
    """The context window, or the part of it that input may fill."""
    known = numbers.get("n_ctx")
    return known if known is not None else _first(_LIMIT, text)


def at_least(text: str) -> bool:
    """Whether the input was counted only as far as the limit (vLLM stops there), or not at all."""
    return bool(_AT_LEAST.search(text) or _CHARACTERS.search(text))


def _first(patterns: tuple[Pattern, ...], text: str) -> int | None:
    for pattern in patterns:
        if found := pattern.search(text):
            return _number(found[1])
    return None


def _number(digits: str) -> int:
    return int(digits.replace(",", ""))
