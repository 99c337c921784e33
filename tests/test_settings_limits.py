"""How much may be asked of a provider, and of one of its models."""

from pathlib import Path

from fcc.settings.limits import Limits, ModelLimits
from fcc.settings.profile import Profile
from fcc.settings.toml import read

PROFILE = """
[limits]
requests = 40
concurrency = 5

[limits.models."*:free"]
requests = 20
seconds = 30

[limits.models."big/*"]
concurrency = 1

[reply]
continue_after_cut = true
"""


def test_a_profile_names_limits_of_models_by_pattern(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text(PROFILE)
    profile = read(path, Profile)
    limits = profile.limits
    assert (limits.requests, limits.concurrency) == (40, 5)
    assert limits.of("Vendor/M:Free") == ModelLimits(requests=20, seconds=30)
    assert limits.of("big/m:free") == ModelLimits(requests=20, seconds=30), "the first that fits"
    assert limits.of("big/m") == ModelLimits(concurrency=1)
    assert limits.of("other") == ModelLimits()
    assert profile.model("m").reply.continue_after_cut


def test_a_model_that_no_pattern_fits_has_no_limits_of_its_own() -> None:
    assert Limits(requests=3).of("m") == ModelLimits()
