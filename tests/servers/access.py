"""The keys and sites that ingestion knows, without a worker: `tell(broker.client, namespace, sites=[...])`."""

from collections.abc import Sequence
from uuid import UUID

import redis

from actors.queue.access_snapshot import publish
from db.access.scopes import Scope
from db.access.snapshot import SiteRules, Snapshot, ValidKey
from db.access.tokens import hash_of
from tests.servers.key import ADMIN_KEY

ADMIN = ValidKey(hash=hash_of(ADMIN_KEY).hex(), id=UUID(int=1), name="ADMIN_KEY", scopes=[Scope.ADMIN])


def tell(
    client: "redis.Redis", namespace: str, *, keys: Sequence[ValidKey] = (ADMIN,), sites: Sequence[SiteRules] = ()
) -> None:
    """Put these into Redis, as a worker does."""
    publish(client, namespace, Snapshot(keys=list(keys), sites=list(sites)))
