"""Is the provider's key set, does it answer, and does it offer the models?"""

from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import msgspec

from fcc.diagnosis.redact import redact
from fcc.diagnosis.verdict import Source, refusal
from fcc.doctor.finding import Finding, fail, ok, warn
from fcc.errors import RefusedKeyError
from fcc.settings.files import config_dir
from fcc.settings.profile import Profile
from fcc.settings.toml import nearest
from fcc.wire.json import loads
from fcc.wire.models import catalog_entries

__all__ = ["Patient", "examine"]

PATIENCE = 10.0
"""Seconds for GET /models."""


class Patient(msgspec.Struct, frozen=True):
    """What is examined."""

    profile: Profile
    key: str
    key_missing: bool
    models: tuple[str, ...]
    """The provider's models that requests would go to."""


def examine(patient: Patient) -> Iterator[Finding]:
    """The findings in the order in which they matter; ends where going on makes no sense."""
    profile = patient.profile
    if profile.embedded:
        yield ok("key", "the demo provider needs none")
        return
    yield from _key(patient)
    if patient.key_missing:
        return
    try:
        answer = _ask(patient)
    except httpx.HTTPError as error:
        yield _unreachable(profile, error)
        return
    offered, findings = _offered(patient, answer)
    yield from findings
    if offered:
        yield from _models(patient, offered)


def _key(patient: Patient) -> Iterator[Finding]:
    profile = patient.profile
    if not profile.api_key_env:
        yield ok("key", f"{profile.label} needs none")
    elif patient.key:
        yield ok("key", f"{profile.api_key_env} is set")
    elif patient.key_missing:
        where = f" (get one at {profile.key_url})" if profile.key_url else ""
        yield fail(
            "key",
            f"{profile.api_key_env} is not set",
            f"put {profile.api_key_env}=...{where} into {config_dir() / 'fcc.env'} (mode 600), "
            f"or export it",
        )
    else:
        yield ok("key", f"{profile.api_key_env} is not set, and need not be")


def _ask(patient: Patient) -> httpx.Response:
    headers = dict(patient.profile.headers)
    if patient.key:
        headers["Authorization"] = f"Bearer {patient.key}"
    url = f"{patient.profile.base_url.rstrip('/')}/models"
    return httpx.get(url, headers=headers, timeout=PATIENCE)


def _unreachable(profile: Profile, error: httpx.HTTPError) -> Finding:
    host = urlsplit(profile.base_url).netloc
    words = redact(str(error)) or type(error).__name__
    if "CERTIFICATE" in words or "SSL" in words:
        fix = "behind a proxy, set SSL_CERT_FILE to its certificate authority"
    elif profile.local:
        fix = f"start the server, or say where it is: --base-url or base_url of {profile.name}.toml"
    elif "Name or service" in words or "getaddrinfo" in words or "resolution" in words:
        fix = "check base_url and the name server of this machine"
    else:
        fix = "check base_url, the network and HTTPS_PROXY"
    return fail("reach", f"{host} does not answer: {words}", fix)


def _offered(patient: Patient, answer: httpx.Response) -> tuple[list[str], list[Finding]]:
    """The models on offer, and what the answer says of reachability and key."""
    profile = patient.profile
    host = urlsplit(profile.base_url).netloc
    took = f"{answer.elapsed.total_seconds() * 1000:.0f} ms"
    if answer.status_code == 200:
        return _listed(host, took, answer)
    source = Source(profile.label, "", profile.api_key_env, profile.base_url)
    error = refusal(source, answer.status_code, answer.headers, answer.content)
    if isinstance(error, RefusedKeyError):
        fix = f"put a valid key into {profile.api_key_env}" if profile.api_key_env else "set a key"
        where = f"; get one at {profile.key_url}" if profile.key_url else ""
        return [], [ok("reach", f"{host} answers in {took}"), fail("key", str(error), fix + where)]
    if answer.status_code in (404, 405):
        seen = f"{host} answers in {took}, but lists no models at {answer.url}"
        return [], [warn("reach", seen, "check that base_url ends as the provider's docs say")]
    return [], [fail("reach", str(error), "try again later, or another provider")]


def _listed(host: str, took: str, answer: httpx.Response) -> tuple[list[str], list[Finding]]:
    try:
        models = [entry.id for entry in catalog_entries(loads(answer.content))]
    except (ValueError, RecursionError):
        page = f"{host} answered with {answer.headers.get('content-type', 'something')}, not JSON"
        return [], [
            fail("reach", page, "a proxy or a login page stands in between; check base_url")
        ]
    seen = f"{host} answers in {took} and offers {len(models)} models"
    if not models:
        return [], [warn("reach", seen, "load a model in the server")]
    return models, [ok("reach", seen)]


def _models(patient: Patient, offered: list[str]) -> Iterator[Finding]:
    for model in patient.models:
        if model in offered:
            yield ok("model", f"{model} is offered")
        else:
            yield fail(
                "model",
                f"{model} is not offered{nearest(model, offered) or ' to this account'}",
                f"set another in 'models' of config.toml, or start with --model "
                f"(one of {len(offered)}, for example {offered[0]})",
            )
