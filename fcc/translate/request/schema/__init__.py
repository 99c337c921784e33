"""The JSON Schema of a tool, rewritten for what a provider can read."""
