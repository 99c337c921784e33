"""How is the anthropic SDK of the other major version got? Into a folder of its own, by pip."""

import errno
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.sdk import SDK

__all__ = ["NoOtherSdkError", "other_sdk"]

VERSIONS = {1: "2.13.0", 2: "1.17.0"}
"""The major version that is installed -> the exact version of the other one."""
_CACHE = Path(__file__).parents[2] / ".e2e"
_INSTALL = 240.0
"""Seconds: some 45 MB, with what it needs."""


class NoOtherSdkError(Exception):
    """It is not here and can't be had; says why."""


def other_sdk() -> Path:
    """The folder to put before the module path, filled the first time.

    Raises: NoOtherSdkError.
    """
    # Parts of what it needs are compiled for one version of Python.
    home = _CACHE / f"anthropic-{VERSIONS[SDK]}-{sys.implementation.cache_tag}"
    if not home.is_dir():
        _CACHE.mkdir(exist_ok=True)
        _install(home)
    return home


def _install(home: Path) -> None:
    # Elsewhere, and then moved: no other run ever sees half an installation.
    scratch = Path(tempfile.mkdtemp(dir=_CACHE))
    options = ["--quiet", "--no-input", "--retries", "1", "--target", str(scratch)]
    command = [sys.executable, "-m", "pip", "install", *options, f"anthropic=={VERSIONS[SDK]}"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=_INSTALL, text=True)
        scratch.rename(home)
    except subprocess.CalledProcessError as error:
        raise NoOtherSdkError(f"pip: {error.stderr.strip()[-300:]}") from error
    except subprocess.TimeoutExpired as error:
        raise NoOtherSdkError(f"pip took over {_INSTALL:.0f} s") from error
    except OSError as error:
        # Another run has just moved its own there, which is as good.
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
