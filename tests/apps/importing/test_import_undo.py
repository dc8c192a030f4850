"""An import tells what was new, is remembered, and can be taken back: all of it, and nothing else."""

from pathlib import Path
from typing import Any, get_args

import httpx
import msgspec
import pytest
from click.testing import CliRunner, Result

from apps.cli import main
from db.ledger import imports
from db.rollups.advance import Rollup, advance
from db.store.events import store_events
from tests.builders.factories import NOW, batch, received
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.servers.key import ADMIN_KEY
from tests.servers.serving import Served

HEADER = "timestamp,event_type,path,user_id,order_id,revenue\n"
OPTIONS = ["--property", "order_id", "--property", "revenue", "--set", "properties.currency=EUR"]


class Command:
    """`tjra import`, through both apps and a worker."""

    def __init__(self, ingestion: Served, reporting: Served, folder: Path, site: str) -> None:
        self.urls = ["--url", ingestion.url, "--reporting-url", reporting.url, "--key", ADMIN_KEY]
        self.folder = folder
        self.site = site

    def send(self, *rows: str) -> tuple[str, int, int]:
        """Import a file with these rows: the import's id, how many were new, and how many were not."""
        path = self.folder / "orders.csv"
        path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
        done = run("import", str(path), "--site", self.site, *self.urls, *OPTIONS)
        assert done.exit_code == 0, done.output
        words = {words[1]: words[0] for line in done.stderr.splitlines() if len(words := line.split()) > 1}
        (import_id,) = (line.split()[7] for line in done.stderr.splitlines() if line.startswith("to take it back"))
        return import_id, int(words["new"]), int(words["duplicates,"])


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, arguments, input=answer)


@pytest.fixture
def command(worker: None, ingestion_server: Served, reporting_server: Served, tmp_path: Path, shop: str) -> Command:
    return Command(ingestion_server, reporting_server, tmp_path, shop)


def events(conn: Connection, site: str) -> list[Any]:
    query = (
        "select event_type, path, user_id, properties ->> 'order_id' from events where site_id = %s order by 1, 2, 3, 4"
    )
    return conn.execute(query.encode(), [site]).fetchall()


FIRST = [f"2026-02-{day:02}T10:00:00Z,page_view,/{day},ann,," for day in range(1, 9)]
FIRST += ["2026-02-03T11:00:00Z,purchase,/till,ann,1,19.90", "2026-02-03T12:00:00Z,purchase,/till,bob,2,5"]


def test_new_and_duplicates_are_told_apart_and_an_import_is_taken_back(
    command: Command, conn: Connection, shop: str, other: str
) -> None:
    live = received(shop, timestamp="2026-02-03T11:30:00+00:00", user_id="bob", path="/live")
    store_events(conn, batch(live, received(other, timestamp="2026-02-03T11:30:00+00:00")))
    first, new, old = command.send(*FIRST)
    assert (new, old) == (10, 0)
    again = run("import", str(command.folder / "orders.csv"), "--site", shop, *command.urls, *OPTIONS)
    assert again.exit_code == 0
    assert again.stderr.endswith("        0 new\n       10 duplicates\nnothing changed: these rows were there before\n")
    assert "--undo" not in again.stderr
    corrected = [row.replace("19.90", "20") for row in FIRST]
    second, new, old = command.send(*corrected, "2026-02-20T10:00:00Z,page_view,/new,cat,,")
    assert (new, old) == (2, 9)
    for rollup in get_args(Rollup):
        while advance(conn, rollup, shop, target=NOW):
            pass
    assert differences(conn, shop) == {}
    all_there = events(conn, shop)

    dry = run("import", "--undo", second, "--dry-run")
    assert dry.output.startswith(
        f"import {second} of orders.csv brought 2 events from 2026-02-03 11:00 to 2026-02-20 10:00"
    )
    assert run("import", "--undo", second, answer="n\n").exit_code == 1
    assert events(conn, shop) == all_there
    done = run("import", "--undo", second, answer="y\n")
    assert "deleted 2 events, 0 are left of it" in done.output, done.output
    assert len(events(conn, shop)) == 11
    assert differences(conn, shop) == {}
    assert "cat" not in {row[0] for row in conn.execute("select user_id from users where site_id = %s", [shop])}

    assert "deleted 10 events" in run("import", "--undo", first, "--yes").output
    assert events(conn, shop) == [("page_view", "/live", "bob", None)]
    assert differences(conn, shop) == {}
    assert len(events(conn, other)) == 1
    # The ids are free again.
    assert command.send(*FIRST)[1:] == (10, 0)
    assert len(events(conn, shop)) == 11
    assert differences(conn, shop) == {}
    assert run("import", "--undo", second, "--yes").exit_code == 1


