"""Benchmarks, run by `python -m tests.bench`: what fcc costs beside a byte pass-through."""
