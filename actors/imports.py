"""The actor that records imports of files."""

import dramatiq
import msgspec

from actors.broker import broker, database
from actors.queue.producer import Producer
from actors.queue_names import MAINTENANCE
from db.ledger import imports


@dramatiq.actor(broker=broker, queue_name=MAINTENANCE)
def note_import(site_id: str, import_id: str, one: bytes) -> None:
    """Record an import; waits while PostgreSQL is unavailable."""
    database.retry_until_available(imports.note, site_id, import_id, msgspec.json.decode(one, type=imports.Import))


async def queue_import(producer: Producer, site_id: str, import_id: str, one: imports.Import) -> None:
    """Return once the queue has the request to record an import. Raises QueueUnavailable."""
    await producer.send(note_import, (site_id, import_id, msgspec.json.encode(one)))
