"""Telling the reporting API of an import, so that it is remembered, and asking it which events were new."""

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

#: Seconds to wait for the workers to store what was sent, between two looks, and for an answer.
PATIENCE, PAUSE, TIMEOUT = 60.0, 0.25, 10.0


class Progress(msgspec.Struct):
    """What the API says of an import."""

    waiting: int
    stored: int
    dead: int
    ended_at: datetime | None


class Register:
    """An import: its id, and the API that remembers it, if there is one at `url`. A context that closes connections."""

    def __init__(self, url: str | None, *, site: str, options: Sequence[str]) -> None:
        self.import_id = token_hex(6)
        self.site = site
        self.options = list(options)
        self.began_at = datetime.now(UTC)
        self.client = httpx.Client(base_url=url, timeout=TIMEOUT) if url else None
        #: Why it is not remembered.
        self.fault: str | None = None if url else "--reporting-url was not given"

    def __enter__(self) -> "Register":
        return self

    def __exit__(self, *_: object) -> None:
        if self.client is not None:
            self.client.close()

    def begin(self, sources: Sequence[Source]) -> None:
        """Tell that it begins."""
        self._tell(Import(files=_files(sources), options=self.options, began_at=self.began_at))

    def end(self, sources: Sequence[Source], tally: Summary, messages: Sequence[str]) -> None:
        """Tell what was sent."""
        self._tell(
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
        """What became of the events, once they are stored: a line or two."""
        if tally.sent == 0:
            return "nothing was sent"
        if self.fault is None and (found := self._settled()) is not None:
            old = tally.sent - found.stored - found.dead
            if old == tally.sent:
                return f"{0:>9,} new\n{old:>9,} duplicates\nnothing changed: these rows were there before"
            lines = [f"{found.stored:>9,} new", f"{old:>9,} duplicates, which were there before"]
            if found.dead:
                lines.append(f"{found.dead:>9,} could not be stored (`tjra dead-letters list --site {self.site}`)")
            if not found.stored:
                return "\n".join(lines)  # there is nothing to take back
        elif self.fault is None:
            lines = ["not all is stored yet: `tjra imports` will tell how many events were new"]
        else:
            lines = [f"which of these are new is not known, nor is the import remembered: {self.fault}"]
        lines.append(f"to take it back: tjra import --undo {self.import_id} --site {self.site}")
        return "\n".join(lines)

    def _settled(self) -> Progress | None:
        deadline = time.monotonic() + PATIENCE
        with suppress(KeyboardInterrupt):  # who does not want to wait has sent all the same
            while time.monotonic() < deadline:
                if found := self._ask():
                    return found
                time.sleep(PAUSE)
        return None

    def _ask(self) -> Progress | None:
        """What became of it, if nothing of it waits any more."""
        try:
            answer = self._client().get(f"/imports/{self.import_id}/outcome", params={"site_id": self.site})
            if answer.status_code != httpx.codes.OK:
                return None
            found = msgspec.json.decode(answer.content, type=Progress)
        except (httpx.TransportError, ValueError):
            return None
        return found if found.ended_at and not found.waiting else None

    def _tell(self, one: Import) -> None:
        if self.client is None:
            return
        try:
            answer = self._client().put(
                f"/imports/{self.import_id}", params={"site_id": self.site}, content=msgspec.json.encode(one)
            )
            answer.raise_for_status()
        except httpx.HTTPError as error:
            self.fault = f"the reporting API at {self.client.base_url} did not take it: {error or type(error).__name__}"
        else:
            self.fault = None

    def _client(self) -> httpx.Client:
        assert self.client is not None  # noqa: S101 (only asked where there is one)
        return self.client


def _files(sources: Sequence[Source]) -> list[ImportedFile]:
    return [ImportedFile(name=source.lines.name[:1_000]) for source in sources]
