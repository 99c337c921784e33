"""Tool calls that a model wrote as text: found while streaming, and nothing else touched."""
