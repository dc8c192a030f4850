"""Backups and what becomes of a restore that does not end."""
