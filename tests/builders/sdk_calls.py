"""Known calls of real SDKs, as a shop's server makes them: `python -m tests.builders.sdk_calls SDK URL SITE`.

Each tells of the same things, as far as its protocol can: ann looks at a lamp and buys it, on 10 March 2026 at noon.
"""

import os
import sys
from datetime import UTC, datetime
from typing import Any

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
LAMP = "https://shop.example/products/lamp?colour=red"
CHECKOUT = "https://shop.example/checkout"
ORDER: dict[str, Any] = {
    "order_id": "1001",
    "revenue": 119.9,
    "currency": "EUR",
    "products": [{"sku": "lamp-3", "price": 119.9, "quantity": 1}],
}


def segment(url: str, site: str) -> None:
    from segment.analytics.client import Client  # type: ignore[import-untyped]

    _call_segment(Client(site, host=url, gzip=True))


def rudderstack(url: str, site: str) -> None:
    from rudderstack.analytics.client import Client  # type: ignore[import-untyped]

    _call_segment(Client(site, host=url))


def _call_segment(client: Any) -> None:
    client.identify("ann", {"plan": "gold"}, timestamp=NOON)
    client.page("ann", "Shop", "Lamp", {"url": LAMP}, timestamp=NOON)
    order = {"properties": ORDER, "timestamp": NOON, "context": {"page": {"url": CHECKOUT}}}
    client.track("ann", "Order Completed", message_id="order-1001", **order)
    client.track("ann", "Order Completed", message_id="order-1001", **order)  # by mistake
    client.shutdown()


def posthog(url: str, site: str) -> None:
    _call_posthog(url, site)


def posthog_v1(url: str, site: str) -> None:
    _call_posthog(url, site, capture_mode="v1")


def _call_posthog(url: str, site: str, **options: Any) -> None:
    from posthog import Posthog

    client = Posthog(site, host=url, gzip=True, **options)
    client.set(distinct_id="ann", properties={"plan": "gold"}, timestamp=NOON)
    client.capture("$pageview", distinct_id="ann", properties={"$current_url": LAMP}, timestamp=NOON)
    order: dict[str, Any] = {"properties": ORDER | {"$current_url": CHECKOUT}, "timestamp": NOON}
    uuid = "7C9E6679-7425-40DE-944B-E07FC1F90AE7"
    client.capture("Order Completed", distinct_id="ann", uuid=uuid, **order)
    client.capture("Order Completed", distinct_id="ann", uuid=uuid, **order)  # by mistake
    client.shutdown()


def plausible(url: str, site: str) -> None:
    from plausible_events import PlausibleEvents  # type: ignore[import-untyped]

    class Offline(PlausibleEvents):  # type: ignore[misc]
        def _get_ip(self) -> str:
            return "203.0.113.17"

    client = Offline(site, api=f"{url}/api/event", timeout=0.2)
    client.pageview("/products/lamp", utm={"source": "letter"})
    client.event("Purchase", ORDER, path="/checkout")
    done: list[bool] = []
    client._enqueue_task(lambda: done.append(True))
    while not done:
        client.worker.join(0.05)
    os._exit(0)  # its thread never ends


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
