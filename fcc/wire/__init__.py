"""The two public formats, byte for byte: the Messages API and Chat Completions."""
