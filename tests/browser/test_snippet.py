"""PostHog's snippet in a real browser: it asks this server for its script, and what it is told to send arrives."""

import pytest
from playwright.sync_api import Page

from tests.browser.shop import Shop
from tests.conftest import Connection
from tests.servers.serving import Served
from tests.system.test_sdks import stored

pytestmark = pytest.mark.usefixtures("worker")

#: What PostHog's snippet does until its script is there: calls are kept in window.posthog.
SNIPPET = """
<script>
  window.posthog = Object.assign([], { _i: [] });
  for (const name of ["capture", "identify", "isFeatureEnabled"])
    posthog[name] = (...given) => posthog.push([name, ...given]);
  posthog._i.push(["SITE", { api_host: "SERVER", defaults: "2025-05-24" }]);
  const script = Object.assign(document.createElement("script"), { crossOrigin: "anonymous", async: true });
  script.src = "SERVER/static/array.js";
  document.head.append(script);
  posthog.capture("early", { step: 1 });
</script>
"""


def test_a_page_with_the_snippet_of_posthog_is_counted(
    ingestion_server: Served, conn: Connection, page: Page, pages: Shop, shop: str
) -> None:
    pages.head = SNIPPET.replace("SITE", shop).replace("SERVER", ingestion_server.url)
    page.goto(f"{pages.url}/products/lamp")
    early, landing = stored(conn, shop, count=2)
    assert (early["event_type"], early["properties"]["step"]) == ("early", 1)
    assert (landing["event_type"], landing["path"]) == ("page_view", "/products/lamp")
    assert landing["user_id"].startswith("daily-")
    page.evaluate(
        "history.pushState({}, '', '/cart'); posthog.identify('ann'); posthog.capture('purchase', {revenue: 10})"
    )
    events = stored(conn, shop, count=5)
    assert {one["path"] for one in events if one["event_type"] == "page_view"} == {"/products/lamp", "/cart"}
    (order,) = [one for one in events if one["event_type"] == "purchase"]
    assert (order["user_id"], order["path"]) == ("ann", "/cart")
    assert {one["user_id"] for one in events} == {"ann"}
    assert page.evaluate("document.cookie + localStorage.length") == "0"
