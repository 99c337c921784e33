"""Which provider can be used at once, when nobody has chosen one?"""

import socket
from urllib.parse import urlsplit

from fcc.settings.files import Providers
from fcc.settings.keys import Keys
from fcc.settings.profile import Profile

__all__ = ["answers", "first_ready"]

_PATIENCE = 0.3
"""Seconds: a local server accepts at once or is not there."""


def first_ready(providers: Providers, keys: Keys) -> tuple[str, str]:
    """Its name and why: a key is set, a local server answers, or it is the demo."""
    profiles = [providers.get(name) for name in providers.names]
    for profile in profiles:
        if profile.candidate and keys.get(profile) and not profile.api_key_optional:
            return profile.name, f"{profile.api_key_env} is set"
    for profile in profiles:
        if profile.local and answers(profile):
            return profile.name, f"a server answers at {profile.base_url}"
    return "demo", "no provider is configured; this one needs no key and no network"


def answers(profile: Profile) -> bool:
    """Whether a server that lists models is where the profile's would be."""
    if not _listens(profile):
        return False
    # Other things listen on ports like 8080; imported here, as mostly nothing does.
    from fcc.cli.offered import offered_models

    return bool(offered_models(profile, "", patience=1.0))


def _listens(profile: Profile) -> bool:
    parts = urlsplit(profile.base_url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        with socket.create_connection(address, timeout=_PATIENCE):
            return True
    except OSError:
        return False
