"""What is known of one provider: a TOML file in `config/providers/`, as frozen structs.

What TOML can't say is a function that TOML picks by name from a table (a reasoning knob, a
schema rule, a dialect). There is no provider class and no provider's name in code.
"""

from fnmatch import fnmatchcase
from typing import Any, Literal, TypeVar

import msgspec

from fcc.settings.limits import Limits, Retry, Timeouts

__all__ = [
    "Ask",
    "Facts",
    "Model",
    "Profile",
    "Reply",
]


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the provider's request departs from OpenAI's."""

    max_tokens: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    """Which field carries the output limit."""
    system: Literal["first", "anywhere"] = "first"
    """Where a system message may stand: most chat templates take one, and at the beginning."""
    merge_turns: bool = True
    """Same-role neighbours become one message: strict templates demand alternation."""
    after_tools: Literal["user", "result"] = "user"
    """Where text goes that follows tool results: into a user message, or into the last result
    (Mistral: "Unexpected role 'user' after role 'tool'")."""
    no_content: Literal["null", "omit", "empty"] = "null"
    """The content of an assistant message that has tool calls and no text."""
    prefill: str = "keep"
    """What becomes of a conversation that ends with the assistant, by name (see
    `translate/request/turns.py`)."""
    stream_usage: bool = True
    """Ask for `stream_options.include_usage`."""
    images: bool = True
    """The model sees images; else each is replaced by a visible marker."""
    params: tuple[str, ...] = ("temperature", "top_p", "stop")
    """Which of temperature, top_p, top_k and stop are taken."""
    stop_limit: int = 4
    """How many stop sequences are taken."""
    tool_choice: tuple[str, ...] = ("auto", "none", "required", "function")
    """Which forms are taken; what is missing is emulated."""
    parallel_tool_calls: bool = True
    """Whether `parallel_tool_calls` is a known field."""
    one_call: bool = False
    """Ask for one tool call at a time: some models repeat a call until the output ends."""
    reasoning: str = "none"
    """The knob that turns reasoning on and off, by name (see `translate/request/reasoning.py`)."""
    reasoning_history: str = "none"
    """The way in which earlier reasoning goes back, by name: its text (think_tags,
    reasoning_content, reasoning), or what the same model sent with it (reasoning_details, mistral,
    thought_signature, thought_signature_or_skip; see `translate/request/history.py`)."""
    effort: dict[str, str] = {}
    """The client's effort (none, low, medium, high, xhigh, max; none is thinking disabled) ->
    the provider's word for it; an empty word is not sent."""
    tool_ids: str = "keep"
    """The rule that ids of tool calls must obey, by name."""
    tool_names: str = "openai"
    """The rule that names of tools must obey, by name."""
    schema: tuple[str, ...] = ()
    """Rules applied to tool schemas in this order, by name (see
    `translate/request/schema/rules.py`): single rules, or one provider's set of them."""
    documents: Literal["text", "file"] = "text"
    """PDF and other documents: text extracted here, or native file parts."""
    cache_control: bool = False
    """Pass cache breakpoints on in content parts."""
    session: Literal["", "prompt_cache_key", "session_id"] = ""
    """The field that takes a name of the session, so that its requests find the same cache."""
    response_format: bool = True
    """Takes response_format json_schema; else it is asked for in words."""
    extra: dict[str, Any] = {}
    """Further fields of every request's body."""


