"""Dramatiq on Redis, with fixes for cases in which the stock broker loses or strands messages."""
