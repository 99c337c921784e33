"""Is the provider's key set, does it answer, and does it offer the models?"""

from collections.abc import Iterator
from datetime import UTC, datetime
from difflib import get_close_matches
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx
import msgspec

from fcc.diagnosis.redact import redact
from fcc.diagnosis.verdict import Source, refusal
from fcc.doctor.account import account
from fcc.doctor.finding import Change, Finding, Step, Verdict, fail, ok, warn
from fcc.doctor.machine import proxies
from fcc.errors import RefusedKeyError
from fcc.settings.files import config_dir, config_file, shipped_dir
from fcc.settings.profile import Profile
from fcc.settings.toml import nearest
from fcc.wire.json import loads
from fcc.wire.models import CatalogEntry, catalog_entries

__all__ = ["Patient", "examine"]

PATIENCE = 10.0
"""Seconds for GET /models."""

_SLOW = 5.0
"""Seconds: a list of models takes one."""

_WRONG_CLOCK = 300.0
"""Seconds: certificates and waits for a limit's reset go wrong beyond."""

_SMALLEST = 32_000
"""Tokens: Claude Code's instructions and tools alone are 15,000 to 20,000."""


class Patient(msgspec.Struct, frozen=True):
    """What is examined."""

    profile: Profile
    key: str
    key_missing: bool
    models: tuple[str, ...]
    """The provider's models that requests would go to."""
    families: dict[str, tuple[str, ...]] = {}
    """Model -> Claude Code's families that config.toml or the profile sends to it."""


def examine(patient: Patient) -> Iterator[Step]:
    """The findings in the order in which they matter; ends where going on makes no sense."""
    profile = patient.profile
    if profile.embedded:
        yield ok("key", "the demo provider needs none")
        return
    yield from proxies(profile)
    yield from _key(patient)
    if patient.key_missing:
        return
    yield f"asking {profile.label} for its models"
    try:
        answer = _ask(patient)
    except httpx.HTTPError as error:
        yield _unreachable(profile, error)
        return
    offered, findings = _offered(patient, answer)
    yield from findings
    yield from _clock(answer)
    if any(finding.verdict is Verdict.FAIL for finding in findings):
        return
    if offered:
        yield from _models(patient, offered)
    if patient.key and not profile.local and patient.models:
        yield f"asking {profile.label} whether it takes the key"
        for model in _of_interest(patient, offered):
            yield from account(profile, patient.key, model)


def _of_interest(patient: Patient, offered: list[CatalogEntry]) -> list[str]:
    """The models worth asking about: what is not offered has its finding already."""
    ids = {model.id for model in offered}
    return [model for model in patient.models if model in ids or not ids]


