"""`tjra site`: what the API sets, from the command line."""

import httpx
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection


def test_a_retention_by_which_events_will_be_deleted_asks_first(
    conn: Connection, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RETENTION_DAYS", raising=False)
    store_events(conn, batch(*(received(shop, timestamp=f"2026-01-0{day}T12:00:00Z") for day in (1, 2, 3))))

    def retention_after(*arguments: str, says: str = "") -> int | None:
        CliRunner().invoke(main, ["site", "set", shop, "--retention-days", *arguments], input=says)
        row = conn.execute("select retention_days from site_settings where site_id = %s", [shop]).fetchone()
        return None if row is None else row[0]

    asked = CliRunner().invoke(main, ["site", "set", shop, "--retention-days", "30"], input="n\n")
    assert asked.exit_code == 1
    assert "3 events from 2026-01-01 12:00 to 2026-01-03 12:00 UTC: older than 30 days" in asked.output
    assert retention_after("30", says="n\n") is None
    assert retention_after("30") is None  # nobody answers
    assert retention_after("30", says="y\n") == 30
    assert retention_after("20", "--yes") == 20
    assert retention_after("36500") == 36_500  # of which nothing is deleted
    monkeypatch.setenv("RETENTION_DAYS", "10")
    assert retention_after("20") == 20  # without an effect


def test_the_command_line_does_the_same(
    database_url: str, reporting: httpx.Client, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RETENTION_DAYS", raising=False)

    def tjra(*arguments: str, code: int = 0) -> str:
        done = CliRunner(env={"COLUMNS": "80"}).invoke(main, ["site", *arguments])
        assert done.exit_code == code, done.output
        return done.output

    pages = [f"https://a-long-name-of-a-shop-{number}.example" for number in range(4)]
    assert "is not registered" in tjra("show", shop, code=1)
    tjra("set", shop, "--name", "Lamp shop", "--origin", "https://shop.example", "--currency", "eur", "--secret-orders")
    tjra("set", shop, "--timezone", "Asia/Kolkata")
    shown = reporting.get(f"/sites/{shop}").json()
    assert shown == {
        "site_id": shop, "name": "Lamp shop", "timezone": "Asia/Kolkata", "origins": ["https://shop.example"],
        "currency": "EUR", "secret_orders": True, "retention_days": None, "created_at": shown["created_at"],
    }  # fmt: skip
    assert "origins: https://shop.example" in tjra("show", shop)
    tjra("set", shop, "--origin", "none", "--public-orders", "--currency", "none")
    assert "orders count: all" in tjra("show", shop)
    tjra("set", shop, *(word for page in pages for word in ("--origin", page)))
    assert ", ".join(pages) in tjra("list")
    assert "retention: as RETENTION_DAYS says" in tjra("show", shop)
    assert "older is deleted by the workers, for good" in tjra("set", shop, "--retention-days", "30")
    assert "retention: 30 days" in tjra("show", shop)
    assert reporting.get(f"/sites/{shop}").json()["retention_days"] == 30
    monkeypatch.setenv("RETENTION_DAYS", "30")
    no_effect = "its retention of 30 days has no effect: RETENTION_DAYS is 30"
    assert no_effect in tjra("set", shop, "--retention-days", "30")
    assert "30 days" in tjra("list")
    for wrong in ("0", "soon", "-1", "٣"):
        assert "retention_days" in tjra("set", shop, "--retention-days", wrong, code=2)
    tjra("set", shop, "--retention-days", "none")
    assert "as RETENTION_DAYS says" in tjra("list")
    assert "--timezone" in tjra("set", shop, "--timezone", "Europe/Berln", code=2)
    assert "currency has another form" in tjra("set", shop, "--currency", "Euro", code=2)
    assert "three letters (ISO 4217) such as EUR" in tjra("set", shop, "--currency", "Euro", code=2)
    assert "as https://shop.example" in tjra("set", shop, "--origin", "shop.example", code=2)
    tjra("remove", shop)
    assert "is not registered" in tjra("remove", shop, code=1)
    assert reporting.get("/sites", params={"search": shop}).json()["sites"][0]["timezone"] == "Asia/Kolkata"


def test_the_command_line_makes_keys_by_the_names_of_their_scopes(database_url: str, ingestion: httpx.Client) -> None:
    done = CliRunner().invoke(main, ["key", "create", "till", "--scope", "events:write", "--site", "shop"])
    assert (done.exit_code, done.output.startswith("tjra_k_")) == (0, True), done.output
