"""The names of the queues."""

#: Messages with events, from ingestion.
EVENTS = "events"
#: Requests to dead-letter a message, to replay dead letters and to discard them.
DEAD_LETTERS = "dead_letters"
#: Maintenance, and changes of a site's settings.
MAINTENANCE = "maintenance"
