"""What ingestion derives from a request and an event: what it was sent with, and where the visitor came from."""
