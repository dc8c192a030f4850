"""Benchmarks of whole systems."""
