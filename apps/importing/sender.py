"""Sends batches of events to the ingestion API, and waits where it is busy or away."""

import time
from collections.abc import Callable, Sequence

import httpx
import msgspec

from apps.events.validation import Rejected

#: Seconds that the API may be away before we give up, between the first attempts, and at most between two.
PATIENCE, FIRST_WAIT, LONGEST_WAIT = 60.0, 0.1, 5.0
#: Seconds for an answer; the API gives up on its queue much sooner.
TIMEOUT = 30.0

HEADERS = {"Content-Type": "application/json"}


class Undelivered(Exception):
    """The API did not take a batch; the message says why."""


class Sender:
    """Sends through a client whose base URL is the API's. `tell` gets what a person who waits should know."""

    def __init__(self, client: httpx.Client, *, tell: Callable[[str], None], patience: float) -> None:
        self.client = client
        self.tell = tell
        self.patience = patience
        #: The messages in which the API queued what it took.
        self.messages: list[str] = []

    def deliver(self, events: Sequence[bytes]) -> Sequence[Rejected]:
        """Send a batch, JSON objects, until the API has it; those that it refused. Raises Undelivered.

        A batch that was taken without us hearing of it does no harm when it is sent again: its events have ids.
        """
        body = b"[%b]" % b",".join(events)
        wait, away_since = FIRST_WAIT, None
        while True:
            try:
                answer = self.client.post("/events", content=body, headers=HEADERS)
            except httpx.TransportError as error:
                trouble = f"{self.client.base_url} does not answer: {error or type(error).__name__}"
            else:
                if pause := _asked_to_wait(answer):
                    wait, away_since = FIRST_WAIT, None
                    self._wait(pause, "the API is busy: waiting")
                    continue
                if not answer.is_server_error:
                    rejected = _rejected(answer)
                    if message := answer.headers.get("X-Message-Id"):
                        self.messages.append(message)
                    return rejected
                trouble = _words(answer)
            now = time.monotonic()
            away_since = away_since or now
            if now + wait > away_since + self.patience:
                raise Undelivered(f"{trouble} (tried for {self.patience:g} s)")
            self._wait(wait, f"no answer from {self.client.base_url.netloc.decode()}: trying again")
            wait = min(2 * wait, LONGEST_WAIT)

    def _wait(self, seconds: float, why: str) -> None:
        self.tell(why)
        time.sleep(seconds)


class _Answer(msgspec.Struct):
    """What 202 and 400 have in common when the batch could be read."""

    rejected: list[Rejected]


class _Problem(msgspec.Struct):
    detail: str


def _rejected(answer: httpx.Response) -> Sequence[Rejected]:
    if answer.status_code in (202, 400):
        try:
            return msgspec.json.decode(answer.content, type=_Answer).rejected
        except ValueError:
            pass
    raise Undelivered(_words(answer))


def _asked_to_wait(answer: httpx.Response) -> float | None:
    """The seconds after which a busy API wants the batch again."""
    if answer.status_code not in (429, 503) or "Retry-After" not in answer.headers:
        return None
    after = answer.headers["Retry-After"]
    # A proxy may give a date (RFC 9110, section 10.2.3): then we ask again when it suits us.
    return min(max(int(after), 0.1), 60) if after.isdecimal() else LONGEST_WAIT


def _words(answer: httpx.Response) -> str:
    words = f"{answer.url} answered {answer.status_code} {answer.reason_phrase}"
    try:
        return f"{words}: {msgspec.json.decode(answer.content, type=_Problem).detail}"
    except ValueError:
        return words
