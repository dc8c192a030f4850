"""Metrics of the ingestion app: events, and the messages that carry them to the queue."""

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

from apps.events.responses import BatchProblem
from apps.monitoring.metrics import Requests
from apps.web.problems import Refusal

INGESTION = CollectorRegistry()
ProcessCollector(registry=INGESTION)
REQUESTS = Requests(INGESTION)

EVENTS_ACCEPTED = Counter("tjra_events_accepted", "Events that the queue took.", registry=INGESTION)
EVENTS_REFUSED = Counter(
    "tjra_events_refused",
    "Events that were refused. A body that could not be read counts as one.",
    ("reason",),
    registry=INGESTION,
)
SDK_EVENTS_DROPPED = Counter(
    "tjra_sdk_events_dropped",
    "Events of SDKs that were dropped although the response was a success. The reason is the invalid field "
    "(`event`: not an event at all), `bot`, `key` (unknown key, or one of another site), `origin` (a page that the "
    "site does not name), `engagement` (time on a page) or `type` (unknown message type).",
    ("protocol", "reason"),
    registry=INGESTION,
)
SDK_EVENTS_CUT = Counter(
    "tjra_sdk_events_cut",
    "Events of SDKs with a shortened field: properties, path, or an id (dropped if too long).",
    ("protocol", "field"),
    registry=INGESTION,
)
SDK_BOT_EVENTS = Counter(
    "tjra_sdk_bot_events",
    "Events of SDKs sent by bots, by outcome: dropped (BOTS=drop), marked or kept. "
    "Events with an amount of money are marked, never dropped.",
    ("protocol", "outcome"),
    registry=INGESTION,
)
MESSAGE_EVENTS = Histogram(
    "tjra_message_events",
    "Events in a message that the queue took.",
    buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000),
    registry=INGESTION,
)
MESSAGE_BYTES = Histogram(
    "tjra_message_bytes",
    "Bytes of events in a message that the queue took.",
    buckets=[4**power for power in range(4, 12)],
    registry=INGESTION,
)
ENQUEUE_SECONDS = Histogram(
    "tjra_enqueue_duration_seconds",
    "Time until the queue took a message.",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1),
    registry=INGESTION,
)
ENQUEUE_FAILURES = Counter("tjra_enqueue_failures", "Messages that the queue did not take.", registry=INGESTION)

#: The reason label of a refused request, by its HTTP status.
REASONS = {
    400: "invalid",
    401: "unknown_key",
    403: "forbidden",
    408: "incomplete",
    413: "too_large",
    415: "compression",
    503: "overloaded",
}
INVALID, OVERLOADED, OVER_LIMIT, QUEUE_UNAVAILABLE = (
    EVENTS_REFUSED.labels(reason) for reason in ("invalid", "overloaded", "over_limit", "queue_unavailable")
)


def count_message(*, size: int, events: int, seconds: float) -> None:
    """Count a message of `size` bytes that the queue took."""
    ENQUEUE_SECONDS.observe(seconds)
    MESSAGE_BYTES.observe(size)
    MESSAGE_EVENTS.observe(events)
    EVENTS_ACCEPTED.inc(events)


def count_message_not_taken(*, events: int) -> None:
    """Count a message that the queue did not take, with its events and those that waited behind it."""
    ENQUEUE_FAILURES.inc()
    QUEUE_UNAVAILABLE.inc(events)


def count_refusal(refusal: Refusal) -> None:
    """Count the events of a request that was refused as a whole before it reached the batcher."""
    problem = refusal.problem
    events = len(problem.rejected) if isinstance(problem, BatchProblem) else 1
    EVENTS_REFUSED.labels(REASONS.get(problem.status, "other")).inc(events)
