"""Umami's protocol."""
