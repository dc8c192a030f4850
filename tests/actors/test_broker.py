"""The holes through which the stock broker loses or strands messages: a test each, against a real Redis."""

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import dramatiq
import msgspec
import pytest
from dramatiq.errors import ConnectionClosed

from actors.durable.broker import DurableBroker
from actors.durable.retries import Requeue
from tests.conftest import MakeBroker
from tests.servers.servers import Redis, until
from tests.servers.wire import Wire


@contextmanager
def working(broker: DurableBroker, *, threads: int = 2) -> Iterator[None]:
    worker = dramatiq.Worker(broker, worker_timeout=50, worker_threads=threads)
    worker.start()
    try:
        yield
    finally:
        worker.stop(timeout=5_000)


def counting(broker: DurableBroker, **options: Any) -> tuple["dramatiq.Actor[..., None]", Counter[str]]:
    """An actor that counts how often it ran with which name."""
    runs: Counter[str] = Counter()

    @dramatiq.actor(broker=broker, **options)
    def count(name: str) -> None:
        runs[name] += 1

    return count, runs


def settled(broker: DurableBroker) -> bool:
    """Whether Redis holds no message any more, dead letters aside."""
    keys = cast("list[bytes]", broker.client.keys("test:default*"))
    return not [key for key in keys if b".XQ" not in key]


def test_a_message_whose_retry_meets_an_absent_redis_runs_again(redis: Redis, make_broker: MakeBroker) -> None:
    broker = make_broker()
    runs = []

    @dramatiq.actor(broker=broker)
    def fail_without_redis() -> None:
        runs.append(time.monotonic())
        if len(runs) == 1:
            redis.child.kill()
            raise RuntimeError("as Redis is away")

    fail_without_redis.send()
    with working(broker):
        until(lambda: redis.child.exit_code() is not None)
        time.sleep(0.5)
        redis.start()
        until(lambda: len(runs) == 2)
        until(lambda: settled(broker))


def test_delayed_messages_run_after_a_restart_of_redis(redis: Redis, make_broker: MakeBroker) -> None:
    broker = make_broker()
    count, runs = counting(broker)
    for number in range(6):
        count.send_with_options(args=(f"delayed {number}",), delay=1_000)
    with working(broker):
        until(lambda: len(broker.held["default.DQ"]) == 6)
        redis.restart()
        until(lambda: len(runs) == 6)
        until(lambda: settled(broker))


def test_messages_whose_fetch_reply_was_lost_are_delivered(redis: Redis, make_broker: MakeBroker) -> None:
    wire = Wire(redis.server.socket)
    broker = make_broker(f"redis://127.0.0.1:{wire.port}/0")
    count, runs = counting(broker)
    with working(broker):
        wire.lose_reply_of = 200
        for number in range(20):
            make_broker().enqueue(count.message(f"message {number}"))
        until(lambda: len(runs) == 20)
        assert wire.lost == 1
        until(lambda: settled(broker))
    wire.close()


def test_delayed_messages_run_after_redis_stalled(redis: Redis, make_broker: MakeBroker) -> None:
    broker = make_broker()
    count, runs = counting(broker)
    count.send_with_options(args=("before",), delay=600)
    with working(broker):
        until(lambda: broker.held["default.DQ"])
        redis.signal(signal.SIGSTOP)
        time.sleep(1.5)
        redis.signal(signal.SIGCONT)
        until(lambda: runs["before"])
        count.send_with_options(args=("after",), delay=100)
        until(lambda: runs["after"])


@pytest.mark.parametrize(
    "data",
    [b"\xc1garbage", b"", msgspec.msgpack.encode([1]), msgspec.msgpack.encode({"queue_name": "default"})],
    ids=repr,
)
def test_an_unreadable_message_is_set_aside_and_those_behind_it_run(make_broker: MakeBroker, data: bytes) -> None:
    broker = make_broker()
    count, runs = counting(broker)
    broker.client.hset("test:default.msgs", "bad", data)
    broker.client.rpush("test:default", "bad")
    for number in range(5):
        count.send(f"message {number}")
    with working(broker):
        until(lambda: len(runs) == 5)
        until(lambda: settled(broker))
    assert broker.client.hgetall("test:default.XQ.msgs") == {b"bad": data}


