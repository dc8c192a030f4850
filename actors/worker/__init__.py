"""What runs in a worker process beside the actors: the flusher, the pool, periodic messages, its port."""
