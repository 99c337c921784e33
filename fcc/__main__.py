"""`python -m fcc` and the `fcc` command."""

import gc

# What is imported stays, and looking through it takes a tenth of a short command's time. The
# collector begins when a command has been imported (`fcc.cli.main`).
gc.disable()

from fcc.cli.main import main  # noqa: E402

__all__ = ["main"]

if __name__ == "__main__":
    main()
