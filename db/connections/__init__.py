"""Connections to PostgreSQL: the pools, and whose fault an error is."""
