"""`python -m fcc` and the `fcc` command."""

from fcc.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
