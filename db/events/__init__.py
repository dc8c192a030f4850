"""The event: its Struct, its limits, and tolerant parsing of what clients send."""
