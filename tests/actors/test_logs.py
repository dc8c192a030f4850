"""No line of the log has the content of a message, whoever writes it: events are about people."""

import io
import logging
from collections.abc import Iterator
from typing import Any

import dramatiq
import pytest
from dramatiq.broker import MessageProxy
from dramatiq.brokers.stub import StubBroker
from dramatiq.errors import ConnectionClosed
from dramatiq.worker import Worker

from db import logs

SECRET = "u13@example.com"
EVENTS = b'[{"site_id":"shop","user_id":"%b"}]' % SECRET.encode()
MESSAGE: Any = dramatiq.Message(
    queue_name="events", actor_name="store_events", args=(EVENTS,), kwargs={"more": SECRET}, options={"who": SECRET}
)


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is written by all loggers, from debug on."""
    handler = logs.Lines()
    stream = io.StringIO()
    handler.setStream(stream)
    handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.setLevel(level)
    root.removeHandler(handler)


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("%s", (MESSAGE,)),
        ("%r", (MESSAGE,)),
        ("%s", (MessageProxy(MESSAGE),)),
        ("args=%r kwargs=%r", (MESSAGE.args, MESSAGE.kwargs)),
        ("%s", (EVENTS,)),
        ("%s", (MESSAGE.asdict(),)),
        ("%(args)s", ({"args": MESSAGE.args},)),
        ("%s", ([MESSAGE],)),
    ],
)
def test_a_message_is_logged_without_its_content(written: io.StringIO, text: str, given: tuple[Any, ...]) -> None:
    logging.getLogger("some.library").warning(text, *given)
    assert "some.library" in written.getvalue()
    assert SECRET not in written.getvalue()


def test_a_message_is_named_by_its_actor_and_id(written: io.StringIO) -> None:
    logging.getLogger("some.library").warning("lost: %s", MessageProxy(MESSAGE))
    assert f"lost: store_events {MESSAGE.message_id}\n" in written.getvalue()


@pytest.mark.usefixtures("dramatiq_hurries")
def test_dramatiq_logs_no_content_when_the_broker_goes_away(
    written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that Dramatiq says of a message that is received, fails and cannot be acknowledged."""
    broker = StubBroker(middleware=[])

    @dramatiq.actor(broker=broker, queue_name="events")
    def take(events: str, more: str) -> None:
        if more == "fails":
            raise ValueError("it failed")

    failures = iter([ConnectionClosed("Redis is gone")] * 2)

    worker = Worker(broker, worker_threads=1)
    consumer_class = broker.consume

    def consume(*args: Any, **kwargs: Any) -> Any:
        consumer = consumer_class(*args, **kwargs)
        ack = consumer.ack

        def failing(message: Any) -> None:
            if failure := next(failures, None):
                raise failure
            ack(message)

        monkeypatch.setattr(consumer, "ack", failing)
        return consumer

    monkeypatch.setattr(broker, "consume", consume)
    worker.start()
    try:
        take.send(EVENTS.decode(), more=SECRET)
        broker.join("events", timeout=10_000)
        take.send(EVENTS.decode(), more="fails")
        broker.join("events", timeout=10_000, fail_fast=False)
    finally:
        worker.stop()
    text = written.getvalue()
    assert "Failed to post_process_message(take " in text
    assert "Failed to process message take " in text
    assert "Received args=" in text
    assert SECRET not in text
