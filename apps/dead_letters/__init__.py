"""GET /dead-letters, replaying and discarding."""
