"""Log lines: JSON where LOG_FORMAT says so, from every process."""

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors.broker import broker
from actors.events import store_events
from db.logs import json_lines
from tests.apps.monitoring.test_metrics import values
from tests.builders.factories import batch, event, received
from tests.servers.servers import eventually, until


def read(lines: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines.splitlines()]


def test_a_line_has_its_time_its_origin_and_its_fields() -> None:
    record = logging.getLogger("actors.worker.flusher").makeRecord(
        "actors.worker.flusher",
        logging.INFO,
        __file__,
        1,
        "stored %d events",
        (3,),
        None,
        extra={"stored": 3, "message_ids": ["a", "b"]},
    )
    (line,) = read(json_lines().format(record))
    assert list(line) == ["time", "level", "logger", "message", "stored", "message_ids"]
    assert datetime.fromisoformat(line["time"]).tzinfo is UTC
    assert line["level"] == "INFO"
    assert line["logger"] == "actors.worker.flusher"
    assert line["message"] == "stored 3 events"
    assert line["stored"] == 3
    assert line["message_ids"] == ["a", "b"]


def test_an_error_stays_on_its_line() -> None:
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        record = logging.makeLogRecord({"msg": "failed", "exc_info": sys.exc_info()})
    (line,) = read(json_lines().format(record))
    assert line["message"] == "failed"
    assert line["exc_info"].endswith("ValueError: first\nsecond")


@pytest.fixture
def workers(database_url: str, tmp_path: Path) -> Iterator[Path]:
    """Two worker processes that log as JSON; where they log to."""
    log = tmp_path / "log"
    command = [sys.executable, "-m", "dramatiq", "actors", "--processes", "2", "--threads", "2", "--skip-logging"]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=os.environ | {"LOG_FORMAT": "json"}, stdout=output, stderr=output)
        yield log
        process.terminate()
        process.wait(60)
    read(log.read_text())  # to the last line


def test_workers_log_json_lines_and_each_says_where_it_answers(workers: Path, shop: str) -> None:
    def urls() -> list[str]:
        return re.findall(r"metrics of this worker: (http://[0-9.:]+)", workers.read_text())

    until(lambda: len(urls()) == 2, timeout=60)
    until(lambda: not broker.client.hlen(f"{broker.namespace}:events.msgs"))  # what other tests have left there
    before = events_stored(urls())
    message = store_events.send(batch(received(shop), received(shop)))

    def flushes() -> list[dict[str, Any]]:
        return [line for line in read(workers.read_text()) if message.message_id in line.get("message_ids", ())]

    until(flushes)
    (flush,) = flushes()
    assert (flush["stored"], flush["received"], flush["messages"]) == (2, 2, 1)
    assert flush["milliseconds"] >= 0
    assert flush["message"].startswith("stored 2 of 2 events from 1 messages in ")
    for url in urls():
        assert httpx.get(f"{url}/health").json()["status"] == "ok"
    assert sorted(now - then for now, then in zip(events_stored(urls()), before, strict=True)) == [0, 2]


def events_stored(urls: list[str]) -> list[float]:
    return [values(httpx.get(f"{url}/metrics").text)["tjra_events_stored_total"] for url in urls]


@pytest.mark.parametrize(
    ("app", "path", "message"),
    [
        ("ingestion", "/event", "the queue (Redis) did not take the events"),
        ("reporting", "/stats?site_id=shop", "PostgreSQL cannot answer"),
    ],
)
def test_under_plain_uvicorn_our_lines_are_json_too(app: str, path: str, message: str, unused_port: int) -> None:
    command = [sys.executable, "-m", "uvicorn", f"apps.{app}:app", "--port", str(unused_port), "--log-level", "warning"]
    away = {
        "DATABASE_URL": "host=/nowhere",
        "REDIS_URL": "unix:///nowhere/redis.sock",
        "LOG_FORMAT": "json",
        "AUTH": "off",
    }
    process = subprocess.Popen([*command, "--no-access-log"], env=os.environ | away, stderr=subprocess.PIPE, text=True)
    with httpx.Client(base_url=f"http://127.0.0.1:{unused_port}", timeout=30) as client:
        eventually(lambda: client.get("/health"))
        answer = client.post(path, json=event("shop")) if app == "ingestion" else client.get(path)
    process.terminate()
    _, lines = process.communicate(timeout=30)
    assert answer.status_code == 503
    assert any(line["message"].startswith(message) for line in read(lines))
