"""The event: its Struct, its limits, and reading it from what senders write."""
