"""Does the provider take the key for this model? Asked by a request that it refuses unread.

Many lists of models are public, so that a wrong key is not seen there. A request without messages
is refused after the key was looked at, and costs nothing.
"""

from collections.abc import Iterator

import httpx

from fcc.diagnosis.redact import redact
from fcc.diagnosis.verdict import Source, refusal
from fcc.doctor.finding import Finding, fail, ok, warn
from fcc.errors import (
    BadRequestError,
    BillingError,
    RefusedKeyError,
    RefusedModelError,
    RefusedPermissionError,
    UpstreamError,
)
from fcc.settings.profile import Profile

__all__ = ["account"]

_PATIENCE = 20.0
"""Seconds."""


def account(profile: Profile, key: str, model: str) -> Iterator[Finding]:
    """One finding; none where nothing can be said."""
    try:
        answer = httpx.post(
            f"{profile.base_url.rstrip('/')}/chat/completions",
            headers={**profile.headers, "Authorization": f"Bearer {key}"},
            json={"model": model, "messages": [], profile.model(model).ask.max_tokens: 1},
            timeout=_PATIENCE,
        )
    except httpx.HTTPError as error:
        words = redact(str(error)) or type(error).__name__
        yield warn("account", f"{profile.label} does not answer: {words}", "try again later")
        return
    if answer.status_code == 200:
        yield ok("account", f"{profile.label} takes the key")
        return
    source = Source(profile.label, model, profile.api_key_env, profile.base_url)
    refused = refusal(source, answer.status_code, answer.headers, answer.content)
    yield _judged(profile, refused, model)


def _judged(profile: Profile, error: UpstreamError, model: str) -> Finding:
    where = f"; get one at {profile.key_url}" if profile.key_url else ""
    match error:
        case RefusedKeyError():
            return fail("key", str(error), f"put a valid key into {profile.api_key_env}{where}")
        case BillingError():
            free = f"fcc models --provider {profile.name} --free"
            return fail("account", str(error), f"add credit there, or choose a free model: {free}")
        case RefusedModelError():
            return fail("model", str(error), _other_model(profile))
        case RefusedPermissionError():
            return fail("account", str(error), f"{_other_model(profile)}; or ask for access to it")
        case BadRequestError():
            return ok("account", f"{profile.label} takes the key for {model}")
        case _:
            verdict = warn if error.retryable else fail
            return verdict("account", str(error), "try again later, or another provider")


def _other_model(profile: Profile) -> str:
    return (
        f"choose another: fcc models --provider {profile.name}, then fcc models --set FAMILY=MODEL"
    )
