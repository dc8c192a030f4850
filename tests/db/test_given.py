"""What counts as given, in SQL and in Python: alternatives, lists in texts, texts that are numbers."""

import json
from decimal import Decimal
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from apps.events.given import first_given, is_given
from db.reports.shared.filters import read_filters
from db.store.events import store_events
from tests.apps.reports.test_revenue import NOTHING, ask, order, sold
from tests.builders.factories import batch
from tests.checks.thorough import examples
from tests.conftest import Connection

LAMP = {"product_id": "lamp", "price": 10}

scalars = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=3), inner), max_leaves=8
)
blanks = st.text(st.sampled_from([chr(code) for code in range(0x3001) if chr(code).isspace()]))


def storable(value: Any) -> bool:
    text = json.dumps(value, ensure_ascii=False)
    return "\\u0000" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


@examples(100)
@given(st.lists(values.filter(storable) | blanks, min_size=1, max_size=10))
def test_sql_and_python_agree_on_what_is_given(conn: Connection, candidates: list[Any]) -> None:
    rows = conn.execute(
        "select given(value) from unnest(%s::jsonb[]) with ordinality v (value, no) order by no",
        [[Jsonb(one) for one in candidates]],
    ).fetchall()
    assert [one for (one,) in rows] == [one if is_given(one) else None for one in candidates]


def test_the_first_that_is_given_is_taken() -> None:
    assert first_given(*NOTHING, 0, "x") == 0
    assert first_given(*NOTHING, False) is False
    assert first_given(*NOTHING) is None


#: Where something is looked for in several places: in which, and a value that can be found there.
CHOICES: list[tuple[list[str], Any]] = [
    (["order_id", "transaction_id"], "17"),
    (["revenue", "total", "value"], 5),
    (["products", "items"], [LAMP]),
]
LINE_CHOICES: list[tuple[list[str], Any]] = [
    (["product_id", "sku", "item_id", "name", "item_name"], "lamp"),
    (["name", "item_name"], "Lamp"),
]


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
@pytest.mark.parametrize(("names", "value"), CHOICES)
def test_what_says_nothing_is_as_if_it_were_not_there(
    reporting: httpx.Client, conn: Connection, shop: str, names: list[str], value: Any, nothing: Any
) -> None:
    usual: dict[str, Any] = {"order_id": "17", "revenue": 5, "currency": "EUR", "products": [LAMP]}
    others = {name: one for name, one in usual.items() if name not in names}
    events = [
        order(shop, "03-10", **others, **dict.fromkeys(names[:at], nothing), **{names[at]: value})
        for at in range(len(names))
    ]
    store_events(conn, batch(*events))
    report = ask(reporting, shop)
    assert (sold(report), report["repeated"]) == ({"EUR": (1, "5")}, len(names) - 1)
    assert [(one["product"], one["revenue"]) for one in report["products"]] == [("lamp", "10")]
    assert report["ignored"] == []


@pytest.mark.parametrize("nothing", NOTHING, ids=repr)
@pytest.mark.parametrize(("names", "value"), LINE_CHOICES)
def test_so_it_is_in_the_entries_of_an_order(
    reporting: httpx.Client, conn: Connection, shop: str, names: list[str], value: Any, nothing: Any
) -> None:
    lines = [
        {"product_id": "lamp", "price": 1, "quantity": nothing, **dict.fromkeys(names[:at], nothing), names[at]: value}
        for at in range(len(names))
    ]
    if names[0] == "product_id":
        lines = [{n: one for n, one in line.items() if n in names[: at + 1] or n in ("price", "quantity")}
                 for at, line in enumerate(lines)]  # fmt: skip
    store_events(conn, batch(order(shop, "03-10", revenue=1, currency="EUR", products=lines)))
    (product,) = ask(reporting, shop)["products"]
    assert (product["product"], product["quantity"]) == ("lamp", str(len(names)))
    if names[0] == "name":
        assert product["name"] == "Lamp"


