"""Connections to PostgreSQL: the pools, and the classification of errors."""
