"""Which models does a provider offer, as the command line asks?"""

import httpx

from fcc.settings.profile import Profile
from fcc.wire.models import catalog_entries

__all__ = ["offered_models"]

_PATIENCE = 5.0
"""Seconds."""


def offered_models(profile: Profile, key: str, patience: float = _PATIENCE) -> list[str]:
    """The ids of GET /models; [] where there is no such list."""
    headers = dict(profile.headers) | ({"Authorization": f"Bearer {key}"} if key else {})
    try:
        answer = httpx.get(
            f"{profile.base_url.rstrip('/')}/models", headers=headers, timeout=patience
        )
        return [entry.id for entry in catalog_entries(answer.raise_for_status().json())]
    except (httpx.HTTPError, ValueError):
        return []
