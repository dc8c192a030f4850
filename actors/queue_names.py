"""The queues: what each is for."""

#: Messages of events, as ingestion queued them.
EVENTS = "events"
#: Requests to dead-letter a message, to replay dead letters and to discard them.
DEAD_LETTERS = "dead_letters"
#: Maintenance, and what is set for a site.
MAINTENANCE = "maintenance"
