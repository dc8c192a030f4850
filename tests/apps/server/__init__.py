"""Limits of connections: tests of apps/server."""
