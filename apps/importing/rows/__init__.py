"""Convert a row of a file to an event."""
