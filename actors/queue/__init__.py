"""The queue as async apps see it: sending to it, its state, its counts, what Redis keeps for ingestion."""
