"""POST /event and POST /events: from a body to a message in the queue."""
