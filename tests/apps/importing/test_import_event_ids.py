"""The ids of imported events: what is imported twice is counted once."""

import uuid
from pathlib import Path
from typing import Any

import httpx
import pytest

from apps.importing.files.line_reader import LineReader, format_of
from apps.importing.importer import import_source
from apps.importing.rows.event_ids import NAMESPACE, EventIds
from apps.importing.rows.mapping import Mapping
from apps.importing.sender import Sender
from apps.importing.sources import open_source
from apps.importing.summary import Summary
from tests.conftest import Connection
from tests.servers.queue import queued
from tests.servers.servers import until

HEADER = "timestamp,event_type,path,user_id\n"
ANN = "2026-03-10T12:00:00Z,page_view,/lamps,ann\n"
BOB = "2026-03-10T12:00:00Z,page_view,/lamps,bob\n"


@pytest.fixture
def import_files(ingestion: httpx.Client, worker: None, shop: str) -> Any:
    """Import files into `shop` through the API; the rows sent."""

    def send(*paths: Path, **mapping: Any) -> int:
        tally = Summary()
        sender = Sender(ingestion, report=print, give_up_after=5)
        for path in paths:
            with LineReader(path) as lines:
                source = open_source(
                    lines, format_of(path) or "csv", site=shop, mapping=Mapping(**mapping), all_requests=False
                )
                import_source(source, site=shop, tally=tally, deliver=sender.deliver, watch=lambda: None)
        return tally.sent

    return send


@pytest.fixture
def stored(conn: Connection, shop: str) -> Any:
    """The number of events of `shop`, once all that was sent is stored."""

    def count() -> int:
        until(lambda: not queued(shop))
        row = conn.execute("select count(*) from events where site_id = %s", (shop,)).fetchone()
        return row[0] if row else 0

    return count


def test_an_id_is_a_uuid5_of_the_site_the_row_and_its_earlier_occurrences() -> None:
    ids = EventIds("shop")
    assert [ids.next(b"ann"), ids.next(b"bob"), ids.next(b"ann")] == [
        uuid.uuid5(NAMESPACE, "shop\0ann\0" + "0"),
        uuid.uuid5(NAMESPACE, "shop\0bob\0" + "0"),
        uuid.uuid5(NAMESPACE, "shop\0ann\0" + "1"),
    ]
    assert EventIds("other").next(b"ann") != EventIds("shop").next(b"ann")


def test_a_row_is_remembered_for_a_generation_and_forgotten_after_two() -> None:
    def again_after(others: int) -> bool:
        ids = EventIds("shop", generation=10)
        first = ids.next(b"ann")
        for number in range(others):
            ids.next(b"%d" % number)
        assert len(ids.young) + len(ids.old) <= 20
        return ids.next(b"ann") != first

    assert [again_after(others) for others in (0, 5, 9, 10, 18)] == [True] * 5
    assert again_after(19) is False


def test_a_second_import_adds_nothing_and_a_grown_file_its_new_rows(
    import_files: Any, stored: Any, tmp_path: Path
) -> None:
    path = tmp_path / "events.csv"
    path.write_text(HEADER + ANN + BOB + ANN + ANN)
    assert import_files(path) == 4
    assert stored() == 4, "equal rows are events of their own"
    assert import_files(path) == 4
    assert stored() == 4
    path.write_text(HEADER + ANN + BOB + ANN + ANN + ANN + BOB.replace("bob", "cid"))
    assert import_files(path) == 6
    assert stored() == 6


def test_equal_rows_of_two_files_are_the_same_event(import_files: Any, stored: Any, tmp_path: Path) -> None:
    monday, tuesday = tmp_path / "monday.csv", tmp_path / "tuesday.csv"
    monday.write_text(HEADER + ANN + BOB)
    # The same, written in another way, and a row more.
    tuesday.write_text(HEADER + BOB.replace("bob", '"bob"').replace("\n", "\r\n") + ANN + ANN)
    import_files(monday, tuesday)
    assert stored() == 3


def test_the_options_are_not_part_of_an_id(import_files: Any, stored: Any, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    path.write_text(HEADER + ANN)
    import_files(path)
    import_files(path, properties={"user": "user_id"}, types={"page_view": "view"})
    assert stored() == 1


def test_ids_of_the_file_itself_are_taken(import_files: Any, stored: Any, conn: Connection, tmp_path: Path) -> None:
    path = tmp_path / "events.csv"
    given = uuid.uuid4()
    path.write_text(
        f"id,timestamp,event_type,path\n{given},2026-03-10T12:00:00Z,sale,/\n,2026-03-10T12:00:00Z,sale,/\n"
    )
    import_files(path, columns={"event_id": "id"})
    assert stored() == 2
    assert conn.execute("select 1 from events where event_id = %s", (given,)).fetchone()


def test_a_log_line_counts_once_though_its_neighbours_are_skipped(
    import_files: Any, stored: Any, tmp_path: Path
) -> None:
    path = tmp_path / "access.log"
    view = '192.0.2.7 - - [10/Oct/2025:13:55:36 +0000] "GET / HTTP/1.1" 200 1 "-" "agent"\n'
    path.write_text(view + view.replace("GET", "POST") + view)
    assert import_files(path) == 2
    path.write_text(view + view.replace("GET", "POST") + view + view.replace("GET /", "GET /lamps"))
    assert import_files(path) == 3
    assert stored() == 3
