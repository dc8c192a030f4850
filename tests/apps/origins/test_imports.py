"""What rows of files and lines of logs know of a visit: by columns, user agents, referrers and queries."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.importing.files.line_reader import Format, LineReader
from apps.importing.importer import import_source
from apps.importing.rows.mapping import Mapping
from apps.importing.sources import open_source
from apps.importing.summary import Summary
from tests.apps.origins.test_every_protocol import AGENT, IPHONE, ORIGIN, QUERY, REFERRER, UTM
from tests.servers.queue import queued

ROW = {"event_type": "page_view", "path": "/lamp", "timestamp": "2026-03-10T12:00:00Z"}


def quoted_csv(row: dict[str, str]) -> str:
    """A table with one row."""
    return "\n".join(",".join(f'"{cell}"' for cell in cells) for cells in (row, row.values()))


class Imported:
    """The events of a file, as ingestion queues them, and what the command notes."""

    def __init__(self, ingestion: httpx.Client, site: str, folder: Path) -> None:
        self.ingestion, self.site, self.folder = ingestion, site, folder
        self.notes: list[str] = []

    def __call__(
        self, text: str, kind: Format = "csv", host: str | None = None, **mapping: Any
    ) -> list[dict[str, Any]]:
        def deliver(events: Any) -> list[Any]:
            answer = self.ingestion.post("/events", content=b"[%b]" % b",".join(events))
            assert answer.json()["accepted"] == len(events), answer.text
            return []

        path = self.folder / "file"
        path.write_text(text)
        with LineReader(path) as lines:
            source = open_source(
                lines, kind, site=self.site, mapping=Mapping(**mapping), all_requests=False, bots="keep", host=host
            )
            import_source(source, site=self.site, tally=Summary(), deliver=deliver, watch=lambda: None)
            self.notes = lines.notes
        return sorted(queued(self.site), key=lambda one: str(one["timestamp"]))


@pytest.fixture
def imported(ingestion: httpx.Client, shop: str, tmp_path: Path) -> Imported:
    return Imported(ingestion, shop, tmp_path)


def known(event: dict[str, Any]) -> tuple[Any, Any]:
    return event.get("agent"), event.get("origin")


def test_columns_are_taken_by_their_names(imported: Imported) -> None:
    row = ROW | {
        "country": "Germany",
        "device": "Smartphone",
        "browser": "Safari",
        "os": "iOS",
        "language": "de-DE",
        "source": "Google",
        "medium": "CPC",
        "campaign": "lamps",
        "term": "desk",
        "content": "a",
        "referrer": REFERRER,
    }
    (event,) = imported(quoted_csv(row))
    assert known(event) == (AGENT, ORIGIN)
    assert any(note.endswith("leaves one out") and "country" in note and "campaign" in note for note in imported.notes)


def test_utm_columns_user_agents_and_addresses_say_the_same(imported: Imported) -> None:
    row = ROW | {"user_agent": IPHONE, "locale": "de", "country_code": "de", "referrer": REFERRER} | UTM
    (event,) = imported(quoted_csv(row))
    assert known(event) == (AGENT, ORIGIN)


def test_the_query_of_a_pages_address_says_the_campaign(imported: Imported) -> None:
    row = ROW | {"path": f"https://shop.example/lamp?{QUERY}", "referrer": REFERRER}
    (event,) = imported(json.dumps(row), "ndjson")
    assert known(event) == (None, ORIGIN)


def test_options_name_other_columns_and_leave_usual_ones_out(imported: Imported) -> None:
    row = ROW | {"Land": "AT", "device": "till", "source": "warehouse", "os": "iOS", "browser": "x"}
    columns = {"country": "Land", "device": "", "source": ""}
    (event,) = imported(quoted_csv(row), columns=columns, properties={"browser": "browser"})
    assert known(event) == ({"country": "AT", "os": "iOS"}, None)
    assert event["properties"]["browser"] == "x"


def test_what_files_call_nothing_is_nothing_and_costs_no_row(imported: Imported) -> None:
    row = {"country": "(not set)", "device": "", "browser": "unknown", "source": "(direct)", "medium": "(none)"}
    (event,) = imported(quoted_csv(ROW | row))
    assert known(event) == (None, None)


def test_values_that_are_no_text_cost_no_row(imported: Imported) -> None:
    row = {"country": 49, "device": ["x"], "os": None, "source": {"a": 1}, "browser": "B" * 5_000, "channel": "a\0b"}
    (event,) = imported(json.dumps(ROW | row), "ndjson")
    assert known(event) == ({"browser": "B" * 255}, {"channel": "a\ufffdb"})


def line(target: str, referrer: str, *, minute: int, host: str = "") -> str:
    time = f"10/Mar/2026:12:{minute:02}:00 +0000"
    return f'{host}192.0.2.7 - - [{time}] "GET {target} HTTP/2.0" 200 5 "{referrer}" "{IPHONE}"\n'


def test_a_log_says_user_agent_referrer_and_campaign(imported: Imported) -> None:
    text = (
        line(f"/lamp?{QUERY}", REFERRER, minute=1)
        + line("/chair?msclkid=1", "-", minute=2)
        + line("/cart", "https://shop.example/lamp", minute=3)
        + line("/", "https://blog.example/", minute=4)
    )
    events = imported(text, "combined", host="shop.example")
    agent = {"device": "mobile", "browser": "Safari", "os": "iOS"}
    assert [one.get("agent") for one in events] == [agent] * 4
    bing = {"source": "bing", "medium": "cpc", "channel": "Paid Search"}
    blog = {"source": "blog.example", "medium": "referral", "referrer": "blog.example", "channel": "Referral"}
    assert [one.get("origin") for one in events] == [ORIGIN, bing, None, blog]


def test_a_log_that_has_the_host_knows_its_own_pages(imported: Imported) -> None:
    (event,) = imported(line("/cart", "https://shop.example/lamp", minute=3, host="www.shop.example:443 "), "combined")
    assert "origin" not in event