@examples(100)
@given(
    st.lists(values.filter(storable), max_size=4), st.sampled_from([None, 2]), st.booleans(),
    st.lists(st.tuples(st.integers(0, 400), st.sampled_from([*'[]{},:"\\0123.eE-+ \ntfnuä', ""])), max_size=3),
)  # fmt: skip
def test_a_list_in_a_text_is_read_and_nothing_else(
    conn: Connection, listed: list[Any], indent: int | None, ascii_only: bool, damages: list[tuple[int, str]]
) -> None:
    text = json.dumps(listed, indent=indent, ensure_ascii=ascii_only)
    for place, letter in damages:
        text = text[:place] + letter + text[place + (letter == "") :]
    (found,) = conn.execute("select json_list(%s)", [text]).fetchone() or (None,)
    try:
        expected = json.loads(text, parse_constant=float.fromhex)
    except ValueError:
        expected = None
    assert found == (expected if isinstance(expected, list) and storable(expected) else None)


@pytest.mark.parametrize(
    "text",
    ["[" * 16_000, "[" * 16_000 + "]" * 16_000, '["\\u0000"]', '["\\ud83d"]', "[1e9999999]", '["' + "\\" * 9_999],
)
def test_no_text_is_an_error(conn: Connection, text: str) -> None:
    assert conn.execute("select json_list(%s)", [text]).fetchone() == (None,)


@pytest.mark.parametrize(
    ("products", "found", "ignored"),
    [
        (json.dumps([LAMP]), ["lamp"], []),
        (json.dumps([LAMP, {"price": 1}], indent=1), ["lamp"], ["product_missing"]),
        ("[]", [], []),
        ("lamp, chair", [], ["products_invalid"]),
        (json.dumps(LAMP), [], ["products_invalid"]),
        (LAMP, [], ["products_invalid"]),
        (7, [], ["products_invalid"]),
        ([json.dumps(LAMP)], [], ["product_missing"]),
    ],
)
def test_products_are_found_or_told(
    reporting: httpx.Client, conn: Connection, shop: str, products: Any, found: list[str], ignored: list[str]
) -> None:
    store_events(conn, batch(order(shop, "03-10", revenue=1, currency="EUR", products=products)))
    report = ask(reporting, shop)
    assert [one["product"] for one in report["products"]] == found
    assert report["ignored"] == [{"what": "product", "reason": reason, "count": 1} for reason in ignored]


digits = st.text("0123456789", min_size=1, max_size=17) | st.text("019", min_size=1, max_size=17)
numbers = st.builds(
    lambda whole, part: f"{whole}.{part}" if part else whole,
    digits,
    st.none() | st.text("0159", min_size=1, max_size=32),
)
texts = st.builds(
    lambda *parts: "".join(parts),
    st.sampled_from(["", " ", "  ", "\t"]),
    st.sampled_from(["", "-", "+"]),
    numbers,
    st.sampled_from(["", " ", "x", "\n"]),
)
compared = st.from_regex(r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?", fullmatch=True)


@examples(40)
@given(compared, st.sampled_from(["gt", "gte", "lt", "lte"]), st.lists(texts, max_size=20))
def test_a_text_is_compared_as_the_number_that_revenue_reads(
    conn: Connection, number: str, operator: str, given_texts: list[str]
) -> None:
    near = [
        number,
        f" {number} ",
        f"{number}1",
        number[:-1],
        number.lstrip("-"),
        f"-{number}",
        f"0{number}",
        "-0",
        "0.0",
    ]
    filters = read_filters([f"properties.revenue:{operator}:{number}"]).parameter()
    rows = conn.execute(
        """
        select
            t, event_matches('x', '/', null, null, jsonb_build_object('revenue', t), %s::jsonb),
            exact_number(to_jsonb(t))
        from unnest(%s::text[]) t
        """,
        [filters, [*given_texts, *near]],
    ).fetchall()
    compare = {"gt": Decimal.__gt__, "gte": Decimal.__ge__, "lt": Decimal.__lt__, "lte": Decimal.__le__}[operator]
    for text, matches, amount in rows:
        assert matches == (amount is not None and compare(amount, Decimal(number))), (text, operator, number)
