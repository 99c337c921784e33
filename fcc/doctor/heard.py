"""What does the provider answer to a request of ours, as the openai SDK reads it?

The SDK is the reference client: what it can't read is the provider's fault and not ours. This is
the one place that imports it: it costs half a second and 27 MB at start.
"""

import time
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import openai
from openai.types.chat import ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDelta, ChoiceDeltaToolCall

from fcc.diagnosis.verdict import Source, in_stream, refusal
from fcc.errors import CutError, StalledError, UnreachableError, UpstreamError
from fcc.settings.profile import Model, Profile
from fcc.translate.request.body import translate
from fcc.wire.messages import decode_request

__all__ = ["Asker", "Call", "Heard"]

PATIENCE = 120.0
"""Seconds of silence: a local model may have to be loaded first."""


class Call(msgspec.Struct):
    """A native tool call, put together."""

    index: int
    id: str = ""
    name: str = ""
    parts: list[str] = []
    """The arguments, as they came."""

    @property
    def arguments(self) -> str:
        """JSON, if the model is up to it."""
        return "".join(self.parts)


class Heard(msgspec.Struct):
    """One answer, or why there is none."""

    words: list[str] = []
    thoughts: list[str] = []
    reasoning_field: str = ""
    calls: list[Call] = []
    finish_reason: str = ""
    prompt_tokens: int | None = None
    """None: no usage came."""
    completion_tokens: int = 0
    cached_tokens: int | None = None
    chunks: int = 0
    """Chunks with content."""
    first: float = 0.0
    """Seconds until the first of them."""
    last: float = 0.0
    """Seconds until the last of them."""
    headers: dict[str, str] = {}
    error: UpstreamError | None = None
    status: int | None = None
    """Of a refusal."""

    @property
    def text(self) -> str:
        """All of its content."""
        return "".join(self.words)

    @property
    def all(self) -> str:
        """Reasoning and content, in lower case."""
        return "".join([*self.thoughts, *self.words]).lower()


class Asker:
    """`ask(request)`: a Messages request, translated as the daemon would, answered by one model."""

    def __init__(
        self, profile: Profile, model: Model, key: str, patience: float = PATIENCE
    ) -> None:
        self.profile = profile
        self.model = model
        self.lost: UpstreamError | None = None
        """Why nobody is there to ask, if so."""
        self._source = Source(
            profile.label, model.name, profile.api_key_env, profile.base_url,
            profile.empty_refusal_is_overflow,
        )  # fmt: skip
        self._client = openai.OpenAI(
            base_url=profile.base_url,
            api_key=key or "none",
            default_headers=profile.headers,
            timeout=openai.Timeout(patience, connect=profile.timeouts.connect),
            max_retries=0,
        )

    def ask(
        self,
        messages: Iterable[Mapping[str, Any]],
        *,
        leave_after: int = 0,
        body: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> Heard:
        """`leave_after`: how many chunks are read; 0: all. `body`: fields as the provider has them."""
        request = {"model": "claude", "max_tokens": 1024, "messages": list(messages), **fields}
        decoded = decode_request(msgspec.json.encode(request))
        sent = msgspec.json.decode(translate(decoded, self.model).data) | (body or {})
        heard, began = Heard(), time.monotonic()
        try:
            raw = self._client.chat.completions.with_raw_response.create(
                model=sent.pop("model"), messages=sent.pop("messages"), stream=True, extra_body=sent
            )
            heard.headers = {name.lower(): value for name, value in raw.headers.items()}
            with raw.parse() as stream:
                for chunk in stream:
                    _hear(heard, chunk, time.monotonic() - began)
                    if 0 < leave_after <= heard.chunks:
                        break
        except openai.APIStatusError as error:
            answer = error.response
            heard.status = answer.status_code
            heard.headers = {name.lower(): value for name, value in answer.headers.items()}
            heard.error = refusal(self._source, answer.status_code, answer.headers, answer.content)
        except openai.OpenAIError as error:
            heard.error = self._failure(error, heard)
        return heard

    def _failure(self, error: openai.OpenAIError, heard: Heard) -> UpstreamError:
        who = self.profile.label
        if isinstance(error, openai.APITimeoutError):
            return StalledError(f"{who} was silent for more than {PATIENCE:.0f} s")
        if isinstance(error, openai.APIConnectionError):
            cause = error.__cause__ or error
            if heard.chunks:
                return CutError(f"{who} broke the answer off: {cause}")
            self.lost = UnreachableError(f"{who} does not answer: {cause}")
            return self.lost
        if isinstance(error, openai.APIError):
            return in_stream(self._source, error.body or error.message)
        return UnreachableError(f"{who}: {error}")


def _hear(heard: Heard, chunk: ChatCompletionChunk, seconds: float) -> None:
    if chunk.usage:
        heard.prompt_tokens = chunk.usage.prompt_tokens
        heard.completion_tokens = chunk.usage.completion_tokens or 0
        details = chunk.usage.prompt_tokens_details
        heard.cached_tokens = details.cached_tokens if details else heard.cached_tokens
    if not chunk.choices:
        return
    choice = chunk.choices[0]
    heard.finish_reason = choice.finish_reason or heard.finish_reason
    if _said(heard, choice.delta):
        heard.chunks += 1
        heard.first = heard.first or seconds
        heard.last = seconds


def _said(heard: Heard, delta: ChoiceDelta) -> bool:
    """Whether the delta says anything."""
    heard.words.append(delta.content or "")
    said = bool(delta.content)
    for field in ("reasoning_content", "reasoning"):
        value = (delta.model_extra or {}).get(field)
        if isinstance(value, str) and value:
            heard.thoughts.append(value)
            heard.reasoning_field = field
            said = True
            break
    for part in delta.tool_calls or ():
        _called(heard.calls, part)
        said = True
    return said


def _called(calls: list[Call], part: ChoiceDeltaToolCall) -> None:
    index = part.index or 0
    function = part.function
    name = (function.name if function else "") or ""
    call = next((call for call in reversed(calls) if call.index == index), None)
    # Some servers send every call as index 0: another id with a name is another call.
    if call is None or (part.id and call.id and part.id != call.id and name):
        call = Call(index)
        calls.append(call)
    call.id = call.id or part.id or ""
    call.name = call.name or name
    arguments = (function.arguments if function else "") or ""
    if arguments:
        call.parts.append(arguments)
