"""Exporting and erasing people."""