def test_a_message_of_an_unknown_actor_is_set_aside(make_broker: MakeBroker) -> None:
    broker = make_broker()
    count, runs = counting(broker)
    broker.enqueue(dramatiq.Message("default", "nobody", (), {}, {}))
    count.send("message")
    with working(broker):
        until(lambda: runs["message"])
        until(lambda: settled(broker))
    assert broker.client.zcard("test:default.XQ") == 1


def test_a_worker_that_holds_all_it_may_is_not_taken_for_dead(make_broker: MakeBroker) -> None:
    busy, idle = make_broker(), make_broker()
    runs: Counter[str] = Counter()

    @dramatiq.actor(broker=busy)
    def take_long(name: str) -> None:
        runs[name] += 1
        time.sleep(2.5)

    for name in ("a", "b"):
        take_long.send(name)
    with working(busy, threads=1):
        until(lambda: len(busy.held["default"]) == 2)
        idle.declare_actor(take_long)
        with working(idle, threads=1):
            until(lambda: len(runs) == 2)
    assert runs == {"a": 1, "b": 1}


def test_the_messages_of_a_dead_worker_go_to_the_living(make_broker: MakeBroker) -> None:
    dead, living = make_broker(), make_broker()
    count, runs = counting(living)
    for number in range(10):
        count.send(f"message {number}")
    assert len(dead.do_fetch("default", 10)) == 10
    with working(living):
        until(lambda: len(runs) == 10)
        until(lambda: settled(living))


def test_a_command_whose_reply_was_lost_is_not_repeated(redis: Redis, make_broker: MakeBroker) -> None:
    wire = Wire(redis.server.socket)
    broker = make_broker(f"redis://127.0.0.1:{wire.port}/0")
    count, _ = counting(broker)
    count.send("first")
    wire.lose_reply_of = 1
    with pytest.raises(ConnectionClosed):
        count.send("second")
    assert make_broker().client.llen("test:default") == 2
    wire.close()


def test_a_message_that_is_given_back_is_as_it_was(make_broker: MakeBroker) -> None:
    broker = make_broker()
    retries = []

    @dramatiq.actor(broker=broker, max_retries=0)
    def give_back_twice() -> None:
        (message,) = cast("list[bytes]", broker.client.hvals("test:default.msgs"))
        retries.append(dramatiq.Message.decode(message).options.get("retries"))
        if len(retries) < 3:
            raise Requeue("not now")

    give_back_twice.send()
    with working(broker):
        until(lambda: settled(broker))
    assert retries == [None, None, None]


def test_what_a_stopping_worker_has_fetched_goes_back(make_broker: MakeBroker) -> None:
    broker = make_broker()
    started = []

    @dramatiq.actor(broker=broker)
    def take_a_while() -> None:
        started.append(time.monotonic())
        time.sleep(0.5)

    for _ in range(20):
        take_a_while.send()
    with working(broker):
        until(lambda: len(started) == 2)
    assert broker.client.llen("test:default") == 20 - len(started)
    assert not broker.client.keys("test:__acks__*")


def test_an_idle_worker_writes_nothing(make_broker: MakeBroker) -> None:
    broker = make_broker(pause=1_000)
    counting(broker)
    with working(broker):
        time.sleep(0.3)
        before = broker.client.info("persistence")["aof_current_size"]
        time.sleep(0.5)
        assert broker.client.info("persistence")["aof_current_size"] == before


def test_a_stop_does_not_wait_for_an_absent_redis(redis: Redis, make_broker: MakeBroker) -> None:
    broker = make_broker()
    running, going_on = threading.Event(), threading.Event()

    @dramatiq.actor(broker=broker)
    def wait() -> None:
        running.set()
        going_on.wait()

    wait.send()
    with working(broker):
        assert running.wait(10)
        redis.child.kill()
        threading.Timer(0.2, going_on.set).start()
    redis.start()
    assert broker.client.hlen("test:default.msgs") == 1
    assert not broker.held["default"]
