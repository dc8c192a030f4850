"""Keys and sites that ingestion knows: `tell({"sites": [shop]}, sites=[SiteRules(...)])`; and what senders send."""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from db.access.snapshot import SiteRules, Snapshot, ValidKey
from db.access.tokens import hash_of, new_key
from tests.builders.factories import event

if TYPE_CHECKING:
    from apps.sdks.shared.resources import SdkResources

#: Tells ingestion of keys (scopes and sites) and of settings; returns the secrets of the keys.
Tell = Callable[..., list[str]]
MONEY = {"revenue": 10, "currency": "EUR"}


@pytest.fixture
def tell(sdk_resources: "SdkResources", monkeypatch: pytest.MonkeyPatch) -> Tell:
    from apps.access.snapshots import Known

    resources = sdk_resources.events

    def tell(*keys: dict[str, Any], sites: list[SiteRules] = [], registered: bool = False) -> list[str]:  # noqa: B006
        secrets = [new_key("k") for _ in keys]
        valid = [
            ValidKey(hash=hash_of(secret).hex(), id=uuid4(), name="k", **({"scopes": ["events:write"]} | key))
            for secret, key in zip(secrets, keys, strict=True)
        ]
        monkeypatch.setattr(resources.snapshots, "known", Known(Snapshot(keys=valid, sites=sites)))
        monkeypatch.setattr(resources.admission, "only_registered", registered)
        return secrets

    return tell


def queued(site: str) -> list[dict[str, Any]]:
    """The events of a site in the queue, in the order of their arrival."""
    from tests.servers import queue

    return sorted(queue.queued(site), key=lambda one: str(one["received_at"]))


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def basic(key: str) -> str:
    return base64.b64encode(f"{key}:".encode()).decode()


def order(site: str, **properties: Any) -> dict[str, Any]:
    return event(site, event_type="purchase", properties=MONEY | properties)