class Reply(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the provider's stream departs from OpenAI's."""

    reasoning: tuple[str, ...] = ("reasoning_content", "reasoning", "reasoning_details")
    """The fields that may carry reasoning; of one chunk the first that is not empty counts."""
    think_tags: tuple[str, ...] = ("think", "thinking", "thought")
    """Tags that, at the very start of the content, enclose reasoning."""
    implicit_think_open: bool = False
    """The template opens the tag: everything up to the first closing tag is reasoning."""
    think_anywhere: bool = False
    """The tags count in mid-text as well."""
    tool_arguments: Literal["live", "buffer"] = "live"
    """Stream a call's arguments as they come, or only whole calls."""
    dialects: tuple[str, ...] = ("default",)
    """Ways of writing tool calls as text to look for, by name; empty: none."""
    repair: bool = True
    """Mend broken arguments where that is safe."""
    continue_after_cut: bool = False
    """Ask for the rest of an answer whose stream broke off in mid-text, at most twice, and send it
    as if nothing had happened. Off: the client is told of the cut."""


class Facts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is known of the models that one pattern fits; `ask` and `reply` override by key."""

    context_window: int | None = None
    """Tokens of input and output together."""
    max_output_tokens: int | None = None
    """Tokens of one answer."""
    ask: dict[str, Any] = {}
    """Keys of `[ask]` that differ."""
    reply: dict[str, Any] = {}
    """Keys of `[reply]` that differ."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """One model of one provider, with all that is known of it put together."""

    name: str
    provider: str
    ask: Ask = Ask()
    reply: Reply = Reply()
    context_window: int | None = None
    max_output_tokens: int | None = None
    effort: str = ""
    """What config.toml sets in the place of the client's."""
    max_tokens: int | None = None
    """Tokens of an answer at most, by config.toml."""


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One provider."""

    name: str = ""
    """The file's name without `.toml`: what `--provider` takes."""
    title: str = ""
    """How messages name it; the name where empty."""
    base_url: str = ""
    """Up to and without `/chat/completions`; empty: must be given with `--base-url`."""
    api_key_env: str = ""
    """The environment variable that holds the key, or several with commas between them; empty:
    none is needed."""
    api_key_optional: bool = False
    """The key is sent where it is set, and not missed where it is not."""
    key_url: str = ""
    """Where a person gets a key."""
    default_model: str = ""
    """For whatever no pattern of `models` fits; empty: the model must be given."""
    models: dict[str, str] = {}
    """Pattern of the client's model name -> this provider's model; the first that fits."""
    headers: dict[str, str] = {}
    """Sent with every request."""
    local: bool = False
    """Runs on the person's own machine: looked for at start when nothing is configured."""
    candidate: bool = True
    """May be taken when nobody has named a provider and its key is set. Not for a key that is
    usually set for something else."""
    embedded: bool = False
    """Answered inside this process, by the demo backend."""
    empty_refusal_is_overflow: bool = False
    """A 400 or 413 without a body means that the input is too long."""
    foreground_subagents: bool = False
    """Force `run_in_background` of the subagent tool to false: a free tier's few requests a
    minute are better spent one after the other."""
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    retry: Retry = Retry()
    ask: Ask = Ask()
    reply: Reply = Reply()
    facts: dict[str, Facts] = {}
    """Pattern of this provider's model name -> what is known of it; all that fit, in order."""

    def __post_init__(self) -> None:
        for pattern, facts in self.facts.items():
            _override(self.ask, facts.ask, f"facts.{pattern}.ask")
            _override(self.reply, facts.reply, f"facts.{pattern}.reply")

    @property
    def label(self) -> str:
        """The provider as a person reads it."""
        return self.title or self.name

    def model(self, name: str) -> Model:
        """All that is known of the provider's model `name`."""
        ask, reply = self.ask, self.reply
        window = output = None
        for pattern, facts in self.facts.items():
            if fnmatchcase(name.lower(), pattern.lower()):
                ask = _override(ask, facts.ask, pattern)
                reply = _override(reply, facts.reply, pattern)
                window = facts.context_window or window
                output = facts.max_output_tokens or output
        return Model(
            name=name,
            provider=self.name,
            ask=ask,
            reply=reply,
            context_window=window,
            max_output_tokens=output,
        )


_Part = TypeVar("_Part", Ask, Reply)


def _override(base: _Part, changes: dict[str, Any], where: str) -> _Part:
    if not changes:
        return base
    try:
        return msgspec.convert({**msgspec.structs.asdict(base), **changes}, type(base))
    except msgspec.ValidationError as error:
        raise ValueError(f"{where}: {error}") from error
