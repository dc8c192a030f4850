"""Dramatiq on Redis without the holes through which the stock broker loses or strands messages."""
