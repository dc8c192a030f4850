"""Sending batches, and how the command ends, against an API that does not always do what one would like."""

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from apps.events.endpoints import BATCH_BYTES
from apps.events.validation import MAX_BATCH
from apps.importing import importer
from apps.importing.sender import Sender, Undelivered
from tests.builders.wired import wired

EVENT = b'{"path":"/"}'
#: No statuses: the API closes the connection without an answer, and the person in front presses Ctrl-C.
HANG_UP, INTERRUPT = 0, 1


class Api(ThreadingHTTPServer):
    """Answers /events as it is told in `answers`, one after the other, and then 202; keeps the batches it took."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers: list[tuple[int, dict[str, str], Any]] = []
        self.taken: list[list[Any]] = []
        self.sizes: list[int] = []
        #: The header Authorization of each request.
        self.keys: list[str | None] = []
        self.connections = 0

    def process_request(self, *request: Any) -> None:
        self.connections += 1
        super().process_request(*request)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Api

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, headers, answer = self.server.answers.pop(0) if self.server.answers else (202, {}, {"rejected": []})
        if status in (HANG_UP, INTERRUPT):
            if status == INTERRUPT:
                signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
            self.close_connection = True
            return
        self.server.keys.append(self.headers["Authorization"])
        if status == 202:
            self.server.taken.append(json.loads(body))
            self.server.sizes.append(len(body))
        content = msgspec.json.encode(answer)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def said() -> list[str]:
    """What a person who waits was told."""
    return []


@pytest.fixture
def deliver(api: Api, said: list[str]) -> Iterator[Any]:
    with httpx.Client(base_url=api.url) as client:
        yield Sender(client, report=said.append, give_up_after=0.3).deliver


def run(path: Path, url: str, **parts: Any) -> Result:
    return CliRunner().invoke(wired("import", **parts), ["import", str(path), "--site", "shop", "--url", url])


def closed_port() -> str:
    """The address of a port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_rejected_events_come_back(api: Api, deliver: Any) -> None:
    rejected = [{"index": 1, "errors": [{"field": "path", "reason": "is missing", "allowed": "text"}]}]
    api.answers = [(202, {}, {"rejected": rejected}), (400, {}, {"detail": "no event is valid", "rejected": rejected})]
    assert [one.index for one in deliver([EVENT, b"{}"])] == [1]
    assert [one.index for one in deliver([b"{}", b"{}"])] == [1]


def test_a_busy_api_gets_the_same_batch_again_when_it_asked_for_it(api: Api, deliver: Any, said: list[str]) -> None:
    api.answers = [(503, {"Retry-After": "0"}, {})] * 5 + [(429, {"Retry-After": "0"}, {})]
    assert list(deliver([EVENT, EVENT])) == []
    assert api.taken == [[{"path": "/"}] * 2]
    assert set(said) == {"the API is busy: waiting"}
    assert api.connections == 1


def test_it_waits_as_long_as_it_is_asked_to(api: Api, deliver: Any) -> None:
    api.answers = [(503, {"Retry-After": "1"}, {})]
    start = time.monotonic()
    deliver([EVENT])
    assert time.monotonic() - start >= 1


def test_an_api_that_fails_for_a_moment_is_tried_again(api: Api, deliver: Any, said: list[str]) -> None:
    api.answers = [(502, {}, "Bad Gateway")]
    deliver([EVENT])
    assert api.taken
    assert said[0].startswith("no answer from 127.0.0.1:")


def test_a_connection_that_breaks_is_made_anew(api: Api, deliver: Any) -> None:
    api.answers = [(HANG_UP, {}, {})]
    deliver([EVENT])
    assert api.taken == [[{"path": "/"}]]
    assert api.connections == 2


@pytest.mark.parametrize(
    ("status", "answer", "words"),
    [
        (
            500,
            {"detail": "something failed here"},
            "500 Internal Server Error: something failed here (tried for 0.3 s)",
        ),
        (503, {}, "503 Service Unavailable"),
        (404, {"detail": "Not Found"}, "/events answered 404 Not Found: Not Found"),
        (413, "no JSON of ours", "413"),
        (400, {"detail": "the batch should be a JSON array"}, "the batch should be"),
        (202, {"hello": "world"}, "answered 202"),
    ],
)
def test_an_api_that_does_not_take_a_batch_ends_it(
    api: Api, deliver: Any, status: int, answer: Any, words: str
) -> None:
    api.answers = [(status, {}, answer)] * 20
    with pytest.raises(Undelivered) as error:
        deliver([EVENT])
    assert words in str(error.value)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_may_not_send_is_left_out_and_told(api: Api, status: int) -> None:
    api.answers = [(202, {}, {"rejected": []}), (status, {}, {"detail": "the key lacks the scope events:write"})]
    with httpx.Client(base_url=api.url) as client:
        sender = Sender(client, report=print, give_up_after=0.3, key="tjra_k_x")
        sender.deliver([EVENT])
        assert sender.without_key is None
        sender.deliver([EVENT])
        sender.deliver([EVENT])
    assert api.keys == ["Bearer tjra_k_x"] * 2 + [None] * 2
    assert len(api.taken) == 3
    assert "lacks the scope events:write" in str(sender.without_key)


def test_a_server_that_is_gone_ends_it_after_a_while() -> None:
    with httpx.Client(base_url=closed_port()) as client, pytest.raises(Undelivered, match="Connection refused"):
        Sender(client, report=print, give_up_after=0.3).deliver([EVENT])


def test_batches_stay_under_the_limits_of_the_api(api: Api, tmp_path: Path) -> None:
    assert importer.BATCH_EVENTS <= MAX_BATCH
    assert importer.BATCH_BYTES + importer.EVENT_BYTES < BATCH_BYTES
    path = tmp_path / "events.ndjson"
    row = {"event_type": "page_view", "path": "/", "timestamp": 1, "properties": {"text": "x" * 30_000}}
    path.write_bytes(msgspec.json.Encoder().encode_lines([row] * 300))
    assert "300 sent" in run(path, api.url).output
    assert len(api.sizes) == 3
    assert max(api.sizes) < BATCH_BYTES
