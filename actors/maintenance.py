"""Maintenance: the actors that are sent periodically.

Where a server is unavailable they do nothing, and are sent again.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, get_args

import dramatiq
from dramatiq.errors import ConnectionClosed

from actors.broker import broker, database
from actors.durable.consumer import redis_errors
from actors.metrics import MAINTENANCE_FAILURES
from actors.queue.accepted_counts import forget_counted, read_accepted
from actors.queue_names import MAINTENANCE
from actors.worker.periodic import Period, Periodic
from db.connections.errors import is_site_error, is_unavailable
from db.expiry import drop_old_events as drop_events
from db.expiry import held_up, told
from db.ledger import balance
from db.rollups.advance import Rollup, sites_behind
from db.rollups.advance import advance as advance_site
from db.store import events

logger = logging.getLogger(__name__)

#: How long events are left out of deferred rollups: most of those that arrive late, as out of a queue that had to wait,
#: have arrived by then, and need not be added one flush at a time.
OPEN = timedelta(hours=3)
#: After so many seconds the rest is left to the next time, so that others have their turn.
ADVANCING_SECONDS = 45
#: Of the sites that fail in a pass, so many are logged by name.
FAILURES_TOLD = 10


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def make_partitions() -> None:
    """Make the partitions of events for this week and the next two, where they are missing."""
    _do(events.make_partitions_ahead)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def drop_old_events() -> None:
    """Drop the partitions of events that are older than they are kept; rollups keep their numbers."""
    if days := database.settings.retention_days:
        _do(partial(_drop_old_events, days=days))


def _drop_old_events(conn: Any, *, days: int) -> None:
    for name in drop_events(conn, days=days):
        logger.info("dropped %s: its events are more than %d days old", name, days)
    if behind := held_up(conn, days=days):
        logger.warning("events more than %d days old stay: their rollups are not written yet %s", days, told(behind))


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def forget_settled_messages() -> None:
    """Forget the messages that Redis cannot deliver again."""
    _do(events.forget_settled_messages)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def forget_event_ids() -> None:
    """Forget the ids of events that came so long ago that one which comes again is another event."""
    _do(events.forget_event_ids)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def count_accepted() -> None:
    """Keep what Redis has counted as accepted, so that the ledger outlives it."""
    _do(_count_accepted)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def advance(rollup: Rollup) -> None:
    """Advance a deferred rollup."""
    _do(partial(_advance, rollup))


def _advance(rollup: Rollup, conn: Any) -> None:
    """Advance a rollup, of one site after the other, for at most ADVANCING_SECONDS.

    A site that fails does not keep the others from it: it is left for the next pass, logged by name and counted.
    """
    enough = time.monotonic() + ADVANCING_SECONDS
    target = datetime.now(UTC) - OPEN
    failed = 0
    for site in sites_behind(conn, rollup, target):
        try:
            while advance_site(conn, rollup, site, target=target):
                if time.monotonic() > enough:
                    return
        except Exception as error:
            if not is_site_error(error):
                raise
            failed += 1
            MAINTENANCE_FAILURES.labels(rollup).inc()
            if failed <= FAILURES_TOLD:
                logger.error("%s of site %r cannot be advanced: %s", rollup, site, error)
    if failed > FAILURES_TOLD:
        logger.error("%s of %d more sites cannot be advanced", rollup, failed - FAILURES_TOLD)


def _count_accepted(conn: Any) -> None:
    accepted = read_accepted(broker)
    balance.count_accepted(conn, source=accepted.source, counted_at=accepted.counted_at, counts=accepted.counts)
    forget_counted(broker, accepted)


def _do(work: Callable[[Any], None]) -> None:
    """Do it, unless PostgreSQL or Redis is unavailable."""
    try:
        with redis_errors(), database.pool.connection() as conn:
            work(conn)
    except Exception as error:
        if not isinstance(error, ConnectionClosed) and not is_unavailable(error):
            raise
        logger.warning("left for the next time: %s", error)


broker.add_middleware(
    Periodic(
        [
            Period(make_partitions, 3600),
            Period(drop_old_events, 600),
            Period(forget_settled_messages, 3600),
            Period(forget_event_ids, 3600),
            Period(count_accepted, 60),
            *(Period(advance, 60, (rollup,)) for rollup in get_args(Rollup)),
        ]
    )
)
