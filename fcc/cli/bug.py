"""`fcc bug`: what may one attach to an issue, so that others can see what happened?"""

import sys
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

import fcc
from fcc.cli.daemon_options import port_option
from fcc.cli.traced import fail, one
from fcc.errors import ConfigError
from fcc.observe.redactor import Redactor
from fcc.observe.trace import HOW_TO_RECORD, Attempt, Trace
from fcc.settings.files import Providers
from fcc.settings.places import replacing
from fcc.settings.profile import Profile

if TYPE_CHECKING:
    from fcc.observe.masking import Masker

__all__ = ["bug"]

_EPILOG = """\b
Examples:
  fcc bug last
  fcc bug req_8f2c --mask -o wrong-tool-call.tar.gz
\b
The bundle has no keys, tokens or cookies in it: they were masked when the request was recorded.
What was said in it is there, unless --mask makes placeholders of it: look before you attach it.
"""

_README: Final = """\
A request through fcc {version}: {id}
{note}
facts.json           what is known of it: way, times, tokens, outcome, headers without secrets
versions.json        fcc, Python, its libraries, the system
profile.toml         what fcc knows of the provider
request.json         what the client asked
attempt-N.body.json  what went to the provider
attempt-N.received   what it answered, byte for byte
sent                 what the client got
upstream.sse         what it answered, with
upstream.expect.json what fcc made of it: a test of fcc is these two files in
                     tests/fixtures/streams, under one name, with what should have been made of it
upstream.error.json  the same of a refusal, for tests/fixtures/errors.json
"""

_LIBRARIES: Final = ("aiohttp", "click", "loguru", "msgspec")


@click.command(epilog=_EPILOG)
@click.argument("id")
@port_option
@click.option(
    "--output",
    "-o",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A .zip or .tar.gz (fcc-bug-ID.zip).",
)
@click.option("--mask", is_flag=True, help="Placeholders of the same length for what was said.")
def bug(id: str, port: int | None, output: Path | None, mask: bool) -> None:
    """Pack a recorded request for an issue; ID is its beginning too, or `last`."""
    trace = one(id, port)
    path = output or Path(f"fcc-bug-{trace.id}.zip")
    files = contents(trace, mask=mask)
    packed = _packed(files, path.name)
    try:
        # For its owner alone: what was said may be in it.
        with replacing(path) as file:
            file.write(packed)
    except OSError as error:
        fail(f"{path}: can't be written: {error.strerror}")
    click.echo(f"{path}: {len(files)} files, {path.stat().st_size:,} bytes")
    if not trace.bodies:
        why = trace.left_out or HOW_TO_RECORD
        click.echo(f"only facts are in it: what was said was not recorded ({why})", err=True)
    elif not mask:
        click.echo("what was said is in it; --mask makes placeholders of that", err=True)


def contents(trace: Trace, *, mask: bool) -> dict[str, bytes]:
    """The bundle's files by name."""
    profile, redactor = _profile(trace), Redactor()
    note = "What was said was replaced by placeholders of the same length." if mask else ""
    readme = _README.format(version=trace.version, id=trace.id, note=note)
    facts = trace.facts("")
    if mask:
        facts.outcome = msgspec.structs.replace(facts.outcome, error="", session="")
        facts.attempts = [msgspec.structs.replace(one, error="") for one in facts.attempts]
    files = {
        "README.txt": readme.encode(),
        "facts.json": _json(facts),
        "versions.json": _json(_versions(trace)),
    }
    if profile is not None:
        files["profile.toml"] = _toml(profile, redactor)
    return files | _said(trace, profile, _masker(trace) if mask else None)


def _masker(trace: Trace) -> "Masker":
    from fcc.observe.fixture import declared_names
    from fcc.observe.masking import Masker

    return Masker(declared_names(trace))


