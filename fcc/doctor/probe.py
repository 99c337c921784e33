"""Does the model really answer? One small request through the openai SDK, the reference client.

This is the one place that imports it: it costs half a second and 27 MB at start.
"""

import openai

from fcc.diagnosis.redact import redact
from fcc.doctor.finding import Finding, fail, ok, warn
from fcc.settings.profile import Model, Profile

__all__ = ["answers"]

PATIENCE = 90.0
"""Seconds: a local model may have to be loaded first."""


def answers(profile: Profile, model: Model, key: str) -> Finding:
    """Asks for one word, streamed; costs a few tokens."""
    client = openai.OpenAI(
        base_url=profile.base_url,
        api_key=key or "none",
        default_headers=profile.headers,
        timeout=PATIENCE,
        max_retries=0,
    )
    limit = {model.ask.max_tokens: 64}
    said = chunks = 0
    try:
        with client.chat.completions.create(
            model=model.name,
            messages=[{"role": "user", "content": "Answer with the one word: ready"}],
            stream=True,
            extra_body=limit,
        ) as stream:
            for chunk in stream:
                chunks += 1
                delta = chunk.choices[0].delta if chunk.choices else None
                said += bool(delta and (delta.content or (delta.model_extra or {})))
    except openai.OpenAIError as error:
        seen = f"{model.name} does not answer: {redact(str(error))[:300]}"
        return fail("answer", seen, f"ask {profile.label}, or choose another model")
    if not said:
        seen = f"{model.name} ended after {chunks} chunks without a word"
        return warn("answer", seen, "try it again; a reasoning model may need more tokens")
    return ok("answer", f"{model.name} answers, streamed in {chunks} chunks")
