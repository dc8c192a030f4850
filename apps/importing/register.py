"""Record an import at the reporting API, and query how many of its events were new."""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from secrets import token_hex
from uuid import UUID

import httpx
import msgspec

from apps.importing.sources import Source
from apps.importing.summary import Summary
from db.ledger.imports import Import, ImportedFile

#: Seconds to wait until workers have stored the events, between two queries, and for a response.
WAIT_FOR_WORKERS, PAUSE, TIMEOUT = 60.0, 0.25, 10.0


class Progress(msgspec.Struct):
    """The response of GET /imports/{import_id}/outcome."""

    waiting: int
    stored: int
    dead: int
    ended_at: datetime | None


class Register:
    """An import: its id, and the API at `url` that records it, if given. A context that closes its connections."""

    def __init__(self, url: str | None, *, key: str | None, site: str, options: Sequence[str]) -> None:
        self.import_id = token_hex(6)
        self.site = site
        self.options = list(options)
        self.began_at = datetime.now(UTC)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT, headers=headers) if url else None
        #: Why the import is not recorded; None if it is.
        self.fault: str | None = None if url else "--reporting-url was not given"

    def __enter__(self) -> "Register":
        return self

    def __exit__(self, *_: object) -> None:
        if self.client is not None:
            self.client.close()

    def begin(self, sources: Sequence[Source]) -> None:
        """Record the start of the import."""
        self._put(Import(files=_files(sources), options=self.options, began_at=self.began_at))

    def end(self, sources: Sequence[Source], tally: Summary, messages: Sequence[str]) -> None:
        """Record what was sent."""
        self._put(
            Import(
                files=[
                    msgspec.structs.replace(file, rows=source.lines.rows, sha256=source.lines.hash.hexdigest())
                    for file, source in zip(_files(sources), sources, strict=True)
                ],
                options=self.options,
                began_at=self.began_at,
                ended_at=datetime.now(UTC),
                read=tally.read,
                sent=tally.sent,
                first_time=tally.judgement.first_time,
                last_time=tally.judgement.last_time,
                messages=[UUID(message) for message in messages],
            )
        )

    def outcome(self, tally: Summary) -> str:
        """The outcome of the events once they are stored, in a few lines."""
        if tally.sent == 0:
            return "nothing was sent"
        if self.fault is None and (progress := self._wait_for_workers()) is not None:
            old = tally.sent - progress.stored - progress.dead
            if old == tally.sent:
                return f"{0:>9,} new\n{old:>9,} duplicates\nnothing changed: these rows were there before"
            lines = [f"{progress.stored:>9,} new", f"{old:>9,} duplicates, which were there before"]
            if progress.dead:
                lines.append(f"{progress.dead:>9,} could not be stored (`tjra dead-letters list --site {self.site}`)")
            if not progress.stored:
                return "\n".join(lines)  # there is nothing to undo
        elif self.fault is None:
            lines = ["not all events are stored yet: `tjra imports` will show how many were new"]
        else:
            lines = [f"the import is not recorded, and it is unknown how many events were new: {self.fault}"]
        lines.append(f"to take it back: tjra import --undo {self.import_id} --site {self.site}")
        return "\n".join(lines)

    def _wait_for_workers(self) -> Progress | None:
        deadline = time.monotonic() + WAIT_FOR_WORKERS
        with suppress(KeyboardInterrupt):  # Ctrl-C ends only the waiting: everything was sent
            while time.monotonic() < deadline:
                if progress := self._final_progress():
                    return progress
                time.sleep(PAUSE)
        return None

    def _final_progress(self) -> Progress | None:
        """The progress of the import if none of its events waits any more, otherwise None."""
        try:
            response = self._client().get(f"/imports/{self.import_id}/outcome", params={"site_id": self.site})
            if response.status_code != httpx.codes.OK:
                return None
            progress = msgspec.json.decode(response.content, type=Progress)
        except (httpx.TransportError, ValueError):
            return None
        return progress if progress.ended_at and not progress.waiting else None

    def _put(self, one: Import) -> None:
        if self.client is None:
            return
        try:
            response = self._client().put(
                f"/imports/{self.import_id}", params={"site_id": self.site}, content=msgspec.json.encode(one)
            )
            if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
                self.fault = f"{self.client.base_url} wants another key (--key or TJRA_KEY): {_detail(response)}"
                return
            response.raise_for_status()
        except httpx.HTTPError as error:
            self.fault = f"the reporting API at {self.client.base_url} did not take it: {error or type(error).__name__}"
        else:
            self.fault = None

    def _client(self) -> httpx.Client:
        assert self.client is not None  # noqa: S101 (callers check it)
        return self.client


def _detail(response: httpx.Response) -> str:
    try:
        return str(msgspec.json.decode(response.content)["detail"])
    except (ValueError, KeyError, TypeError):
        return response.reason_phrase


def _files(sources: Sequence[Source]) -> list[ImportedFile]:
    return [ImportedFile(name=source.lines.name[:1_000]) for source in sources]