def _toml(profile: Profile, redactor: Redactor) -> bytes:
    """The profile as a file of `providers/`, without what is secret in it."""
    import tomli_w

    hidden = msgspec.to_builtins(profile)
    hidden["headers"] = dict(redactor.headers(profile.headers.items(), profile.headers))
    masked = msgspec.json.decode(redactor.body(_json(hidden)))
    return tomli_w.dumps(_without_nulls(masked)).encode()


def _without_nulls(value: Any) -> Any:
    """TOML has none: what is left out stands for it."""
    if isinstance(value, dict):
        return {key: _without_nulls(part) for key, part in value.items() if part is not None}
    return value


def _said(trace: Trace, profile: Profile | None, masker: "Masker | None") -> dict[str, bytes]:
    """What was said, each way."""
    files: dict[str, bytes] = {}
    if trace.body is not None:
        files["request.json"] = masker.json(trace.body.raw) if masker else trace.body.raw
    for number, attempt in enumerate(trace.attempts, 1):
        if attempt.body is not None:
            body = attempt.body.raw
            files[f"attempt-{number}.body.json"] = masker.json(body) if masker else body
        if attempt.received is not None:
            raw = attempt.received.data.raw
            files[f"attempt-{number}.received"] = masker.stream(raw) if masker else raw
    if trace.sent is not None:
        raw = trace.sent.data.raw
        files["sent"] = masker.stream(raw) if masker else raw
    return files | _as_test(trace, profile, files)


def _as_test(trace: Trace, profile: Profile | None, files: dict[str, bytes]) -> dict[str, bytes]:
    if not trace.bodies or not trace.attempts:
        return {}
    from fcc.observe.fixture import expectation, refusal, streamed

    attempt = streamed(trace)
    if attempt is None:
        last = trace.attempts[-1]
        return {"upstream.error.json": _json(refusal(trace, _as_given(last, trace, files)))}
    model = profile.model(attempt.model) if profile is not None else None
    number = trace.attempts.index(attempt) + 1
    expected = expectation(trace, attempt, files.get("sent", b""), model)
    return {
        "upstream.sse": files[f"attempt-{number}.received"],
        "upstream.expect.json": _json(expected),
    }


def _as_given(attempt: Attempt, trace: Trace, files: dict[str, bytes]) -> Attempt:
    """The attempt with the answer that is in the bundle."""
    from fcc.observe.trace import Data, Stream

    raw = files.get(f"attempt-{len(trace.attempts)}.received", b"")
    return msgspec.structs.replace(attempt, received=Stream(Data.of(raw), []))


def _profile(trace: Trace) -> Profile | None:
    """None where none was asked, or it is not known on this machine."""
    name = trace.attempts[-1].provider if trace.attempts else trace.outcome.provider
    try:
        return Providers().get(name) if name else None
    except ConfigError:
        return None


def _versions(trace: Trace) -> dict[str, Any]:
    import platform
    from importlib.metadata import PackageNotFoundError, version

    libraries: dict[str, str | None] = {}
    for name in _LIBRARIES:
        try:
            libraries[name] = version(name)
        except PackageNotFoundError:
            libraries[name] = None
    return {
        "fcc": fcc.__version__,
        "recorded by fcc": trace.version,
        "client": trace.outcome.client,
        "python": sys.version.split()[0],
        "system": platform.platform(),
        "libraries": libraries,
    }


def _packed(files: dict[str, bytes], name: str) -> bytes:
    packed = BytesIO()
    if name.endswith((".tar.gz", ".tgz")):
        import tarfile

        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for inner, raw in files.items():
                member = tarfile.TarInfo(f"fcc-bug/{inner}")
                member.size, member.mode = len(raw), 0o644
                archive.addfile(member, BytesIO(raw))
    elif name.endswith(".zip"):
        import zipfile

        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for inner, raw in files.items():
                archive.writestr(f"fcc-bug/{inner}", raw)
    else:
        raise click.UsageError(f"--output must end with .zip or .tar.gz, not as {name!r} does")
    return packed.getvalue()


def _json(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=1)
