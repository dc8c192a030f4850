"""Keys and sites that ingestion knows: `tell({"sites": [shop]}, sites=[SiteRules(...)])`."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from db.access.snapshot import SiteRules, Snapshot, ValidKey
from db.access.tokens import hash_of, new_key

#: Tells ingestion of keys (scopes and sites) and of settings; returns the secrets of the keys.
Tell = Callable[..., list[str]]


@pytest.fixture
def tell(ingestion: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Tell:
    from apps.access.snapshots import Known
    from apps.ingestion import app

    def tell(*keys: dict[str, Any], sites: list[SiteRules] = [], registered: bool = False) -> list[str]:  # noqa: B006
        secrets = [new_key("k") for _ in keys]
        valid = [
            ValidKey(hash=hash_of(secret).hex(), id=uuid4(), name="k", **({"scopes": ["events:write"]} | key))
            for secret, key in zip(secrets, keys, strict=True)
        ]
        monkeypatch.setattr(app.resources.events.snapshots, "known", Known(Snapshot(keys=valid, sites=sites)))
        monkeypatch.setattr(app.resources.events.admission, "only_registered", registered)
        return secrets

    return tell
