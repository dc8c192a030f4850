"""What is in the queue, as the tests see it while no worker runs."""

import json
from typing import Any, cast

from dramatiq.message import Message

from actors.queue import broker


def queued(site: str) -> list[dict[str, Any]]:
    """The events of a site that wait in the queue."""
    messages = cast("dict[bytes, bytes]", broker.client.hgetall(f"{broker.namespace}:events.msgs"))
    batches: list[list[dict[str, Any]]] = [json.loads(Message.decode(data).args[0]) for data in messages.values()]
    return [event for batch in batches for event in batch if event["site_id"] == site]
