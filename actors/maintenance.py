"""The actors that the clock sends: what a running system needs done now and then.

Where a server is away they do nothing: the clock sends them again.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import dramatiq
from dramatiq.errors import ConnectionClosed

from actors.broker import broker, database, settings
from actors.durable.consumer import redis_errors
from actors.metrics import MAINTENANCE_FAILURES
from actors.queue.accepted_counts import forget_counted, read_accepted
from actors.worker.periodic import Periodic
from db.connections.errors import is_site_error, is_unavailable
from db.expiry import drop_old_events as drop_events
from db.expiry import held_up, told
from db.ledger import balance
from db.rollups.advance import Rollup, advance, sites_behind
from db.store import events

logger = logging.getLogger(__name__)

QUEUE = "maintenance"

#: For how long events are left out of the rollups that are written later: most of those that arrive late, as out of a
#: queue that had to wait, have arrived by then, and need not be added one flush at a time.
OPEN = timedelta(hours=3)
#: After so many seconds the rest is left to the next time, so that others have their turn.
ADVANCING_SECONDS = 45
#: Of the sites that fail in a pass, so many are logged by name.
FAILURES_TOLD = 10


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def make_partitions() -> None:
    """Make the partitions of events for this week and the next two, where they are missing."""
    _do(events.make_partitions_ahead)


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def drop_old_events() -> None:
    """Drop the partitions of events that are older than they are kept; rollups keep their numbers."""
    if settings.retention_days:
        _do(partial(_drop_old_events, days=settings.retention_days))


def _drop_old_events(conn: Any, *, days: int) -> None:
    for name in drop_events(conn, days=days):
        logger.info("dropped %s: its events are more than %d days old", name, days)
    if behind := held_up(conn, days=days):
        logger.warning("events more than %d days old stay: their rollups are not written yet %s", days, told(behind))


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def forget_settled_messages() -> None:
    """Forget the messages that Redis cannot deliver again."""
    _do(events.forget_settled_messages)


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def forget_event_ids() -> None:
    """Forget the ids of events that came so long ago that one which comes again is another event."""
    _do(events.forget_event_ids)


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def count_accepted() -> None:
    """Keep what Redis has counted as accepted, so that the ledger outlives it."""
    _do(_count_accepted)


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def advance_sessions() -> None:
    """Move the rollup of sessions on, which is written later than the others."""
    _do(partial(_advance, "sessions"))


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def advance_path_spans() -> None:
    """Move the sums of paths by month on, which are written later as well."""
    _do(partial(_advance, "path_spans"))


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def advance_top_paths() -> None:
    """Write the top paths of days that are over."""
    _do(partial(_advance, "top_paths"))


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def advance_user_spans() -> None:
    """Move the unions of users by day and month on, which are written later as well."""
    _do(partial(_advance, "user_spans"))


@dramatiq.actor(broker=broker, queue_name=QUEUE)
def advance_user_months() -> None:
    """Move what users did by months on, which is written later as well."""
    _do(partial(_advance, "user_months"))


def _advance(rollup: Rollup, conn: Any) -> None:
    """Move a rollup on, of one site after the other, for as long as it may take.

    A site that fails must not keep the others from it: it is left for the next pass, logged by name and counted.
    """
    enough = time.monotonic() + ADVANCING_SECONDS
    target = datetime.now(UTC) - OPEN
    failed = 0
    for site in sites_behind(conn, rollup, target):
        try:
            while advance(conn, rollup, site, target=target):
                if time.monotonic() > enough:
                    return
        except Exception as error:
            if not is_site_error(error):
                raise
            failed += 1
            MAINTENANCE_FAILURES.labels(rollup).inc()
            if failed <= FAILURES_TOLD:
                logger.error("%s of site %r cannot be moved on: %s", rollup, site, error)
    if failed > FAILURES_TOLD:
        logger.error("%s of %d more sites cannot be moved on", rollup, failed - FAILURES_TOLD)


def _count_accepted(conn: Any) -> None:
    accepted = read_accepted(broker)
    balance.count_accepted(conn, source=accepted.source, counted_at=accepted.counted_at, counts=accepted.counts)
    forget_counted(broker, accepted)


def _do(work: Callable[[Any], None]) -> None:
    """Do it, unless PostgreSQL or Redis is away."""
    try:
        with redis_errors(), database.pool.connection() as conn:
            work(conn)
    except Exception as error:
        if not isinstance(error, ConnectionClosed) and not is_unavailable(error):
            raise
        logger.warning("left for the next time: %s", error)


broker.add_middleware(
    Periodic(
        {
            make_partitions: 3600,
            drop_old_events: 600,
            forget_settled_messages: 3600,
            forget_event_ids: 3600,
            count_accepted: 60,
            advance_sessions: 60,
            advance_path_spans: 60,
            advance_top_paths: 60,
            advance_user_spans: 60,
            advance_user_months: 60,
        }
    )
)
