"""An upstream stream into an Anthropic message: bytes -> pieces -> events."""
