"""What every end-to-end test has: a scripted upstream, a daemon before it, and clients of both."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from anthropic import Anthropic, DefaultHttpxClient

from tests.e2e.claude import NoClaudeCodeError, Room, claude_code
from tests.e2e.daemon import TOKEN, daemon
from tests.e2e.upstream import MODEL, OTHER_MODEL, Upstream


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def url(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The daemon's URL, with every model going to the upstream's."""
    with daemon(tmp_path_factory.mktemp("daemon"), upstream.url, "--model", MODEL) as running:
        yield running


@pytest.fixture
def tiers_url(upstream: Upstream, tmp_path: Path) -> Iterator[str]:
    """The URL of a daemon that sends the families of models to different ones."""
    config = f'[models]\nopus = "{MODEL}"\nhaiku = "{OTHER_MODEL}"\n'
    with daemon(tmp_path / "tiers", upstream.url, config=config) as running:
        yield running


@pytest.fixture(scope="session")
def binary() -> Path:
    try:
        return claude_code()
    except NoClaudeCodeError as error:
        pytest.skip(str(error))


@pytest.fixture
def room(binary: Path, url: str, tmp_path: Path) -> Room:
    return Room(binary, url, TOKEN, tmp_path / "room")


@pytest.fixture
def client(url: str) -> Iterator[Anthropic]:
    transport = DefaultHttpxClient(trust_env=False)
    with Anthropic(
        base_url=url, api_key=TOKEN, max_retries=0, timeout=60, http_client=transport
    ) as client:
        yield client


@pytest.fixture
def run(request: pytest.FixtureRequest) -> str:
    """Names the test in cues and in the upstream's record."""
    return "".join(c if c.isalnum() else "-" for c in request.node.name)


@pytest.fixture(autouse=True)
def _every_request_was_one_a_strict_provider_takes(upstream: Upstream) -> Iterator[None]:
    before = len(upstream.violations())
    yield
    assert upstream.violations()[before:] == []
