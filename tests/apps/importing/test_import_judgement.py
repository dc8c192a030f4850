"""A dry run says what the reports will count, by their own rules, and which option mends what they will not."""

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from psycopg.types.json import Jsonb

from apps.cli import main
from apps.importing.rows.sales import is_sale, read_sale
from tests.conftest import Connection

AMOUNTS: list[Any] = [
    None, 0, 19.9, -3, 1e15, 999_999_999_999_999, True, "19.90", " 19.9 ", "\t1", "19,90", "1.234,50", "", " ", "1e3",
    "-4", "+4", ".5", "5.", "1" * 16, "\u0661", [], {}, [1], "EUR 5", 0.1, 1e-7,
]  # fmt: skip
CURRENCIES: list[Any] = [None, "EUR", " eur ", "", "\u00a0", "EURO", "E1R", 978, [], "\u0130SK", "usd\n"]
ORDER_IDS: list[Any] = [None, "7", 7, "", " ", "[]", "{x", "Z", "\u00e9", [], [1], "[1]"]


def some_properties() -> list[dict[str, Any]]:
    return [
        *({"revenue": amount, "currency": "EUR"} for amount in AMOUNTS),
        *({"revenue": "", "total": amount, "value": 3, "currency": "EUR"} for amount in AMOUNTS),
        *({"value": 5, "currency": currency} for currency in CURRENCIES),
        *({"value": 5, "currency": "SEK", "order_id": one, "transaction_id": "t"} for one in ORDER_IDS),
        *(
            {"revenue": 1, "currency": "EUR", "order_id": "7", "public_key": one}
            for one in (True, False, "true", 1, None)
        ),
        {},
    ]


def test_a_sale_is_read_as_the_reports_read_it(conn: Connection) -> None:
    for is_refund in (False, True):
        for properties in some_properties():
            query = "select order_id, amount, currency, fault from read_sale(%s, %s)"
            theirs = conn.execute(query, [Jsonb(properties), is_refund]).fetchone()
            assert read_sale(properties, is_refund=is_refund)[:4] == theirs, properties


def test_the_same_types_are_sales(conn: Connection) -> None:
    names = ["purchase", "Order Completed", "refund", "order", "page_view", "Purchase", "PURCHASE"]
    for name in names:
        assert conn.execute("select is_sale(%s)", [name]).fetchone() == (is_sale(name),)


@pytest.fixture
def dry_run(tmp_path: Path) -> Any:
    """What a dry run says of a table."""

    def run(content: str, *arguments: str, name: str = "table.csv") -> str:
        path = tmp_path / name
        path.write_text(content)
        result = CliRunner().invoke(main, ["import", str(path), "--site", "shop", "--dry-run", *arguments])
        return " ".join(result.stderr.split())

    return run


ORDERS = """timestamp;path;event_type;order;total
2024-03-10;/till;purchase;1;1.234,50
2024-03-10;/till;purchase;2;19,90
2024-03-11;/till;purchase;2;5
2024-03-11;/till;refund;2;5,90
2024-03-11;/till;purchase;3;
"""


def test_what_is_not_counted_names_the_option_that_mends_it(dry_run: Any) -> None:
    options = ["--property", "order_id=order", "--property", "revenue="]
    assert "0 orders, 0 refunds 5 not counted, revenue_missing: --property revenue=COLUMN" in dry_run(ORDERS, *options)
    options = ["--property", "order_id=order", "--property", "revenue=total"]
    said = dry_run(ORDERS, *options)
    assert "3 not counted, revenue_invalid, such as '1.234,50': --decimal , reads it" in said
    assert "1 not counted, currency_missing: --set properties.currency=EUR" in said
    options += ["--decimal", ",", "--set", "properties.currency=EUR"]
    said = dry_run(ORDERS, *options)
    assert "/revenue 2 orders, 1 refunds: EUR 1,254.40 (orders), EUR 5.90 (refunds)" in said
    assert "1 not counted, repeated: an order_id counts once" in said
    assert "invalid" not in said
    assert "/stats 0 views, of 5 events only page_view is a view; --rename-type OLD=page_view" in said
    assert "/sessions 0 events of users or visitors 5 have none: --column user_id=COLUMN" in said
    options += ["--column", "user_id=order", "--rename-type", "purchase=page_view"]
    said = dry_run(ORDERS, *options)
    assert "/stats 4 views, of 5 events /sessions 5 events of users or visitors /revenue 0 orders, 1 refunds" in said
    renamed = dry_run(ORDERS, *options, "--rename-type", "refund=x")
    assert "/revenue 0 orders, 0 refunds no type is an order's" in renamed


def test_what_was_refused_is_not_judged(dry_run: Any) -> None:
    said = dry_run("timestamp,path,event_type\n1999-01-01,/a,page_view\n2024-03-10,/b,page_view\n")
    assert "/stats 1 views, of 1 events" in said


SUMS = [
    '"date","hostname","page","visits","visitors","pageviews"',
    '"date","visitors","pageviews","bounces","visits","visit_duration"',
    '"date","name","link_url","path","visitors","events"',
    "date,exit_page,visitors,visit_duration,exits,bounces,pageviews",
    "Timestamp,Hostname,Pathname,Views,Uniques",
    "Timestamp,Event Name,Event Code,Completions,Value",
    "Page path and screen class,Views,Active users,Views per active user",
    "# ----------------------------------------",
    "label,nb_visits,nb_actions,max_actions",
    "day;path;unique_visitors;page_views",
]


@pytest.mark.parametrize("header", SUMS)
def test_a_file_of_sums_is_refused_by_name(dry_run: Any, header: str) -> None:
    said = dry_run(header + "\n", "--set", "event_type=page_view", "--set", "path=/", "--column", "timestamp=date")
    assert "table.csv holds sums, not events: " in said
    json = "{" + ", ".join(f'"{name.strip(chr(34))}": 1' for name in header.replace(";", ",").split(",")) + "}\n"
    assert "holds sums, not events" in dry_run(json, "--set", "event_type=x", name="table.ndjson")


def test_a_table_of_events_may_have_such_columns(dry_run: Any) -> None:
    said = dry_run(
        "timestamp,path,event_type,user_id,visits,pageviews\n2024-03-10,/,page_view,ann,3,17\n",
        "--property", "visits",
    )  # fmt: skip
    assert "1 good" in said


def test_times_that_are_taken_for_utc_are_told(dry_run: Any) -> None:
    times = ["2024-03-10", "2024-03-10 10:00", "10.03.2024 10:00", "2024-03-10T10:00Z", "2024-03-10T10:00+01:00",
             "2024-03-10 10:00 UTC", "1710064800000", "1999-01-01"]  # fmt: skip
    table = "timestamp,path,event_type\n" + "".join(f"{time},/,page_view\n" for time in times)
    assert "3 times have no offset and are read as UTC: --timezone changes that" in dry_run(table)
    for zone in ("UTC", "Europe/Berlin"):
        assert "no offset" not in dry_run(table, "--timezone", zone)
    formed = "timestamp,path,event_type\n03/10/2024,/,page_view\n"
    assert "1 times have no offset" in dry_run(formed, "--time-format", "%m/%d/%Y")
