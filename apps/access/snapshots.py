"""The keys, logins and sites that ingestion knows: read from Redis about once a second, so that no request has to.

What was seen last holds while Redis or PostgreSQL is unavailable. Keys and logins expire by our clock.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Literal

from actors.queue.access_snapshot import SnapshotReader
from actors.queue.producer import QueueUnavailable
from apps.web.background import in_background
from apps.web.problems import Refusal, unavailable
from db.access.scopes import Identity
from db.access.snapshot import Snapshot, ValidKey
from db.access.tokens import hash_of, is_key

logger = logging.getLogger(__name__)

#: Seconds between two reads.
PAUSE = 1.0
#: Retry-After in seconds while nothing is known: the first worker that starts tells it.
RETRY_AFTER = 3


class Known:
    """A snapshot, to look things up in."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.keys = {key.hash: (key, _identity(key)) for key in snapshot.keys}
        self.logins = {login.hash: login for login in snapshot.logins}
        self.sites = {site.site_id: site for site in snapshot.sites}
        #: Whether some site names the pages that may send its events, or has any settings that are about them.
        self.has_origins = any(site.origins is not None for site in snapshot.sites)
        self.has_rules = self.has_origins or any(
            site.currency or site.secret_orders or site.retention_days for site in snapshot.sites
        )

    def holder(self, kind: Literal["key", "login"], secret: str) -> Identity | None:
        """Whom a key or login stands for; None if it is not valid."""
        hashed, now = hash_of(secret).hex(), datetime.now(UTC)
        if kind == "login":
            login = self.logins.get(hashed)
            if login is None or login.ends_at <= now:
                return None
            hashed = login.key
        elif not is_key(secret):
            return None
        key, identity = self.keys.get(hashed, (None, None))
        return identity if key and (key.expires_at is None or key.expires_at > now) else None


class Snapshots:
    """What one process knows."""

    def __init__(self, reader: SnapshotReader, *, pause: float = PAUSE) -> None:
        self.reader = reader
        self.pause = pause
        #: None: nothing was ever seen.
        self.known: Known | None = None
        self.version: bytes | None = None
        self.failing = False

    async def look(self) -> None:
        """Read what has changed. Raises QueueUnavailable and ValueError."""
        if found := await self.reader.read(self.version):
            self.known, self.version = Known(found.snapshot), found.version

    def required(self) -> Known:
        """What is known. Raises Refusal (503) if nothing was ever seen."""
        if self.known is None:
            raise unknown()
        return self.known

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Read it now, and then in the background."""
        await self._try()
        async with in_background(self._run()):
            yield
        await self.reader.close()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.pause)
            await self._try()

    async def _try(self) -> None:
        try:
            await self.look()
            self.failing = False
        except Exception as error:
            if not self.failing:
                expected = isinstance(error, QueueUnavailable)
                logger.warning("cannot read the keys and sites (Redis): %s", error, exc_info=not expected)
            self.failing = True


def unknown() -> Refusal:
    """The Refusal (503) of what cannot be decided before a worker has told which keys and sites there are."""
    return unavailable("no worker has told yet which keys and sites there are", retry_after=RETRY_AFTER)


def _identity(key: ValidKey) -> Identity:
    return Identity(
        name=key.name,
        scopes=frozenset(key.scopes),
        sites=None if key.sites is None else frozenset(key.sites),
        key_id=key.id,
        share=key.share,
    )
