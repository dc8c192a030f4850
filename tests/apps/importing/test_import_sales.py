"""Orders in tables: columns that are taken by their names, and misreadings that are refused before anything is sent."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from apps.cli import main

TABLE = """timestamp,path,event_type,order_id,{amount},currency,quantity
2026-03-10T10:00:00Z,/till,purchase,1,12.50,EUR,2
2026-03-10T11:00:00Z,/till,purchase,2,7,EUR,1
2026-03-10T11:00:00Z,/,page_view,,,,
"""
#: Where nobody listens: what is to be sent ends with another error.
NOWHERE = "http://127.0.0.1:1"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Runs an import of one table."""

    def run(content: str, *options: str, name: str = "table.csv") -> Result:
        path = tmp_path / name
        path.write_text(content)
        return CliRunner().invoke(main, ["import", str(path), "--site", "shop", *options])

    return run


def first(done: Result) -> dict[str, Any]:
    """The first event that a dry run shows."""
    event: dict[str, Any] = json.JSONDecoder().raw_decode(done.stdout)[0]
    return event


@pytest.mark.parametrize(("amount", "name"), [("revenue", "revenue"), ("total", "total"), ("amount", "revenue")])
def test_columns_of_orders_are_taken_by_their_names_and_it_is_said(run: Any, amount: str, name: str) -> None:
    done = run(TABLE.format(amount=amount), "--dry-run")
    assert first(done)["properties"] == {"order_id": "1", name: "12.50", "currency": "EUR", "quantity": "2"}
    assert "2 orders, 0 refunds: EUR 19.50 (orders)" in done.stderr
    assert "table.csv: properties by the names of its columns: order_id, currency, quantity, " in done.stderr


def test_in_ndjson_too_and_an_object_of_properties_goes_before(run: Any) -> None:
    row = {"timestamp": "2026-03-10T10:00:00Z", "path": "/", "event_type": "purchase", "amount": 5, "order_id": "1"}
    rows = [row | {"currency": "EUR"}, row | {"properties": {"total": 9, "currency": "SEK"}}]
    done = run("".join(json.dumps(one) + "\n" for one in rows), "--dry-run", name="a.ndjson")
    assert first(done)["properties"] == {"order_id": "1", "revenue": 5, "currency": "EUR"}
    shown = [first(done), json.loads(done.stdout[done.stdout.index("\n{") :])]
    assert shown[1]["properties"] == {"total": 9, "currency": "SEK", "order_id": "1"}


@pytest.mark.parametrize(
    ("header", "options", "taken"),
    [
        ("revenue,total", [], set()),  # which of the two?
        ("total,total", [], set()),
        ("Total,Order_id", [], set()),
        ("total,order_id", ["--property", "order_id="], {"total"}),
        ("total,order_id", ["--set", "properties.revenue=1"], {"order_id", "revenue"}),
        ("total,order_id", ["--property", "ref=order_id"], {"ref", "total"}),
        ("total,order_id", ["--column", "user_id=order_id"], {"total"}),
    ],
)
def test_what_is_ambiguous_or_named_by_an_option_is_not(
    run: Any, header: str, options: list[str], taken: set[str]
) -> None:
    done = run(f"timestamp,path,event_type,{header}\n2026-03-10,/till,purchase,1,2\n", "--dry-run", *options)
    assert set(first(done).get("properties", {})) == taken, done.output


def test_seconds_that_are_read_as_milliseconds_are_refused(run: Any, ingestion: httpx.Client) -> None:
    table = "timestamp,path,event_type\n" + "1773136800,/,page_view\n" * 3
    for options in (["--dry-run"], ["--url", NOWHERE]):
        done = run(table, *options)
        assert done.exit_code == 1
        assert "all 3 times at its beginning would be in 1970: they are seconds, --time-unit s reads" in done.output
    assert "3 good" in run(table, "--dry-run", "--time-unit", "s").stderr
    # One that is not shows that they are no seconds; those of 1970 are refused apart.
    assert "1 good" in run(table + "1773136800000,/,page_view\n", "--dry-run").stderr


def test_amounts_with_another_separator_are_refused_before_they_are_sent(run: Any) -> None:
    table = "timestamp;path;event_type;total\n2026-03-10;/;purchase;12,50\n2026-03-10;/;purchase;1.234,50\n"
    done = run(table, "--url", NOWHERE)
    assert done.exit_code == 1
    assert "no amount of its orders can be read as it stands, such as '12,50': --decimal , reads them" in done.output
    assert "2 good" in run(table, "--dry-run").stderr
