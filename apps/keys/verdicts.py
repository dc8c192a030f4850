"""Who a credential stands for, as this process knows it: asked from the database at most every ten seconds.

So a report costs nothing more, and a key that is revoked is dead in every process after ten seconds; one that ends is
dead at that moment. While the database
cannot answer, the last verdict holds for some minutes: all data come from it too, so that what is still answered then
are metrics and documentation.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from time import monotonic
from typing import NamedTuple
from uuid import UUID

from apps.access.credentials import Credential
from apps.reporting_resources import ReportingResources
from apps.web.background import in_background
from db.access import keys, logins
from db.access.scopes import Identity
from db.access.tokens import hash_of, is_key
from db.connections.errors import is_unavailable
from db.connections.pools import ReadConnection

logger = logging.getLogger(__name__)

#: Seconds for which a verdict holds, and for which the last one does while the database cannot answer.
HOLDS, HOLDS_WITHOUT_DATABASE = 10.0, 600.0
#: Credentials that are remembered, valid or not.
MOST = 10_000
#: Seconds between two notes of what was used.
NOTE_PAUSE = 60.0


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Verdict(NamedTuple):
    """Whom a credential stands for, if anybody, and when that was asked (by `monotonic`)."""

    identity: Identity | None
    asked: float


class Verdicts:
    """The verdicts of one process. `now` is its clock."""

    def __init__(
        self, resources: ReportingResources, *, note_pause: float = NOTE_PAUSE, now: Callable[[], datetime] = now
    ) -> None:
        self.resources = resources
        self.now = now
        self.known: dict[tuple[str, bytes], Verdict] = {}
        self.used_keys: set[UUID] = set()
        self.used_logins: set[bytes] = set()
        self.note_pause = note_pause

    async def of(self, credential: Credential) -> Identity | None:
        """Whom a credential stands for; None if it is not valid. Raises the errors of an unavailable database."""
        if credential.kind == "key" and not is_key(credential.secret):
            return None
        name = credential.kind, hash_of(credential.secret)
        verdict = self.known.get(name)
        if verdict is None or monotonic() - verdict.asked > HOLDS:
            verdict = await self._ask(name, verdict)
        # An end is known beforehand: it is not waited for until the next time that the database is asked.
        if verdict.identity and verdict.identity.ends_at and verdict.identity.ends_at <= self.now():
            return None
        if verdict.identity:
            if verdict.identity.key_id:
                self.used_keys.add(verdict.identity.key_id)
            if credential.kind == "login":
                self.used_logins.add(name[1])
        return verdict.identity

    def forget(self) -> None:
        """Ask again for all, as something has changed."""
        self.known.clear()

    @asynccontextmanager
    async def noting_use(self) -> AsyncIterator[None]:
        """Note in the background what was used, and delete logins that have ended."""
        async with in_background(self._note_use()):
            yield

    async def _ask(self, name: tuple[str, bytes], before: Verdict | None) -> Verdict:
        kind, hashed = name
        find = keys.holder_of_key if kind == "key" else logins.holder_of_login
        asked = monotonic()
        try:
            identity = await self.resources.read(partial(find, hashed=hashed))
        except Exception as error:
            if before is None or not is_unavailable(error) or asked - before.asked > HOLDS_WITHOUT_DATABASE:
                raise
            return before
        self.known.pop(name, None)
        while len(self.known) >= MOST:
            del self.known[next(iter(self.known))]
        verdict = self.known[name] = Verdict(identity, asked)
        return verdict

    async def _note_use(self) -> None:
        while True:
            await asyncio.sleep(self.note_pause)
            used_keys, used_logins = self.used_keys, self.used_logins
            self.used_keys, self.used_logins = set(), set()

            async def note(
                conn: ReadConnection, keys_: set[UUID] = used_keys, logins_: set[bytes] = used_logins
            ) -> None:
                await keys.note_use(conn, list(keys_))
                await logins.note_use(conn, list(logins_))
                await logins.delete_ended(conn)

            try:
                await self.resources.read(note)
            except Exception as error:
                logger.warning("cannot note which keys were used: %s", error)
