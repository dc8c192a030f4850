"""/health, /ready and /metrics of both apps, and the monitor of the queue."""
