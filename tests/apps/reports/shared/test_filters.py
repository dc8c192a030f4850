"""The filters of reports: which events they keep, whatever the types of their properties."""

from itertools import product
from typing import Any

import httpx
import pytest

from db.store.events import store_events
from tests.builders.factories import batch, received
from tests.conftest import Connection

PROPERTIES: list[dict[str, Any]] = [{"seats": 5}, {"seats": 6}, {"seats": "6"}, {"seats": "x"}, {}]


@pytest.mark.parametrize(
    ("condition", "kept"),
    [
        ("properties.seats:is:5", 1),
        ("properties.seats:is:6", 2),
        ("properties.seats:is:5|x", 2),
        ("properties.seats:is_not:5", 4),
        ("properties.seats:is_not:6", 3),
        ("properties.seats:is_not:none", 5),
        ("properties.seats:contains:x", 1),
        ("properties.seats:contains_not:x", 4),
        ("properties.seats:gte:5", 3),
        ("properties.seats:lt:6", 1),
        ("properties.seats:exists", 4),
        ("properties.seats:missing", 1),
    ],
)
def test_an_event_is_kept_or_it_is_not(
    conn: Connection, reporting: httpx.Client, shop: str, condition: str, kept: int
) -> None:
    store_events(conn, batch(*(received(shop, properties=properties) for properties in PROPERTIES)))
    asked = {"site_id": shop, "date": "2026-03-10", "interval": "day", "filter": condition}
    assert reporting.get("/timeseries", params=asked).json()["points"][0]["value"] == kept


VALUES: list[Any] = [None, 0, False, "", [], [None], {}, {"b": None}, {"b": 1}, "x"]


@pytest.mark.parametrize("name", ["a", "a.b"])
def test_exists_and_missing_agree_with_what_a_breakdown_has_without_a_value(
    conn: Connection, reporting: httpx.Client, shop: str, name: str
) -> None:
    """null is no value; what else is falsy, or an empty list, is one."""
    store_events(conn, batch(received(shop), *(received(shop, properties={"a": value}) for value in VALUES)))
    asked = {"site_id": shop, "date": "2026-03-10"}
    broken = reporting.get("/breakdown", params=asked | {"dimension": f"properties.{name}"}).json()
    without = broken["without_value"]["events"]
    assert without == {"a": 2, "a.b": len(VALUES)}[name]
    counted = {
        operator: reporting.get(
            "/timeseries",
            params=asked | {"interval": "day", "metric": "events", "filter": f"properties.{name}:{operator}"},
        ).json()["points"][0]["value"]
        for operator in ("exists", "missing")
    }
    assert counted == {"exists": len(VALUES) + 1 - without, "missing": without}


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("properties.a:is:007", 200),
        ("properties.a:gt:007", 400),
        ("properties.a:is:-0", 200),
        ("properties.a:is:\x07\\\"'%s", 200),
        ("properties.ä😀:is:😀", 200),
        ("properties..:exists", 200),
        ("properties.a:contains:|", 200),
        ("properties." + ".".join("a" * 90) + ":exists", 200),
        ("path:is:***:(a", 200),
        ("path:is:/a\nb", 200),
        ("path:contains:\\", 200),
        ("path:contains:" + "(" * 5_000, 200),
        ("path:is:" + "|".join(f"/products/{number}" for number in range(3_000)), 200),
    ],
    ids=lambda value: str(value)[:40],
)
def test_an_odd_value_is_answered_or_refused(
    conn: Connection, reporting: httpx.Client, shop: str, condition: str, status: int
) -> None:
    store_events(conn, batch(received(shop, properties={"a": "x"})))
    answer = reporting.get("/timeseries", params={"site_id": shop, "date": "2026-03-10", "filter": condition})
    assert answer.status_code == status, answer.text


#: All texts of one or two of these: what has a meaning in a filter, and what has none.
ODD = ["".join(some) for length in (1, 2) for some in product("|*\\;a", repeat=length)]


def escaped(text: str) -> str:
    return "".join(f"\\{one}" if one in "|*\\;" else one for one in text)


@pytest.fixture
def odd(conn: Connection, shop: str) -> str:
    """A site with an event of each of the odd texts, in all that can be filtered."""
    events = (received(shop, path=one, event_type=one, user_id=one, properties={"note": one}) for one in ODD)
    store_events(conn, batch(*events))
    return shop


@pytest.mark.parametrize("dimension", ["event_type", "user_id", "path", "properties.note"])
def test_every_text_can_be_meant_as_it_is(reporting: httpx.Client, odd: str, dimension: str) -> None:
    def found(operator: str, value: str) -> set[str]:
        asked: dict[str, Any] = {"site_id": odd, "date": "2026-03-10", "dimension": dimension, "limit": 100}
        answer = reporting.get("/breakdown", params={**asked, "filter": f"{dimension}:{operator}:{value}"})
        assert answer.status_code == 200, answer.text
        return {row["value"] for row in answer.json()["rows"]}

    for text in ODD:
        assert found("is", escaped(text)) == {text}
        if dimension in ("path", "properties.note"):
            assert found("contains", escaped(text)) == {one for one in ODD if text in one}
    assert found("is_not", escaped("|*")) == {*ODD} - {"|*"}
    assert found("is", rf"{escaped('|')}|{escaped('a*')}|a\a") == {"|", "a*"}  # before an a, a backslash is one
    if dimension == "path":
        assert found("is", "a*") == {one for one in ODD if one.startswith("a")}
        assert found("is", r"\\*") == {one for one in ODD if one.startswith("\\")}
        assert found("contains_not", r"\*|a") == {one for one in ODD if not {"*", "a"} & {*one}}


def test_a_step_of_a_funnel_may_have_what_ends_a_filter(conn: Connection, reporting: httpx.Client, shop: str) -> None:
    store_events(conn, batch(received(shop, path="/a;path:b|*", event_type="a;|b", user_id="ann")))
    asked = {"site_id": shop, "date": "2026-03-10", "step": [r"a\;\|b;path:is:/a\;path:b\|\*", "click"]}
    assert [step["users"] for step in reporting.get("/funnel", params=asked).json()["steps"]] == [1, 0]
    asked["step"] = ["a;b", "click"]
    assert reporting.get("/funnel", params=asked).status_code == 400
