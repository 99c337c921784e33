"""Is the request too large for the model, does it ask for too much, or for what isn't known?

Sources of the wordings: the error pages of the providers; QwenLM/Qwen3-VL#2069,
musistudio/claude-code-router#1799, anomalyco/opencode#1551, Kilo-Org/kilocode#9652,
sipeed/picoclaw#1019, Gitlawb/openclaude#331, janhq/jan#8136.
"""

import re
from collections.abc import Mapping

import msgspec

from fcc.diagnosis import tokens
from fcc.diagnosis.pattern import Pattern
from fcc.diagnosis.words import shorten

__all__ = ["OVERFLOW_CODES", "OutputCap", "Overflow", "output_cap", "overflow", "unknown_field"]

_MAX_TEXT = 8000
"""Characters of a text that are looked at, its beginning and its end."""

OVERFLOW_CODES = frozenset(
    {
        "context_length_exceeded",
        "context_window_exceeded",
        "context_window_exceeded_error",
        "exceed_context_size_error",
        "model_context_window_exceeded",
        "prompt_too_long",
        "token_limit_exceeded",
        "tokens_limit_reached",
        # Z.ai
        "1261",
    }
)
"""What providers put into `code` or `type` where the input is too long."""

_PHRASES = Pattern(
    r"""(?ix)
    (?:prompt|input|request|messages?)\s(?:is|are)?\s?too\slong
    | max(?:imum)?\s(?:context|prompt)\s(?:length|window|size|limit)
    | context[_ ](?:length|window|size)[_ ](?:has\sbeen\s)?exceed
    | context\s?window\s?exceeded
    | exceed(?:s|ed)?\s(?:the\s|model\s|this\smodel's\s|your\s){0,2}(?:available\s|max(?:imum)?\s)?
      context\s(?:length|window|size|limit)
    | (?:longer|greater|larger)\sthan\s(?:the\s)?(?:maximum\s)?(?:model's?\s)?
      (?:context|model)\s(?:length|window|size)
    | context\s(?:window\s)?exceeds\s(?:limit|your\sdeployment)
    | context\sthe\soverflows
    | model's\scontext\s(?:length|window|size)\sis\sonly
    | (?:model|token)\stoken\slimit
    | input\stokens?\s(?:length\stoo\slong|exceeds?\s(?:the\s)?(?:configured|maximum))
    | input\s(?:token\scount|length)\b.{0,40}\bexceeds
    | input\slength\sand\s`max_tokens`\sexceed
    | exceeds\sthe\smaximum\snumber\sof\stokens
    | prompt\stoken\scount\sof\s[0-9]
    | prompt\sexceeds\s(?:max|the)
    | tokens\sin\srequest\smore\sthan\smax
    | range\sof\sinput\slength
    | (?:but\s)?model\sonly\ssupports\sup\sto
    | reduce\sthe\slength\sof\sthe\s(?:messages|prompt|input)
    | `inputs`\stokens\s\+\s`max_new_tokens`\smust | `inputs`\smust\shave\s(?:less|at\smost)
    | too\slarge\sfor\s.{0,120}\bmax\ssize:\s[0-9]+\stokens
    | max_tokens\smust\sbe\sat\sleast\s?1,\sgot\s-[0-9]
    | total\snumber\sof\stokens\sin\sthe\sprompt\scannot\sexceed
    | prompt\shas\s[0-9,]+\stokens,\sbut
    | \bn_keep\b.{0,30}\bn_ctx\b
    | (?:prompt|输入|上下文)\S{0,12}?(?:超长|超过|超出)
    """
)

# A quota counts tokens as well, and "string too long" is about one field: compaction helps neither.
_GUARD = Pattern(
    r"(?i)rate.?limit|too many requests|(?:tokens|requests)[ _-]?(?:per|/)[ _-]?(?:min|day|hour|sec)"
    r"|\b[TR]P[MD]\b|string_?\s?too_?\s?long|expected maxlength|policy_blocked|dlp_request_denied"
)


class Overflow(msgspec.Struct, frozen=True):
    """The input, or input and output together, are over the context window."""

    prompt_tokens: int | None = None
    max_tokens: int | None = None
    limit: int | None = None
    at_least: bool = False
    """The provider stopped counting the input's tokens at the limit."""

    @property
    def fits_without_output(self) -> bool:
        """The input fits, and asking for less output makes the request fit."""
        if self.prompt_tokens is None or self.max_tokens is None or self.limit is None:
            return False
        return self.prompt_tokens < self.limit < self.prompt_tokens + self.max_tokens


def overflow(text: str, code: str = "", numbers: Mapping[str, int] = {}) -> Overflow | None:
    """What the text says about a context that is too small; None where it is about other things.

    `numbers` are fields of the body that llama.cpp adds: n_prompt_tokens and n_ctx.
    """
    text = " ".join(shorten(text, _MAX_TEXT).split())
    if _GUARD.search(text) or not (code.lower() in OVERFLOW_CODES or _PHRASES.search(text)):
        return None
    return Overflow(
        prompt_tokens=tokens.prompt_tokens(text, numbers),
        max_tokens=tokens.max_tokens(text),
        limit=tokens.limit(text, numbers),
        at_least=tokens.at_least(text),
    )


