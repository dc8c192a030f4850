"""Benchmarks: `python -m tests.benchmarks`. They print ratios measured in one run, and are no tests."""
