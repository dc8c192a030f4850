"""Maintenance: the actors that are sent periodically.

If a server is unavailable, they do nothing until they are sent again. `database` is this process's, unless a test gives
another.
"""

import logging
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, get_args

import dramatiq
from dramatiq.errors import ConnectionClosed

from actors import people
from actors.broker import broker, database
from actors.durable.consumer import redis_errors
from actors.metrics import MAINTENANCE_FAILURES
from actors.queue.accepted_counts import forget_counted, read_accepted
from actors.queue_names import MAINTENANCE
from actors.worker.periodic import Period, Periodic
from actors.worker.postgres import PostgresPool
from db.connections.errors import is_site_error, is_unavailable
from db.expiry import blocking_sites, describe_lagging
from db.expiry import drop_old_events as drop_events
from db.ledger import balance
from db.people import links
from db.rollups.advance import Rollup, sites_behind
from db.rollups.advance import advance as advance_site
from db.sites import retention
from db.store import events

logger = logging.getLogger(__name__)

#: Deferred rollups leave out events younger than this. Most late events, such as those from a queue that had to wait,
#: arrive within it, and need not be added one flush at a time.
OPEN = timedelta(hours=3)
#: Seconds after which a pass leaves the rest to the next one, so that other maintenance gets its turn.
ADVANCING_SECONDS = 45
#: The same of events that a site's own retention deletes.
DELETING_SECONDS = 45
#: The visitor of each site up to whom the last pass looked at links, where it left some.
_links_after: dict[str, str] = {}
#: Number of failed sites per pass that are logged by name.
MAX_LOGGED_FAILURES = 10


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def make_partitions(*, database: PostgresPool = database) -> None:
    """Create the partitions of events for this week and the next two, if they are missing."""
    _do(database, events.make_partitions_ahead)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def drop_old_events(*, database: PostgresPool = database) -> None:
    """Drop expired partitions of events (RETENTION_DAYS); rollups keep their counts."""
    if days := database.settings.retention_days:
        _do(database, partial(_drop_old_events, days=days))


def _drop_old_events(conn: Any, *, days: int) -> None:
    for name in drop_events(conn, days=days):
        logger.info("dropped %s: its events are more than %d days old", name, days)
    if lagging := blocking_sites(conn, days=days):
        logger.warning(
            "events more than %d days old stay: their rollups are not written yet %s", days, describe_lagging(lagging)
        )


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def delete_expired_of_sites(*, database: PostgresPool = database) -> None:
    """Delete expired events of the sites that have a shorter retention of their own; rollups keep their counts."""
    _do(database, partial(_delete_expired_of_sites, days=database.settings.retention_days))


def _delete_expired_of_sites(conn: Any, *, days: int | None) -> None:
    """Site by site, for at most DELETING_SECONDS, in another order each time: none waits for one with much to delete.

    A site that fails does not block the others: it is logged, counted and left for the next pass.
    """
    deadline = time.monotonic() + DELETING_SECONDS
    sites = retention.sites_with_retention(conn)
    for site in random.sample(sites, len(sites)):
        if time.monotonic() > deadline:
            return
        try:
            if deleted := retention.delete_expired(conn, site, days=days, deadline=deadline):
                logger.info("deleted %d events of site %r: they are older than its retention_days", deleted, site)
        except Exception as error:
            if not is_site_error(error):
                raise
            MAINTENANCE_FAILURES.labels("retention").inc()
            logger.error("expired events of site %r cannot be deleted: %s", site, error)
    for one in retention.site_plan(conn, days=days):
        if one.announced and one.events and not one.rolled_up:
            logger.warning(
                "events of site %r more than %d days old stay: their rollups are not written yet", one.site_id, one.days
            )


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def forget_links(*, database: PostgresPool = database) -> None:
    """Delete links of visitors to users of whom no event is kept."""
    _do(database, _forget_links)


def _forget_links(conn: Any) -> None:
    """Of a site with so many links that time does not suffice, the next pass of this process goes on with the rest."""
    deadline = time.monotonic() + DELETING_SECONDS
    sites = links.sites_with_links(conn)
    for site in random.sample(sites, len(sites)):
        if time.monotonic() > deadline:
            return
        try:
            deleted, after = links.forget_links(conn, site, after=_links_after.pop(site, ""), deadline=deadline)
        except Exception as error:
            if not is_site_error(error):
                raise
            MAINTENANCE_FAILURES.labels("retention").inc()
            logger.error("links of visitors of site %r cannot be deleted: %s", site, error)
            continue
        if after is not None:
            _links_after[site] = after
        if deleted:
            logger.info("deleted %d links of visitors of site %r: no event of theirs is kept", deleted, site)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def forget_settled_messages(*, database: PostgresPool = database) -> None:
    """Delete the ids of processed messages that Redis cannot deliver again."""
    _do(database, events.forget_settled_messages)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def forget_event_ids(*, database: PostgresPool = database) -> None:
    """Delete event ids so old that an event with the same id counts as another event."""
    _do(database, events.forget_event_ids)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def finish_erasures(*, database: PostgresPool = database) -> None:
    """Finish the erasures of people that a worker left, and stop catching what can no longer come."""
    _do(database, people.finish_erasures)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def count_accepted(*, database: PostgresPool = database) -> None:
    """Copy the counts of accepted events from Redis to PostgreSQL, so that the ledger survives a loss of Redis."""
    _do(database, _count_accepted)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def advance(rollup: Rollup, *, database: PostgresPool = database) -> None:
    """Advance a deferred rollup."""
    _do(database, partial(_advance, rollup))


def _advance(rollup: Rollup, conn: Any) -> None:
    """Advance a rollup, site by site, for at most ADVANCING_SECONDS.

    A site that fails does not block the others: it is logged, counted and left for the next pass.
    """
    deadline = time.monotonic() + ADVANCING_SECONDS
    target = datetime.now(UTC) - OPEN
    failed = 0
    for site in sites_behind(conn, rollup, target):
        try:
            while advance_site(conn, rollup, site, target=target):
                if time.monotonic() > deadline:
                    return
        except Exception as error:
            if not is_site_error(error):
                raise
            failed += 1
            MAINTENANCE_FAILURES.labels(rollup).inc()
            if failed <= MAX_LOGGED_FAILURES:
                logger.error("%s of site %r cannot be advanced: %s", rollup, site, error)
    if failed > MAX_LOGGED_FAILURES:
        logger.error("%s of %d more sites cannot be advanced", rollup, failed - MAX_LOGGED_FAILURES)


def _count_accepted(conn: Any) -> None:
    accepted = read_accepted(broker)
    balance.count_accepted(conn, source=accepted.source, counted_at=accepted.counted_at, counts=accepted.counts)
    forget_counted(broker, accepted)


def _do(database: PostgresPool, work: Callable[[Any], None]) -> None:
    """Run `work` with a connection; log and return if PostgreSQL or Redis is unavailable."""
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
            Period(delete_expired_of_sites, 600),
            Period(forget_links, 21_600),
            Period(forget_settled_messages, 3600),
            Period(forget_event_ids, 3600),
            Period(finish_erasures, 600),
            Period(count_accepted, 60),
            *(Period(advance, 60, (rollup,)) for rollup in get_args(Rollup)),
        ]
    )
)
