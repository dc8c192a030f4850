"""Send batches of events to the ingestion API, and wait while it is busy or unavailable."""

import time
from collections.abc import Callable, Sequence

import httpx
import msgspec

from apps.events.responses import Rejected

#: Seconds of unavailability after which we give up; the first and the longest pause between two attempts.
GIVE_UP_AFTER, FIRST_WAIT, LONGEST_WAIT = 60.0, 0.1, 5.0
#: Seconds to wait for a response; the API gives up on its queue much sooner.
TIMEOUT = 30.0

HEADERS = {"Content-Type": "application/json"}


class Undelivered(Exception):
    """The API did not take a batch; the message says why."""


class Sender:
    """Sends through a client whose base URL is the API's. `report` shows a waiting user why the import waits."""

    def __init__(
        self, client: httpx.Client, *, report: Callable[[str], None], give_up_after: float, key: str | None = None
    ) -> None:
        self.client = client
        self.headers = HEADERS | ({"Authorization": f"Bearer {key}"} if key else {})
        #: What to say if the key was refused, so that events were sent without it.
        self.without_key: str | None = None
        self.report = report
        self.give_up_after = give_up_after
        #: Ids of the messages in which the API queued the events.
        self.messages: list[str] = []

    def deliver(self, events: Sequence[bytes]) -> Sequence[Rejected]:
        """Send a batch of JSON objects until the API has it; return those that it refused. Raises Undelivered.

        If a response is lost, sending the batch again is safe: its events have ids.
        """
        body = b"[%b]" % b",".join(events)
        wait, failing_since = FIRST_WAIT, None
        while True:
            try:
                response = self.client.post("/events", content=body, headers=self.headers)
            except httpx.TransportError as error:
                trouble = f"{self.client.base_url} does not answer: {error or type(error).__name__}"
            else:
                if pause := _retry_after(response):
                    wait, failing_since = FIRST_WAIT, None
                    self._wait(pause, "the API is busy: waiting")
                    continue
                if self._is_refused_key(response):
                    continue
                if not response.is_server_error:
                    rejected = _rejected(response)
                    if message := response.headers.get("X-Message-Id"):
                        self.messages.append(message)
                    return rejected
                trouble = _described(response)
            now = time.monotonic()
            failing_since = failing_since or now
            if now + wait > failing_since + self.give_up_after:
                raise Undelivered(f"{trouble} (tried for {self.give_up_after:g} s)")
            self._wait(wait, f"no answer from {self.client.base_url.netloc.decode()}: trying again")
            wait = min(2 * wait, LONGEST_WAIT)

    def _is_refused_key(self, response: httpx.Response) -> bool:
        """Whether the key was refused: events can be sent without one, but are then those of anybody."""
        if response.status_code not in (401, 403) or "Authorization" not in self.headers:
            return False
        self.headers = HEADERS
        self.without_key = (
            f"the key may not send events ({_described(response)}), so they were sent without it: if the site has "
            "secret_orders, their orders do not count; take them back (--undo) before you import them again with a key "
            "with the scope events:write, as they are other events then"
        )
        return True

    def _wait(self, seconds: float, why: str) -> None:
        self.report(why)
        time.sleep(seconds)


class _BatchResponse(msgspec.Struct):
    """The common member of the responses 202 and 400 for a batch that could be read."""

    rejected: list[Rejected]


class _Problem(msgspec.Struct):
    detail: str


def _rejected(response: httpx.Response) -> Sequence[Rejected]:
    if response.status_code in (202, 400):
        try:
            return msgspec.json.decode(response.content, type=_BatchResponse).rejected
        except ValueError:
            pass
    raise Undelivered(_described(response))


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds to wait before sending the batch again, if the API is busy."""
    if response.status_code not in (429, 503) or "Retry-After" not in response.headers:
        return None
    after = response.headers["Retry-After"]
    # A proxy may send a date (RFC 9110, section 10.2.3), which we ignore.
    return min(max(int(after), 0.1), 60) if after.isdecimal() else LONGEST_WAIT


def _described(response: httpx.Response) -> str:
    status = f"{response.url} answered {response.status_code} {response.reason_phrase}"
    try:
        return f"{status}: {msgspec.json.decode(response.content, type=_Problem).detail}"
    except ValueError:
        return status
