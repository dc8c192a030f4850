"""The Prometheus metrics of a worker process; worker/health.py serves them."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from db.store.events import Stored

WORKER = CollectorRegistry()
ProcessCollector(registry=WORKER)

FLUSH_SECONDS = Histogram(
    "tjra_flush_duration_seconds",
    "Time from the start of a flush to its commit, including the wait for PostgreSQL.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600),
    registry=WORKER,
)
FLUSH_EVENTS = Histogram(
    "tjra_flush_events",
    "Events per flush, new or not.",
    buckets=(1, 10, 100, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000),
    registry=WORKER,
)
EVENTS_STORED = Counter("tjra_events_stored", "New events that were stored.", registry=WORKER)
EVENTS_DUPLICATE = Counter("tjra_events_duplicate", "Events that had been stored before.", registry=WORKER)
TRANSACTION_RETRIES = Counter(
    "tjra_transaction_retries", "Transactions retried after a transient error.", registry=WORKER
)
POSTGRESQL_UP = Gauge("tjra_postgresql_up", "0 while the worker waits for PostgreSQL, else 1.", registry=WORKER)
POSTGRESQL_UP.set(1)
MESSAGE_RETRIES = Counter("tjra_message_retries", "Failed messages that will be retried.", registry=WORKER)
MESSAGES_REQUEUED = Counter("tjra_messages_requeued", "Messages put back into their queue unchanged.", registry=WORKER)
MAINTENANCE_FAILURES = Counter(
    "tjra_maintenance_failures",
    "Failed attempts to advance a rollup of a site, or to delete its expired events; the log names the site.",
    ["rollup"],
    registry=WORKER,
)
DEAD_LETTERS = Counter("tjra_dead_letters", "Messages and events that were dead-lettered.", registry=WORKER)


def count_flush(flush: Stored, *, seconds: float) -> None:
    """Count a committed flush."""
    FLUSH_SECONDS.observe(seconds)
    FLUSH_EVENTS.observe(flush.received)
    EVENTS_STORED.inc(flush.stored)
    EVENTS_DUPLICATE.inc(flush.duplicates)
    DEAD_LETTERS.inc(flush.dead)
