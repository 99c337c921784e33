"""A Messages request into the body of a Chat Completions request."""