_FIELD = r"max_?(?:completion_?|new_?|output_?)?tokens"
_OUTPUT = Pattern(rf"(?i){_FIELD}|(?:completion|output) tokens")
_CAPS = tuple(
    (Pattern("(?i)" + pattern), less)
    for pattern, less in (
        (r"[0-9]{1,9} > ([0-9]{1,9}),? which is the max", 0),
        (r"less than or equal to [`'\"(]{0,2}([0-9]{1,9})", 0),
        (r"<= ?[`'\"]?([0-9]{1,9})", 0),
        (r"to ([0-9]{1,9}) \(exclusive\)", 1),
        (r"\[ ?[0-9]{1,6} ?, ?([0-9]{1,9}) ?\)", 1),
        (r"\[ ?[0-9]{1,6} ?, ?([0-9]{1,9}) ?\]", 0),
        (r"(?:at most|up to|no more than|not exceed|cannot exceed) [`'\"]?([0-9]{1,9})", 0),
        (r"cannot be greater than [a-z_=]{0,40}([0-9]{1,9})", 0),
        ((r"exceeds? (?:the |model'?s? |max(?:imum)? |allowed |limit |output )*(?:of |\()"
         r"([0-9]{1,9})"), 0),
        ((rf"max(?:imum)? (?:allowed |value |number |limit |output |completion |tokens ?)*"
         rf"(?:(?:of|for) [`'\"]?{_FIELD}[`'\"]? )?(?:is|of|:) ?([0-9]{{1,9}})"), 0),
        (r"(?:less|smaller|lower) than ([0-9]{1,9})", 1),
    )
)  # fmt: skip
_ASKED = Pattern(
    rf"(?i)(?:too large:|provided|got|input_value=|value of|{_FIELD}[`'\"]?[:=(]?) ?\(?([0-9]{{1,9}})\b"
)


class OutputCap(msgspec.Struct, frozen=True):
    """More output was asked for than the model may give."""

    asked: int | None
    cap: int


def output_cap(text: str) -> OutputCap | None:
    """The most output tokens that the model takes in a request, where the text names them."""
    text = " ".join(shorten(text, _MAX_TEXT).split())
    if _GUARD.search(text) or not _OUTPUT.search(text):
        return None
    found = _ASKED.search(text)
    asked = int(found[1]) if found else None
    for pattern, less in _CAPS:
        if found := pattern.search(text):
            cap = int(found[1]) - less
            return OutputCap(asked, cap) if cap >= 1 and (asked is None or cap < asked) else None
    return None


_NAME = r"[`'\"]?((?:[A-Za-z_][\w]{0,63})(?:(?:\.|\s?->\s?)\w{1,64}){0,4})\b[`'\"]?"
_UNKNOWN = tuple(
    Pattern("(?i)" + pattern.replace("#", _NAME))
    for pattern in (
        r"[\"']loc[\"']: ?[(\[] ?[\"']body[\"'], ?#.{0,80}?extra",
        r"extra_forbidden.{0,40}[\"']loc[\"']: ?[(\[] ?[\"']body[\"'], ?#",
        r"\bbody(?: ->|\.) ?#:? {0,3}(?:extra|unexpected|unknown|not permitted)",
        r"# ?:? ?extra (?:inputs|fields) (?:are )?not permitted",
        r"unrecognized request arguments? supplied: ?#",
        r"\bproperty [`'\"](?:body\.)?#[`'\"]? is (?:unsupported|not supported)",
        (
            r"(?:unsupported|unknown|unrecognized|unexpected|invalid|extra)"
            r" (?:request |body |keyword |input )?(?:parameter|argument|field|key|property|param)"
            r"(?:s|\(s\)|s?\(s\))?(?: in (?:the )?(?:request|object|body))?(?: supplied)?"
            r"(?: ?: ?[\[{(]{0,2}| ?[\[{(]{1,2}| (?=[`'\"]))#"
        ),
        r"\bunsupported value: #",
        r"\bunknown name #",
        r"additional properties are not allowed [(\[]#",
        r"does not support (?:the )?(?:parameter|argument|field)s?:? ?[\[{(]?#(?=[.,;\]})]|$)",
        r"(?:parameter|argument|field) (?:is )?not supported(?: (?:on|by|with|for) this model)?: ?#",
        (
            r"(?:parameter|argument|field) # (?:is |are )?(?:not (?:supported|allowed|permitted|recognized)"
            r"|unsupported|unknown)"
        ),
        (
            r"(?<![\w.])[`'\"]?([a-z]{1,30}_[a-z_]{1,40})[`'\"]? (?:is |are )?(?:not (?:supported|allowed"
            r"|permitted)|unsupported|not (?:a )?(?:valid|known))"
        ),
    )
)
_NESTED = Pattern(
    r"(?i)\b(?:messages|tools|functions)(?:\.|\[|[\"'],\s?)\s?[0-9]|\" at '|\bat [`'\"]\w+\["
)
_NEEDED = frozenset({"functions", "input", "messages", "model", "stream", "tools"})
_NO_FIELDS = frozenset({"", "body", "error", "errors", "field", "parameter", "request"})


def unknown_field(text: str) -> str | None:
    """The field of the request's body that the provider does not take, where it names one.

    Never one without which the request is another: messages, model, stream, tools.
    """
    text = " ".join(shorten(text, _MAX_TEXT).split())
    if _NESTED.search(text):
        return None
    for pattern in _UNKNOWN:
        if found := pattern.search(text):
            return _top(found[1])
    return None


def _top(path: str) -> str | None:
    """The body's own field of a path such as `body -> stream_options -> include_usage`."""
    names = [name for name in re.split(r"\.|\s?->\s?", path) if name != "body"]
    # xAI names fields as its own code does: presencePenalty.
    field = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", names[0]).lower() if names else ""
    return None if field in _NEEDED or field in _NO_FIELDS else field
