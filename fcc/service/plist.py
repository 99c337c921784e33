"""What does launchd want to know of fcc on macOS? Source: launchd.plist(5)."""

from collections.abc import Sequence

__all__ = ["LABEL", "launch_agent"]

LABEL = "io.github.fcc"


def launch_agent(command: Sequence[str], config_dir: str, log: str) -> str:
    """The agent of a user: starts at login, and again after a failure."""
    import plistlib  # noqa: PLC0415 - it brings an XML parser, which only macOS needs

    agent = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "EnvironmentVariables": {"FCC_CONFIG_DIR": config_dir, "FCC_LOG_FILE": log},
        "RunAtLoad": True,
        # Exit code 0 is a wish to end; a configuration that can't be used is tried once in a while.
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 30,
        "ExitTimeOut": 40,
        "ProcessType": "Interactive",
        "Umask": 0o077,
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    return plistlib.dumps(agent, sort_keys=False).decode()