def _clock(answer: httpx.Response) -> Iterator[Finding]:
    """Whether this machine's clock is right, by the provider's."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        wrong = (datetime.now(UTC) - theirs).total_seconds()
    except (ValueError, TypeError):
        return
    if abs(wrong) > _WRONG_CLOCK:
        way = "ahead of" if wrong > 0 else "behind"
        seen = f"this machine's clock is {abs(wrong) / 60:.0f} minutes {way} the provider's"
        yield warn("clock", seen, "set the clock: timedatectl set-ntp true")


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
    if "WRONG_VERSION_NUMBER" in words:
        fix = "it speaks plain HTTP: base_url must begin with http://"
    elif "has expired" in words or "not yet valid" in words:
        fix = "check this machine's clock (timedatectl); if it is right, the provider must renew it"
    elif "ostname mismatch" in words or "IP address mismatch" in words:
        fix = "the certificate is another host's: check base_url, or what stands in between"
    elif "CERTIFICATE" in words or "SSL" in words:
        fix = "behind a proxy, or for a certificate of your own, set SSL_CERT_FILE to its authority"
    elif isinstance(error, httpx.TimeoutException):
        fix = "it may be overloaded: try again later; else check base_url, the network and HTTPS_PROXY"
    elif isinstance(error, httpx.ProxyError):
        fix = "check HTTPS_PROXY, or except the host from it with NO_PROXY"
    elif profile.local:
        fix = f"start the server, or say where it is: --base-url or base_url of {profile.name}.toml"
    elif "Name or service" in words or "getaddrinfo" in words or "resolution" in words:
        fix = "check base_url and the name server of this machine"
    else:
        fix = "check base_url, the network and HTTPS_PROXY"
    return fail("reach", f"{host} does not answer: {words}", fix)


def _offered(patient: Patient, answer: httpx.Response) -> tuple[list[CatalogEntry], list[Finding]]:
    """The models on offer, and what the answer says of reachability and key."""
    profile = patient.profile
    host = urlsplit(profile.base_url).netloc
    seconds = answer.elapsed.total_seconds()
    took = f"{seconds * 1000:.0f} ms"
    if answer.status_code == 200:
        return _listed(host, seconds, answer)
    source = Source(profile.label, "", profile.api_key_env, profile.base_url)
    error = refusal(source, answer.status_code, answer.headers, answer.content)
    if isinstance(error, RefusedKeyError):
        fix = f"put a valid key into {profile.api_key_env}" if profile.api_key_env else "set a key"
        where = f"; get one at {profile.key_url}" if profile.key_url else ""
        return [], [ok("reach", f"{host} answers in {took}"), fail("key", str(error), fix + where)]
    if answer.status_code in (404, 405):
        seen = f"{host} answers in {took}, but lists no models at {answer.url}"
        return [], [warn("reach", seen, "check that base_url ends as the provider's docs say")]
    fix = "try again later, or another provider" if error.retryable else "see what it says"
    return [], [fail("reach", str(error), fix)]


def _listed(
    host: str, seconds: float, answer: httpx.Response
) -> tuple[list[CatalogEntry], list[Finding]]:
    try:
        models = list(catalog_entries(loads(answer.content)))
    except (ValueError, RecursionError):
        page = f"{host} answered with {answer.headers.get('content-type', 'something')}, not JSON"
        return [], [
            fail("reach", page, "a proxy or a login page stands in between; check base_url")
        ]
    count = "1 model" if len(models) == 1 else f"{len(models)} models"
    seen = f"{host} answers in {seconds * 1000:.0f} ms and offers {count}"
    if not models:
        return [], [warn("reach", seen, "load a model in the server")]
    if seconds > _SLOW:
        return models, [warn("reach", seen, "it is slow: try again later, or check the network")]
    return models, [ok("reach", seen)]


def _models(patient: Patient, offered: list[CatalogEntry]) -> Iterator[Finding]:
    windows = {model.id: model.context_window for model in offered}
    # Where nobody named a model, the daemon takes the first that a local server has.
    for model in patient.models or tuple(windows)[: int(patient.profile.local)]:
        if model not in windows:
            yield _not_offered(patient, model, list(windows))
            continue
        window = windows[model] or patient.profile.model(model).context_window
        seen = f"{model} is offered" + (f", with a window of {window:,} tokens" if window else "")
        if window and window < _SMALLEST:
            fix = f"load it with a larger window: Claude Code needs {_SMALLEST:,} tokens or more"
            yield warn("model", seen, fix)
        else:
            yield ok("model", seen)


def _not_offered(patient: Patient, model: str, ids: list[str]) -> Finding:
    near = get_close_matches(model, ids, n=1, cutoff=0.6)
    seen = f"{model} is not offered{nearest(model, ids) or ' to this account'}"
    families = patient.families.get(model, ())
    name = near[0] if near else ids[0]
    wanted = " ".join(f"--set {family}={name}" for family in families) or f"--set sonnet={name}"
    fix = f"fcc models {wanted} (one of {len(ids)}), or start with --model"
    change = None
    if near and families:
        # Only a name that is nearly the same is written down unasked.
        target = f"{patient.profile.name}/{name}"
        keys = {f"models.{family}": target for family in families}
        example = str(shipped_dir() / "config.toml.example")
        change = Change(str(config_file()), keys, source=example)
    return fail("model", seen, fix, change)
