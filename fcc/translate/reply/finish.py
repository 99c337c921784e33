"""finish_reason -> stop_reason: what each provider means by the end of its answer."""

from typing import Final

from fcc.translate.pieces import Finish
from fcc.wire.chat import Choice

__all__ = ["ERRORS", "TRUNCATED", "finish"]

ERRORS: Final = frozenset({"error", "abort", "network_error", "insufficient_system_resource"})
"""The answer failed: OpenRouter and Mistral; vLLM and SGLang; Z.ai; DeepSeek."""

TRUNCATED: Final = frozenset({"max_tokens", "model_context_window_exceeded"})
"""Stop reasons of an answer that is cut: a call that is not whole must not run."""

_STOP_REASONS: Final = {
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "model_length": "model_context_window_exceeded",  # Mistral
    "model_context_window_exceeded": "model_context_window_exceeded",  # Z.ai
    "content_filter": "refusal",
    "content_filtered": "refusal",
    "sensitive": "refusal",  # Z.ai
    "safety": "refusal",  # Gemini
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "malformed_function_call": "tool_use",  # Gemini: without a call the client asks again
}


def finish(reason: str, choice: Choice | None, stop_sequences: frozenset[str]) -> Finish:
    """The end that `reason` means.

    An unknown reason is an ordinary end: whether calls were made decides its stop_reason. A stop
    string counts as stop_sequence only if it is one of the client's (vLLM and SGLang say which).
    """
    stop_reason = _STOP_REASONS.get(reason.lower())
    if stop_reason is None and choice is not None:
        for hit in (choice.stop_reason, choice.matched_stop):
            if isinstance(hit, str) and hit in stop_sequences:
                return Finish("stop_sequence", hit)
    return Finish(stop_reason)
