"""Advancing deferred rollups, and recounts of all rollups."""
