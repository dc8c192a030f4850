"""Deferred rollups, and recounting all of them."""
