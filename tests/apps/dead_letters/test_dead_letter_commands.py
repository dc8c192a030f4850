"""`tjra dead-letters`: list, show, replay and discard from a terminal."""

import json
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner

import actors
from apps.cli import main
from tests.builders.factories import batch, event, received
from tests.conftest import Connection
from tests.servers.servers import until

pytestmark = pytest.mark.usefixtures("worker")


def run(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(main, ["dead-letters", *arguments])
    assert done.exit_code == code, done.output
    return done.stdout if code == 0 else done.stderr


@pytest.fixture
def dead(conn: Connection, shop: str) -> list[str]:
    """Two dead letters of the shop."""
    spoiled = batch(received(shop, event_type="click"), received(shop)).replace(b'"path":"/"', b'"path":null')
    actors.events.store_events.send(spoiled)
    query = "select id::text from dead_letters where site_id = %s order by event_type"
    until(lambda: len(conn.execute(query, [shop]).fetchall()) == 2)
    return [letter_id for (letter_id,) in conn.execute(query, [shop]).fetchall()]


def test_letters_are_listed_and_shown(dead: list[str], shop: str) -> None:
    lines = [json.loads(line) for line in run("list", "--site", shop, "--json").splitlines()]
    assert {line["id"] for line in lines} == set(dead)
    table = run("list", "--site", shop, "--event-type", "click")
    assert dead[0][:8] in table
    assert dead[1][:8] not in table
    letter = json.loads(run("show", dead[0]))
    assert letter["payload"]["path"] is None
    assert letter["sqlstate"] == "23502"
    assert "no dead letters match" in run("list", "--site", shop, "--state", "stored")


def test_what_anybody_sent_controls_no_terminal(conn: Connection) -> None:
    site = f"esc\x1b[31m\r\nFAKE[bold]{uuid4().hex}"
    actors.events.store_events.send(batch(received(site)).replace(b'"path":"/"', b'"path":null'))
    until(lambda: conn.execute("select from dead_letters where site_id = %s", [site]).fetchall())
    listed = run("list", "--site", site)
    assert "\x1b" not in listed
    assert r"esc\x1b[31m\r\nFAKE[bold]" in listed


def test_a_letter_is_replayed_with_an_event_from_a_file(dead: list[str], shop: str, tmp_path: Path) -> None:
    assert json.loads(run("replay", dead[0]))["state"] == "dead"
    mended = tmp_path / "event.json"
    mended.write_text(json.dumps(event(shop, event_type="click")))
    assert json.loads(run("replay", dead[0], "--event", str(mended)))["state"] == "stored"


def test_letters_are_replayed_and_discarded_by_filter(dead: list[str], shop: str) -> None:
    assert json.loads(run("replay", "--site", shop)) == {
        "letters": 2,
        "stored": 0,
        "duplicate": 0,
        "dead": 2,
        "discarded": 0,
        "waiting": 0,
    }
    assert json.loads(run("discard", "--site", shop))["discarded"] == 2
    assert json.loads(run("discard", dead[0]))["state"] == "discarded"


def test_a_process_of_its_own_says_the_same(dead: list[str], shop: str) -> None:
    command = [sys.executable, "-m", "apps", "dead-letters"]
    for arguments in (["list", "--site", shop, "--json"], ["show", dead[0]]):
        done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=True)
        assert done.stdout == run(*arguments)


def test_what_cannot_be_done_is_told() -> None:
    assert "there is no dead letter" in run("show", str(uuid4()), code=1)
    assert "say which" in run("replay", code=2)
    assert "say which" in run("discard", code=2)
    assert "say which" in run("replay", "--site", "shop", "--event", "-", code=2)
    assert "sqlstate" in run("list", "--sqlstate", "7", code=2)
