"""The actor of what is set for a site: its timezone."""

import logging

import dramatiq

from actors.broker import broker, database
from actors.queue.producer import Producer
from actors.queue_names import MAINTENANCE
from db.sites import timezones

logger = logging.getLogger(__name__)


# Without retries: one that comes late would undo what was set meanwhile.
@dramatiq.actor(broker=broker, queue_name=MAINTENANCE, max_retries=0)
def set_timezone(site_id: str, timezone: str) -> None:
    """Set a site's timezone, and make its rollups anew by it; waits for as long as PostgreSQL is away."""
    try:
        before = database.retry_until_available(timezones.set_timezone, site_id, timezone)
    except timezones.UnknownTimezone:
        logger.error("the timezone of %r stays as it is: %r is unknown", site_id, timezone)
        return
    logger.info("the timezone of %r is %s, and was %s before", site_id, timezone, before)


async def queue_timezone(producer: Producer, site_id: str, timezone: str) -> None:
    """Return once the queue has the request to set a site's timezone. Raises QueueUnavailable."""
    await producer.send(set_timezone, (site_id, timezone))
