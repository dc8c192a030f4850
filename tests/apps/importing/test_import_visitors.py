"""Which column of a table is the visitor: its own, or one with a usual name that the options use for nothing else."""

from typing import Any

import pytest

from tests.apps.importing.test_import_tables import NOON, VIEW, import_csv, import_ndjson

__all__ = ["import_csv", "import_ndjson"]

USUAL = "visitor_id,anonymous_id,client_id,visitor,device_id"


@pytest.mark.parametrize(
    ("columns", "cells", "options", "visitor"),
    [
        (USUAL, "a,b,c,d,e", {}, "a"),
        (USUAL, ",null,c,d,e", {}, "c"),
        ("device_id", "e", {}, "e"),
        ("Visitor,Device_ID,client", "a,b,c", {}, None),
        (USUAL, ",,c,,e", {"columns": {"user_id": "client_id"}}, "e"),
        (USUAL, ",,,,e", {"properties": {"phone": "device_id"}}, None),
        (USUAL, "a,b,,,", {"columns": {"visitor_id": "anonymous_id"}}, "b"),
        (USUAL, "a,b,c,d,e", {"columns": {"visitor_id": ""}}, None),
        (f"{USUAL},who", "a,b,c,d,e,undefined", {"columns": {"visitor_id": "who"}}, None),
    ],
)
def test_the_visitor_is_in_its_column_or_in_one_that_is_usual(
    import_csv: Any, import_ndjson: Any, columns: str, cells: str, options: dict[str, Any], visitor: str | None
) -> None:
    (row,) = import_csv(f"event_type,path,timestamp,{columns}\npage_view,/,{NOON},{cells}\n", **options).events
    values = dict(zip(columns.split(","), cells.split(","), strict=True))
    (one,) = import_ndjson(VIEW | {"timestamp": NOON} | values, **options).events
    assert (row.get("visitor_id"), one.get("visitor_id")) == (visitor, visitor)


def test_a_usual_name_of_the_visitor_may_be_something_else_in_json(import_ndjson: Any) -> None:
    more = {"timestamp": NOON, "visitor": {"name": "Ann"}, "device_id": 7}
    assert [one["visitor_id"] for one in import_ndjson(VIEW | more).events] == ["7"]
    assert import_ndjson(VIEW | more | {"visitor_id": {}}).events[0]["visitor_id"] == "7"
    assert not import_ndjson(VIEW | more | {"visitor_id": ["a"]}).events
