"""The actor that erases a person. Its message does not name them: the database knows whom an erasure is about."""

import logging
from collections.abc import Callable
from typing import Any
from uuid import UUID

import dramatiq
from redis.exceptions import RedisError

from actors.broker import broker, database
from actors.queue.producer import Producer
from actors.queue_names import MAINTENANCE
from db.people import erase, receipts

logger = logging.getLogger(__name__)


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def erase_person(site_id: str, erasure_id: str) -> None:
    """Erase a person in one transaction, remove old rows, and have Redis rewrite its files; once, if sent again."""
    database.retry_until_available(erase.erase, site_id, erasure_id)
    database.retry_until_available(clean_up, site_id, UUID(erasure_id))
    logger.info("the erasure %s is done", erasure_id)


def clean_up(conn: Any, site_id: str, erasure_id: UUID) -> None:
    """After an erasure: remove old rows from PostgreSQL's tables, and what is processed from Redis' files."""
    try:
        erase.vacuum(conn, site_id, erasure_id)
    except Exception as error:
        if not erase.is_refused(error):
            raise
        logger.warning("the tables of the erasure %s are left to autovacuum: %s", erasure_id, error)
    if rewrite_files():
        receipts.note_rewrite(conn, site_id, erasure_id)


def finish_erasures(conn: Any) -> None:
    """Finish what a worker left, have Redis rewrite its files once more, and stop catching what can no longer come."""
    for site_id, erasure_id in receipts.unfinished(conn):
        erase.erase(conn, site_id, erasure_id)
        clean_up(conn, site_id, erasure_id)
    again = receipts.to_rewrite(conn)
    if again and rewrite_files():
        for site_id, erasure_id in again:
            receipts.note_rewrite(conn, site_id, erasure_id)
    receipts.forget_ended(conn)


def rewrite_files() -> bool:
    """Ask Redis to write its files anew, without what is processed; whether it will."""
    client: Any = broker.client
    try:
        rewrite: Callable[[], Any] = (
            client.bgrewriteaof if client.info("persistence").get("aof_enabled") else client.bgsave
        )
        rewrite()
    except RedisError as error:
        # It is doing so already, and began before; or it is not ours to ask. An hour later it is asked again.
        logger.warning("Redis does not rewrite its files: %s", error)
        return False
    return True


async def queue_erasure(producer: Producer, site_id: str, erasure_id: UUID) -> None:
    """Return once the queue has the request to carry out an erasure. Raises QueueUnavailable."""
    await producer.send(erase_person, (site_id, str(erasure_id)))
