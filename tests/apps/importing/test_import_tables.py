"""Rows of CSV and NDJSON files become events, as the mapping says."""

import gzip
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from apps.events.validation import EventValidator
from apps.importing.dry_run import DryRun
from apps.importing.files.line_reader import Format, LineReader
from apps.importing.files.records import Unusable
from apps.importing.importer import import_source
from apps.importing.rows.mapping import Mapping
from apps.importing.sources import open_source
from apps.importing.summary import Summary
from db.settings import load

VIEW = {"event_type": "page_view", "path": "/"}
HEADER = "event_type,path,timestamp,user_id,properties\n"
NOON = "2026-03-10T12:00:00Z"


class Outcome:
    """What an import made of a file."""

    def __init__(self, path: Path, kind: Format, mapping: Mapping) -> None:
        self.tally = Summary()
        self.events: list[dict[str, Any]] = []
        rehearsal = DryRun(EventValidator(load()))

        def deliver(events: Any) -> Any:
            self.events += map(msgspec.json.decode, events)
            return rehearsal.deliver(events)

        with LineReader(path) as lines:
            source = open_source(lines, kind, site="shop", mapping=mapping, all_requests=True)
            import_source(source, site="shop", tally=self.tally, deliver=deliver, watch=lambda: None)
            self.damage = lines.damage

    @property
    def refused(self) -> dict[str, str]:
        """Each reason and its example."""
        return self.tally.refused.examples


@pytest.fixture
def import_csv(tmp_path: Path) -> Any:
    def read(text: str | bytes, **mapping: Any) -> Outcome:
        path = tmp_path / "events.csv"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return Outcome(path, "csv", Mapping(**mapping))

    return read


@pytest.fixture
def import_ndjson(tmp_path: Path) -> Any:
    def read(*objects: Any, **mapping: Any) -> Outcome:
        path = tmp_path / "events.ndjson"
        path.write_bytes(msgspec.json.Encoder().encode_lines(objects))
        return Outcome(path, "ndjson", Mapping(**mapping))

    return read


def test_columns_that_bear_a_fields_name_need_no_option(import_csv: Any) -> None:
    outcome = import_csv(
        f"site_id,event_type,path,timestamp,user_id,properties,event_id\n"
        f'else,sale,/till,{NOON},ann,"{{""revenue"": 9.5}}",0198a7a0-0000-4000-8000-000000000001\n'
    )
    assert outcome.events == [
        {
            "site_id": "shop",
            "event_type": "sale",
            "path": "/till",
            "timestamp": NOON,
            "user_id": "ann",
            "properties": {"revenue": 9.5},
            "event_id": "0198a7a0-0000-4000-8000-000000000001",
        }
    ]
    assert outcome.tally.sent == 1


def test_options_map_columns_constants_properties_and_types(import_csv: Any) -> None:
    outcome = import_csv(
        "who,what,when,Quantity,note\nann,page_viewed,2026-03-10 12:00,6,\n",
        columns={"user_id": "who", "event_type": "what", "timestamp": "when"},
        constants={"path": "/shop"},
        properties={"quantity": "Quantity", "note": "note"},
        types={"page_viewed": "page_view"},
    )
    (event,) = outcome.events
    del event["event_id"]
    assert event == VIEW | {
        "site_id": "shop",
        "path": "/shop",
        "timestamp": NOON,
        "user_id": "ann",
        "properties": {"quantity": "6"},
    }


def test_json_values_keep_their_types_in_properties_and_are_text_elsewhere(import_ndjson: Any) -> None:
    outcome = import_ndjson(
        VIEW | {"t": 1331923247, "user": 17, "ll": [42.5, -70.9], "gone": None, "nk": 0},
        VIEW | {"t": 1331923248.25, "user": None, "properties": {"a": 1}},
        columns={"timestamp": "t", "user_id": "user"},
        properties={"ll": "ll", "gone": "gone", "nk": "nk"},
        unit="s",
    )
    first, second = outcome.events
    assert (first["timestamp"], first["user_id"], first["properties"]) == (
        1331923247000, "17", {"ll": [42.5, -70.9], "nk": 0},
    )  # fmt: skip
    assert (second["timestamp"], second["properties"]) == (1331923248250, {"a": 1})
    assert "user_id" not in second


def test_an_empty_user_is_an_anonymous_event(import_csv: Any) -> None:
    outcome = import_csv(f"{HEADER}page_view,/,{NOON},,\n")
    assert "user_id" not in outcome.events[0]
    assert "properties" not in outcome.events[0]


@pytest.mark.parametrize("nobody", ["NULL", "null", "undefined", r"\N", "None", "nan", "0", "[object Object]"])
def test_what_a_database_writes_for_nobody_is_no_user(import_csv: Any, import_ndjson: Any, nobody: str) -> None:
    (row,) = import_csv(f"{HEADER}page_view,/,{NOON},{nobody},\n").events
    (one,) = import_ndjson(VIEW | {"timestamp": NOON, "user_id": nobody}).events
    assert "user_id" not in row | one


@pytest.mark.parametrize(
    ("place", "path", "url"),
    [
        ("https://shop.example/lamps?utm_source=x", "/lamps", "https://shop.example/lamps?utm_source=x"),
        ("https://shop.example", "/", "https://shop.example"),
        ("https://shop.example?q=1", "/", "https://shop.example?q=1"),
        ("HTTP://[2001:db8::1]:80/a#b", "/a", "HTTP://[2001:db8::1]:80/a#b"),
        ("/lamps?q=1", "/lamps?q=1", None),
        ("//shop.example/lamps", "//shop.example/lamps", None),
        ("mailto:ann@shop.example", "mailto:ann@shop.example", None),
        ("85123A", "85123A", None),
    ],
)
def test_of_a_url_its_path_is_the_path(import_ndjson: Any, place: str, path: str, url: str | None) -> None:
    (event,) = import_ndjson(VIEW | {"path": place, "timestamp": NOON}).events
    assert (event["path"], event.get("properties", {}).get("url")) == (path, url)


