"""Is anything lost? GET /accounting, and GET /events/{event_id}."""
