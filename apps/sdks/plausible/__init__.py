"""Plausible's protocol."""
