"""The actors of dead letters: dead-letter a message that failed for good, replay letters, discard letters."""

from collections.abc import Sequence
from contextlib import suppress
from uuid import UUID

import dramatiq
from dramatiq.errors import DecodeError
from dramatiq.message import Message as DramatiqMessage

from actors.broker import broker, database
from actors.metrics import DEAD_LETTERS as DEAD_LETTERS_FILED
from actors.queue.producer import Producer
from actors.queue_names import DEAD_LETTERS, EVENTS
from db.dead_letters import replay as letters
from db.store.dead_letters import Failure, file_unreadable
from db.store.events import AlreadySettled, Message
from db.store.whole_or_apart import file_message


@dramatiq.actor(broker=broker, queue_name=DEAD_LETTERS, max_retries=None)
def file_dead_message(data: bytes, error: str) -> None:
    """Dead-letter the events of a message (`data`, as it was queued) that was unreadable or failed too often."""
    try:
        message = DramatiqMessage.decode(data)
        (events,) = message.args
        failed = Message(str(UUID(message.message_id)), bytes(events))
        failure = Failure(error, attempts=int(message.options.get("retries", 1)))
    except (DecodeError, AttributeError, TypeError, ValueError):
        database.retry_until_available(file_unreadable, data, Failure(error), queue=EVENTS)
        DEAD_LETTERS_FILED.inc()
        return
    with suppress(AlreadySettled):
        DEAD_LETTERS_FILED.inc(database.retry_until_available(file_message, failed, failure, queue=EVENTS).dead)


@dramatiq.actor(broker=broker, queue_name=DEAD_LETTERS)
def replay_dead_letters(letter_ids: list[str], request: str, event: bytes | None = None) -> None:
    """Replay dead letters, one transaction each. `event`: what to store instead of the payload, for a single letter."""
    for letter_id in letter_ids:
        database.retry_until_available(letters.replay, letter_id, request=request, event=event)


@dramatiq.actor(broker=broker, queue_name=DEAD_LETTERS)
def discard_dead_letters(letter_ids: list[str], request: str) -> None:
    """Discard dead letters."""
    database.retry_until_available(letters.discard, letter_ids, request=request)


async def queue_replay(
    producer: Producer, letter_ids: Sequence[UUID], *, request: UUID, event: bytes | None = None
) -> None:
    """Return once the queue has this request to replay dead letters. Raises QueueUnavailable."""
    await producer.send(replay_dead_letters, (list(map(str, letter_ids)), str(request), event))


async def queue_discard(producer: Producer, letter_ids: Sequence[UUID], *, request: UUID) -> None:
    """Return once the queue has this request to discard dead letters. Raises QueueUnavailable."""
    await producer.send(discard_dead_letters, (list(map(str, letter_ids)), str(request)))


broker.file_dead[EVENTS] = file_dead_message.send
