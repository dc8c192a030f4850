"""Shared by all SDK endpoints: converting a request to events, and the responses."""
