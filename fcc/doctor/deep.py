"""All that can be found out by asking one model, in a dozen small requests."""

from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from fcc.doctor.finding import Finding, Step, fail, ok, warn
from fcc.doctor.heard import Asker
from fcc.doctor.limits import LIMITS
from fcc.doctor.probes import NEED_TOOLS, PROBES, Outcome, streaming
from fcc.errors import ConfigError
from fcc.settings.capabilities import Capabilities, write_capabilities
from fcc.settings.profile import Profile

__all__ = ["deep"]


def deep(profile: Profile, model: str, key: str) -> Iterator[Step]:
    """The findings; what they teach is written down for the daemon."""
    asker = Asker(profile, profile.model(model), key)
    known = Capabilities(
        base_url=profile.base_url, probed=datetime.now(UTC).isoformat("T", "seconds")
    )
    for what, probe in (("an answer", streaming), *PROBES, *LIMITS):
        if probe in NEED_TOOLS and known.tools is False and not known.tools_as_text:
            continue
        yield f"asking {model} for {what}"
        for outcome in probe(asker):
            known = _with(known, outcome)
            yield outcome.finding
        if known.streams is None:
            return
        if asker.lost is not None:
            fix = "see why in the server's log, and ask again: nothing was written down"
            yield fail("answer", f"while it was asked: {asker.lost}", fix)
            return
    yield _kept(profile.name, model, known)


def _with(known: Capabilities, outcome: Outcome) -> Capabilities:
    learned = {name: value for name, value in outcome.learned.items() if value is not None}
    return msgspec.structs.replace(known, **learned)


def _kept(provider: str, model: str, known: Capabilities) -> Finding:
    try:
        path = write_capabilities(provider, model, known)
    except ConfigError as error:
        return warn("learned", error.message, "set FCC_STATE_DIR to a folder that you may write to")
    seen = f"what {model} can do is in {path}: a daemon that runs takes it with fcc reload"
    return ok("learned", seen)
