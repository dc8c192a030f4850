"""Storing events and dead letters."""