def test_imports_are_listed_with_what_was_imported_and_how(command: Command, conn: Connection, shop: str) -> None:
    import_id, _, _ = command.send(*FIRST, "yesterday,page_view,/,,,")
    run("import", "--undo", import_id, "--yes")
    again, _, _ = command.send(*FIRST)
    listed = run("imports", "--site", shop).stdout.splitlines()
    assert [line.split()[0] for line in listed] == [again, import_id]
    assert "orders.csv: 11 rows, 10 sent, 0 there from 2026-02-01 10:00 to 2026-02-08 10:00 UTC (undone)" in listed[1]
    one = msgspec.json.decode(run("imports", "--site", shop, "--json").stdout.splitlines()[1])
    assert one["options"] == [
        f"--site={shop}", "--set=properties.currency=EUR", "--property=order_id=order_id", "--property=revenue=revenue",
    ]  # fmt: skip
    (file,) = one["files"]
    assert (file["name"], file["rows"], len(file["sha256"])) == ("orders.csv", 11, 64)


def test_where_events_are_no_longer_kept_nothing_is_taken_back(command: Command, conn: Connection, shop: str) -> None:
    import_id, _, _ = command.send(*FIRST)
    conn.execute("update sites set events_from = '2026-02-05' where site_id = %s", [shop])
    done = run("import", "--undo", import_id, "--yes")
    assert done.exit_code == 1
    assert "nothing was deleted: it sent events from 2026-02-01 on; those before 2026-02-05" in done.output
    assert len(events(conn, shop)) == 10


def test_an_import_that_nobody_remembers_is_taken_back_by_its_site(
    command: Command, conn: Connection, shop: str, unused_port: int
) -> None:
    command.urls[3] = f"http://127.0.0.1:{unused_port}"
    path = command.folder / "views.csv"
    path.write_text(HEADER + FIRST[0])
    done = run("import", str(path), "--site", shop, *command.urls)
    assert done.exit_code == 0
    assert "the import is not recorded, and it is unknown how many events were new: the reporting API at" in done.stderr
    import_id = done.stderr.split("--undo ")[1].split()[0]
    assert "--site names the site that has its events" in run("import", "--undo", import_id, "--yes").output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--undo", "xyz"], "12 hexadecimal digits"),
        (["--undo", "5b1e7d02c9a4", "--site", "nobody"], "has no events of the import"),
        (["--undo", "5b1e7d02c9a4"], "`tjra imports` does not list 5b1e7d02c9a4"),
        ([], "Missing argument 'FILES...'"),
    ],
)
def test_what_cannot_be_undone_says_why(database_url: str, arguments: list[str], words: str) -> None:
    done = run("import", *arguments)
    assert done.exit_code != 0
    assert words in done.output


def test_the_api_refuses_what_is_no_import(reporting: httpx.Client, shop: str) -> None:
    for path, content in (
        ("xyz", b"{}"),
        ("5b1e7d02c9a4", b"{}"),
        ("5b1e7d02c9a4", b'{"files": [{"name": "\\u0000"}]}'),
    ):
        answer = reporting.put(f"/imports/{path}", params={"site_id": shop}, content=content)
        assert answer.status_code == 400
    assert reporting.get("/imports/5b1e7d02c9a4/outcome", params={"site_id": shop}).status_code == 404


def test_what_comes_late_changes_nothing(conn: Connection, shop: str) -> None:
    ended = imports.Import(files=[imports.ImportedFile(name="a.csv", rows=3)], began_at=NOW, ended_at=NOW, sent=3)
    imports.note(conn, shop, "5b1e7d02c9a4", ended)
    imports.note(conn, shop, "5b1e7d02c9a4", imports.Import(files=[], began_at=NOW))
    (one,) = imports.read_imports(conn, shop)
    assert (one.sent, one.files[0].rows, one.ended_at) == (3, 3, NOW)
