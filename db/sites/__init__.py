"""A site: its timezone, and deleting it."""
