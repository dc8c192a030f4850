"""Middleware of a worker process: the flusher, the connection pool, periodic messages, the HTTP port."""
