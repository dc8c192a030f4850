"""The queue for async apps: sending messages, the queue's state, its counts, and data of ingestion in Redis."""
