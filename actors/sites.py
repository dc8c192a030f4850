"""The actor that sets a site's timezone."""

import logging

import dramatiq

from actors.broker import broker, database
from actors.queue.producer import Producer
from actors.queue_names import MAINTENANCE
from db.sites import timezones

logger = logging.getLogger(__name__)


# No retries: a late one would overwrite a newer setting.
@dramatiq.actor(broker=broker, queue_name=MAINTENANCE, max_retries=0)
def set_timezone(site_id: str, timezone: str) -> None:
    """Set a site's timezone and rebuild its rollups; waits while PostgreSQL is unavailable."""
    try:
        before = database.retry_until_available(timezones.set_timezone, site_id, timezone)
    except timezones.UnknownTimezone:
        logger.error("the timezone of %r is unchanged: %r is unknown", site_id, timezone)
        return
    logger.info("the timezone of %r is now %s; it was %s", site_id, timezone, before)


async def queue_timezone(producer: Producer, site_id: str, timezone: str) -> None:
    """Return once the queue has the request to set a site's timezone. Raises QueueUnavailable."""
    await producer.send(set_timezone, (site_id, timezone))
