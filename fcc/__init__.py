"""fcc: Claude Code on any OpenAI-compatible backend."""

__version__ = "0.1.0"
