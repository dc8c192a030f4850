"""Writing lives."""
