"""Do all tests with the official SDK hold for its other major version, with its API version?

They run in a process of their own, whose module path begins with the other SDK.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.other_sdk import VERSIONS, NoOtherSdkError, other_sdk
from tests.e2e.sdk import SDK

# The first test may have to install it.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

_HERE = Path(__file__).parent
FILES = sorted(str(path) for path in _HERE.glob("test_anthropic_sdk*.py") if path != Path(__file__))


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    try:
        folder = other_sdk()
    except NoOtherSdkError as error:
        pytest.skip(str(error))
    return {**os.environ, "PYTHONPATH": str(folder)}


def _python(environment: dict[str, str], *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=_HERE.parents[1],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def test_the_process_has_the_other_version(environment: dict[str, str]) -> None:
    said = _python(environment, "-c", "import anthropic; print(anthropic.__version__)")
    assert said.stdout.strip() == VERSIONS[SDK]


def test_all_tests_hold(environment: dict[str, str]) -> None:
    chosen = ("-m", "e2e and not slow", "-q", "--no-cov", "-p", "no:cacheprovider")
    ended = _python(environment, "-m", "pytest", *FILES, *chosen)
    assert ended.returncode == 0, ended.stdout[-6000:] + ended.stderr[-2000:]
    assert " passed" in ended.stdout
