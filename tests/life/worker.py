"""Storing as a worker does it, by itself or beside others."""

import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg import Connection
from psycopg.errors import DeadlockDetected

from db.connections.errors import is_data_error
from db.store import events
from db.store.whole_or_apart import store_apart
from tests.life.writing.steps import Message


def delivered(messages: Iterable[Message]) -> list[events.Message]:
    """Messages as the queue delivers them."""
    return [events.Message(one.id, msgspec.json.encode(one.events)) for one in messages]


def flush(conn: Connection[Any], messages: list[Message], now: datetime) -> None:
    """Store messages as a worker does: together; else one by one; else event by event."""
    batches = delivered(messages)
    try:
        events.store_messages(conn, batches, now=now)
    except DeadlockDetected:
        flush(conn, messages, now)
    except events.AlreadySettled:
        for one in messages if len(messages) > 1 else []:
            flush(conn, [one], now)
    except Exception as error:
        if not is_data_error(error):
            raise
        for message in batches:
            _flush_apart(conn, message, now)


def _flush_apart(conn: Connection[Any], message: events.Message, now: datetime) -> None:
    try:
        with suppress(events.AlreadySettled):
            store_apart(conn, message, queue="events", now=now)
    except DeadlockDetected:
        _flush_apart(conn, message, now)


def beside(url: str, other: Callable[[Connection[Any]], object], work: Callable[[], object]) -> None:
    """Do both at once, the first on a connection of its own."""
    faults: list[BaseException] = []

    def do() -> None:
        try:
            with closing(psycopg.connect(url, autocommit=True, prepare_threshold=None)) as conn:
                other(conn)
        except BaseException as error:
            faults.append(error)

    thread = threading.Thread(target=do)
    thread.start()
    work()
    thread.join()
    for fault in faults:
        raise fault
