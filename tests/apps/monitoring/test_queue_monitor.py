"""The bounds of the queue: past one no event is taken, and each is again as soon as it is below it."""

from collections.abc import Callable

import httpx
import msgspec
import pytest

from actors.queue.state import QueueState
from apps.monitoring.queue_monitor import memory_limit
from db.settings import Settings
from tests.builders.factories import event
from tests.servers.queue import enqueue_old
from tests.servers.servers import until
from tests.servers.watched_queue import WatchedQueue

STATE = QueueState(
    waiting=0,
    held=0,
    delayed=0,
    dead=0,
    filing=0,
    oldest_seconds=0,
    workers=1,
    memory_used=1_000,
    memory_limit=0,
    memory_of_machine=1_000_000,
    eviction_policy="noeviction",
    append_only=True,
    append_failed=False,
)


def fill(queue: WatchedQueue) -> None:
    for _ in range(3):
        enqueue_old(queue.broker, seconds=0)


def age(queue: WatchedQueue) -> None:
    enqueue_old(queue.broker, seconds=500)


def take_memory(queue: WatchedQueue) -> None:
    queue.broker.client.set("ballast", b"x" * 20_000_000)


BOUNDS = [
    (fill, {"queue_max_messages": 3}, "the queue has 3 messages that are not stored yet; the limit is 3 ("),
    (age, {"queue_max_age_seconds": 400}, "s; the limit is 400 s ("),
    (take_memory, {"queue_max_memory_bytes": 20_000_000}, "bytes of memory; the limit is 20,000,000 ("),
]


@pytest.mark.parametrize(("exceed", "bound", "reason"), BOUNDS, ids=["messages", "age", "memory"])
def test_past_a_bound_no_event_is_taken_and_below_it_each_is_again(
    queue: WatchedQueue,
    ingestion: httpx.Client,
    shop: str,
    exceed: Callable[[WatchedQueue], None],
    bound: dict[str, int],
    reason: str,
) -> None:
    def statuses() -> set[int]:
        return {ingestion.post(path, json=body).status_code for path, body in requests}

    one = event(shop)
    requests = [("/event", one), ("/event/", one), ("/events", [one])]
    assert statuses() == {202}
    queue.empty()
    exceed(queue)
    queue.set(**bound)
    queue.look()
    assert statuses() == {503}
    for path, body in requests:
        answer = ingestion.post(path, json=body)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["retry-after"] == "10"
        assert reason in answer.json()["detail"]
        assert f"({next(iter(bound)).upper()})" in answer.json()["detail"]
    queue.empty()
    queue.broker.client.delete("ballast")
    until(lambda: statuses() == {202})


def test_while_redis_is_away_the_last_verdict_stays(queue: WatchedQueue, ingestion: httpx.Client, shop: str) -> None:
    def detail() -> str:
        found: str = ingestion.post("/event", json=event(shop)).json().get("detail", "")
        return found

    fill(queue)
    queue.set(queue_max_messages=3)
    queue.look()
    queue.redis.child.kill()
    assert "QUEUE_MAX_MESSAGES" in detail()
    queue.redis.start()
    queue.empty()
    until(lambda: detail() == "")


def test_the_memory_limit_follows_from_what_redis_has() -> None:
    assert memory_limit(STATE, Settings()) == 600_000
    assert memory_limit(msgspec.structs.replace(STATE, memory_limit=200_000), Settings()) == 160_000
    assert memory_limit(msgspec.structs.replace(STATE, memory_of_machine=None), Settings()) is None
    assert memory_limit(STATE, Settings(queue_max_memory_bytes=5)) == 5