def test_a_url_that_is_too_long_is_left_out_and_a_path_that_is_too_long_refused(import_ndjson: Any) -> None:
    long = "x" * 40_000
    outcome = import_ndjson(
        VIEW | {"path": f"https://shop.example/a?{long}", "timestamp": NOON, "properties": {"kept": 1}},
        VIEW | {"path": f"https://shop.example/{long[:3000]}", "timestamp": NOON},
        VIEW | {"path": "https://shop.example/b", "timestamp": NOON, "properties": {"url": "mine"}},
    )
    assert outcome.events[0]["properties"] == {"kept": 1}
    assert outcome.events[2]["properties"] == {"url": "mine"}
    assert outcome.tally.sent == 2
    assert list(outcome.refused.values()) == ["events.ndjson line 2"]
    assert next(iter(outcome.refused)).startswith("path ")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2010-12-01 08:26:00", "2010-12-01T07:26:00Z"),
        ("2025-02-23T00:00:01.750Z", "2025-02-23T00:00:01.750000Z"),
        ("2025-07-01T12:00:00+05:30", "2025-07-01T06:30:00Z"),
        ("2025-07-01 12:00:00 UTC", "2025-07-01T12:00:00Z"),
        ("2025-03-30 02:30", "2025-03-30T01:30:00Z"),  # the clocks went from 2:00 to 3:00
        ("2025-10-26 02:30", "2025-10-26T00:30:00Z"),  # the clocks went from 3:00 to 2:00
        ("1740268798000", 1740268798000),
        ("1.740268798e12", 1740268798000),
    ],
)
def test_times_without_an_offset_are_of_the_timezone(import_csv: Any, text: str, utc: str | int) -> None:
    (event,) = import_csv(f"{HEADER}page_view,/,{text},,\n", zone=ZoneInfo("Europe/Berlin")).events
    assert event["timestamp"] == utc


def test_a_row_that_cannot_be_an_event_is_refused_with_its_reason_and_line(import_csv: Any) -> None:
    outcome = import_csv(
        HEADER
        + f'page_view,/,{NOON},,"two\nlines"\n'  # line 2
        + f"page_view,/,{NOON},,17\n"
        + "page_view,/,yesterday,,\n"
        + "page_view,/,12/24/2025 8:26,,\n"  # line 6
        + f"page_view,,{NOON},,\n"
        + "page_view,/,,,\n"
        + "page_view,/,-5,,\n"
        + f"page_view,/,{NOON}\n"  # line 10
        + f"page_view,/,{NOON},,,\n"
        + f'page_view,/"x",{NOON},,\n'
        + f'page_view,"/"x,{NOON},,\n'
        + "page_view,/,1999-12-31,,\n"
        + f"page_view,/,{NOON},,null\n"
        + f"page_view,/,{NOON},ann,\n"
    )  # fmt: skip
    reasons = {reason: (count, outcome.refused[reason]) for reason, count in outcome.tally.refused.counts.items()}
    assert reasons == {
        "properties is not a JSON object": (3, "events.csv line 2"),
        "timestamp is neither ISO 8601 nor a number: give its format with --time-format, such as '%m/%d/%Y %H:%M'": (
            2,
            "events.csv line 5",
        ),
        "path is empty": (1, "events.csv line 7"),
        "timestamp is empty": (1, "events.csv line 8"),
        "timestamp is a number but not a time since 1970 in ms (--time-unit)": (1, "events.csv line 9"),
        "it has fewer cells than there are columns": (1, "events.csv line 10"),
        "it has more cells than there are columns": (1, "events.csv line 11"),
        "not CSV: ',' expected after '\"'": (1, "events.csv line 13"),
        "timestamp is ...: before 2000-01-01T00:00:00+00:00": (1, "events.csv line 14"),
    }
    assert (outcome.tally.read, outcome.tally.sent) == (14, 2)


def test_a_byte_order_mark_is_not_part_of_the_first_column(import_csv: Any) -> None:
    assert import_csv(f"\ufeffpath,event_type,timestamp\r\n/,page_view,{NOON}\r\n").tally.sent == 1


def test_a_key_that_only_some_objects_have_may_be_mapped(import_ndjson: Any) -> None:
    outcome = import_ndjson(
        VIEW | {"timestamp": NOON}, {"heartbeat": 1}, VIEW | {"timestamp": NOON, "n": 1}, properties={"n": "n"}
    )
    assert outcome.refused == {"event_type is empty": "events.ndjson line 2"}
    assert outcome.events[1]["properties"] == {"n": 1}
    with pytest.raises(Unusable, match="no column 'm'"):
        import_ndjson(VIEW | {"timestamp": NOON}, properties={"m": "m"})


@pytest.mark.parametrize("content", ["", "\n\n", HEADER])
def test_an_empty_file_is_nothing_to_do(import_csv: Any, content: str) -> None:
    outcome = import_csv(content)
    assert outcome.tally.read == 0
    assert not outcome.tally.failed


def test_gzip_is_unzipped_whatever_the_name(import_csv: Any) -> None:
    rows = f"page_view,/,{NOON},,\n"
    assert import_csv(gzip.compress(HEADER.encode()) + gzip.compress(rows.encode() * 3)).tally.sent == 3
