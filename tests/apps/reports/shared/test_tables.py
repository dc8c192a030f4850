"""Reports as tables: a CSV's header follows from what was asked, and a spreadsheet finds no formulas in it."""

import csv
import io
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

DAY = {"date": "2026-03-10"}
#: A path, and parameters of a table.
TABLES: list[tuple[str, dict[str, Any]]] = [
    ("/timeseries", {**DAY, "interval": "day"}),
    ("/timeseries", {**DAY, "interval": "day", "metric": "users"}),
    ("/breakdown", {**DAY, "dimension": "path"}),
    ("/breakdown", {**DAY, "dimension": "properties.note", "metrics": "events,users"}),
    ("/funnel", {**DAY, "step": ["page_view", "purchase"]}),
    ("/sessions", DAY),
    ("/revenue", DAY),
    ("/revenue", {**DAY, "interval": "day"}),
    ("/customers", DAY),
    ("/customers/cohorts", DAY),
    ("/customers/best", DAY),
    ("/products", DAY),
    ("/retention", DAY),
    ("/journeys", {**DAY, "path": "=1+1"}),
    ("/events", DAY),
    ("/events/export", DAY),
    ("/live", {}),
]
COMPARED = ("/timeseries", "/breakdown", "/funnel", "/sessions", "/revenue")
#: What must not come out as it is, and what must.
FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "\tx", "\r=1", "\n=1", "＝1")
HARMLESS = ("-5", "+3.5", "-1e9", "a=1", "'x", "")


@pytest.fixture
def site(conn: Connection, shop: str) -> str:
    """A site whose texts are formulas."""
    sold = {"revenue": 10, "currency": "EUR", "order_id": "1"}
    store_events(
        conn,
        batch(
            received(shop, path="=1+1", user_id="@ann", properties={"note": "-1+1"}),
            received(shop, path="=1+1", user_id="@ann", event_type="purchase", properties=sold),
        ),
    )
    return shop


def table(reporting: httpx.Client, path: str, site: str, parameters: dict[str, Any]) -> list[dict[str, str]]:
    answer = reporting.get(path, params={"site_id": site, **parameters}, headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.text
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def header(reporting: httpx.Client, path: str, site: str, parameters: dict[str, Any]) -> str:
    answer = reporting.get(path, params={"site_id": site, **parameters}, headers={"Accept": "text/csv"})
    assert answer.status_code == 200, answer.text
    return answer.text.partition("\r\n")[0]


@pytest.mark.parametrize(("path", "parameters"), TABLES, ids=str)
def test_a_header_is_that_of_the_question_whatever_the_rows(
    reporting: httpx.Client, site: str, other: str, path: str, parameters: dict[str, Any]
) -> None:
    of_rows = header(reporting, path, site, parameters)
    assert of_rows
    assert header(reporting, path, other, parameters) == of_rows
    if path not in COMPARED or (path == "/revenue" and "interval" in parameters):
        return
    compared = {header(reporting, path, site, {**parameters, **more}) for more in ASKED_COMPARED}
    compared.add(header(reporting, path, other, {**parameters, "compare": "previous_period"}))
    assert len(compared) == 1
    assert compared.pop().startswith(f"{of_rows},compare_")


#: Compared with nothing, and nothing compared with something.
ASKED_COMPARED: list[dict[str, Any]] = [
    {"compare": "previous_period"},
    {"compare": "previous_period", "date": "2026-03-11"},
]


def test_sites_and_users_have_a_header_too(reporting: httpx.Client, site: str) -> None:
    assert header(reporting, "/sites", site, {"site_id": [], "search": site}).startswith("site_id,timezone,")
    nobody = header(reporting, "/sites", site, {"site_id": [], "search": f"no {site}"})
    assert nobody == header(reporting, "/sites", site, {"site_id": [], "search": site})
    of_user = header(reporting, "/users/@ann", site, DAY)
    assert header(reporting, "/users/@ann", site, {"date": "2020-01-01"}) == of_user


@pytest.mark.parametrize(("path", "parameters"), [*TABLES, ("/users/@ann", DAY)], ids=str)
def test_no_cell_of_a_table_for_spreadsheets_is_a_formula(
    reporting: httpx.Client, site: str, path: str, parameters: dict[str, Any]
) -> None:
    raw, safe = (table(reporting, path, site, {**parameters, **more}) for more in ({}, {"safe": "true"}))
    assert safe == [
        {name: f"'{cell}" if cell.startswith(("=", "@", "-")) else cell for name, cell in row.items()} for row in raw
    ]


def test_numbers_stay_numbers_and_harmless_texts_as_they_are(
    conn: Connection, reporting: httpx.Client, shop: str
) -> None:
    texts = [*FORMULAS, *HARMLESS]
    store_events(conn, batch(*(received(shop, properties={"note": text}) for text in texts)))
    asked = {**DAY, "dimension": "properties.note", "limit": 100, "safe": "1"}
    found = {row["value"] for row in table(reporting, "/breakdown", shop, asked)}
    assert found == {f"'{text}" for text in FORMULAS} | set(HARMLESS)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("/p;=1+1", "/p;'=1+1"),
        ('/p; "@SUM(A1)', "/p; \"'@SUM(A1)"),
        ("a\t-1+1;b", "a\t'-1+1;b"),
        ("=1;+1", "'=1;'+1"),
        ("a;b;1=1", "a;b;1=1"),
    ],
)
def test_no_part_of_a_text_is_a_formula_where_semicolons_separate_cells(
    conn: Connection, reporting: httpx.Client, shop: str, text: str, told: str
) -> None:
    store_events(conn, batch(received(shop, properties={"note": text})))
    asked = {**DAY, "dimension": "properties.note", "safe": "1"}
    assert [row["value"] for row in table(reporting, "/breakdown", shop, asked)] == [told]
