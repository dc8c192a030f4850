"""Storing messages together, and isolating poison events if that fails: the only place that decides what is poison."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
import psycopg
from psycopg import Connection

from db.connections.errors import is_data_error
from db.connections.pools import writing
from db.store.dead_letters import Failure, Letter, event_letter, file_letters, message_letter, site_of, time_of
from db.store.events import (
    AlreadySettled,
    Message,
    Stored,
    json_array,
    lock_sites,
    make_partitions_for,
    settle_message,
    store_events,
    store_messages,
)

_elements = msgspec.json.Decoder(list[msgspec.Raw]).decode


class StoreApart(Exception):
    """One of several messages is processed already, or has an event that cannot be stored: store each one alone."""


def store(conn: Connection, messages: Sequence[Message], *, queue: str) -> Stored:
    """Store messages together; events of a single message that cannot be stored become dead letters.

    Raises StoreApart if several messages cannot be stored together, and psycopg's errors that are not data errors.
    """
    try:
        try:
            return store_messages(conn, messages)
        except Exception as error:
            if len(messages) > 1 or not is_data_error(error):
                raise
        return store_apart(conn, messages[0], queue=queue)
    except AlreadySettled:
        if len(messages) > 1:
            raise StoreApart from None
        return Stored(0, 0)
    except Exception as error:
        if len(messages) > 1 and is_data_error(error):
            raise StoreApart from None
        raise


def store_apart(conn: Connection, message: Message, *, queue: str, now: datetime | None = None) -> Stored:
    """Store the valid events of a message and dead-letter the others, in one transaction, once it has its partitions.

    Bisects the events: a half that cannot be stored is halved again, until each bad event is alone.
    """
    try:
        events = list(enumerate(_elements(message.events)))
    except ValueError as error:
        return file_message(conn, message, Failure(str(error)), queue=queue, now=now)
    make_partitions_for(conn, filter(None, (time_of(event) for _, event in events)), now=now)
    with writing(conn):
        settle_message(conn, message.id, now=now)
        lock_sites(conn, filter(None, (site_of(event) for _, event in events)))
        letters: list[Letter] = []
        stored = 0
        parts = [events] if events else []
        while parts:
            part = parts.pop()
            try:
                with conn.transaction():
                    stored += store_events(conn, json_array(event for _, event in part), now=now).stored
            except psycopg.Error as error:
                if not is_data_error(error):
                    raise
                if len(part) > 1:
                    middle = len(part) // 2
                    parts += [part[middle:], part[:middle]]
                else:
                    letters.append(event_letter(queue, message.id, *part[0], failure_of(error)))
        file_letters(conn, letters)
    return Stored(len(events), stored, dead=len(letters))


def file_message(
    conn: Connection, message: Message, failure: Failure, *, queue: str, now: datetime | None = None
) -> Stored:
    """Dead-letter all events of a message, for a reason that is not in the events."""
    with writing(conn):
        settle_message(conn, message.id, now=now)
        try:
            events = _elements(message.events)
        except ValueError:
            file_letters(conn, [message_letter(queue, message.id, message.events, failure)])
            return Stored(0, 0, dead=1)
        lock_sites(conn, filter(None, map(site_of, events)))
        file_letters(conn, [event_letter(queue, message.id, *event, failure) for event in enumerate(events)])
    return Stored(len(events), 0, dead=len(events))


def failure_of(error: psycopg.Error) -> Failure:
    """An error of PostgreSQL as the failure of a dead letter."""
    return Failure(error.diag.message_primary or str(error), error.sqlstate)
