"""Limits: how many requests somebody may send in some time, over all processes."""
