"""`python -m fcc` and the `fcc` command."""

import gc

__all__ = ["main"]


def main() -> None:
    """Run the command line."""
    # What is imported stays, and looking through it takes a tenth of a short command's time. The
    # collector begins when a command has been imported.
    gc.disable()
    from fcc.cli.main import main as run  # noqa: PLC0415

    run()


if __name__ == "__main__":
    main()
