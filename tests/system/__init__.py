"""Whole systems, as `tjra up` runs them."""
