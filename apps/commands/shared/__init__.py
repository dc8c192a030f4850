"""Shared by the commands: database, options, errors, terminal output."""
