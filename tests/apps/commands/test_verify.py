"""`tjra verify` finds whatever is wrong with a rollup and names it; `tjra rebuild` makes it right."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeGuard
from uuid import uuid4

import psycopg
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from apps.cli import main
from db.rollups.advance import advance
from db.store.events import store_events
from tests.builders.factories import NOW, batch, received
from tests.checks.thorough import examples
from tests.conftest import Connection
from tests.oracles.recount import differences
from tests.oracles.spoiled import DAMAGES, SPOILED

DAYS = [NOW, NOW + timedelta(days=1), NOW + timedelta(days=40)]


@pytest.fixture
def stored(conn: Connection, shop: str, other: str) -> None:
    """The same events in both sites."""
    for site in (shop, other):
        store_some(conn, site)


def store_some(conn: Connection, site: str) -> None:
    """Four events on each of three days; ann is number 0, bob 1 and cat 2."""
    for time, clicked in zip(DAYS, ("bob", None, "cat"), strict=True):
        fields: dict[str, Any] = {"timestamp": time.isoformat()}
        store_events(
            conn,
            batch(
                received(site, path="/a", user_id="ann", **fields),
                received(site, path="/a", user_id="bob", **fields),
                received(site, path="/a", **fields),
                received(site, path="/b", event_type="click", user_id=clicked, **fields),
            ),
        )

    advance(conn, "sessions", site, target=NOW + timedelta(days=100), most=1_000)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def found(printed: str) -> list[tuple[str, dict[str, Any], int | None, int | None]]:
    """What lines of `verify --json` say, in order of the rollups' names."""
    lines = [json.loads(line) for line in printed.splitlines()]
    return sorted(
        ((line["rollup"], line["key"], line["rollup_says"], line["events_say"]) for line in lines),
        key=lambda line: (line[0], json.dumps(line[1])),
    )


@pytest.mark.usefixtures("stored")
def test_rollups_that_are_right_are_left_alone(conn: Connection, shop: str, other: str) -> None:
    result = run("verify", "--site", shop, "--site", other)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "the rollups match the events\n"
    assert run("rebuild", "--site", shop).output == f"{shop}: 0 rows corrected\n"


class Spoiled(NamedTuple):
    """A site in which something was wrong, what `verify` found in it, and the exit code of its `rebuild`."""

    site: str
    found: str
    rebuilt: int


def is_of_spoiled(item: pytest.Item) -> TypeGuard[pytest.Function]:
    return isinstance(item, pytest.Function) and "spoiled" in item.fixturenames


@pytest.fixture(scope="module")
def spoiled(database_url: str, request: pytest.FixtureRequest) -> dict[str, Spoiled]:
    """A site for each thing that is wrong in this run: all are verified at once and rebuilt; one beside is right."""
    names = [str(item.callspec.params["name"]) for item in request.session.items if is_of_spoiled(item)]
    sites = {name: f"{number}-{uuid4().hex[:12]}" for number, name in enumerate(names)}
    right = f"right-{uuid4().hex[:12]}"
    with psycopg.connect(database_url, autocommit=True) as conn:
        for site in (*sites.values(), right):
            store_some(conn, site)
        theirs = contents(conn, right)
        for name in names:
            conn.execute(SPOILED[name][0].encode(), {"site": sites[name]})
            assert differences(conn, sites[name])
        every = (f"--site={site}" for site in (right, *sites.values()))
        verified = run("verify", "--json", "--limit", "10000", *every)
        assert verified.exit_code == 1
        lines: dict[str, str] = dict.fromkeys((right, *sites.values()), "")
        for line in verified.stdout.splitlines():
            lines[json.loads(line)["site_id"]] += f"{line}\n"
        assert lines[right] == ""
        made = {
            name: Spoiled(site, lines[site], run("rebuild", "--site", site).exit_code) for name, site in sites.items()
        }
        assert contents(conn, right) == theirs
    return made


@pytest.mark.some(6)
@pytest.mark.parametrize(("name", "expected"), [(name, found) for name, (_, found) in SPOILED.items()], ids=SPOILED)
def test_whatever_is_wrong_is_named_and_made_right(
    conn: Connection, spoiled: dict[str, Spoiled], name: str, expected: list[object]
) -> None:
    assert found(spoiled[name].found) == expected
    assert spoiled[name].rebuilt == 0
    assert differences(conn, spoiled[name].site) == {}
    assert run("verify", "--site", spoiled[name].site).exit_code == 0


@pytest.mark.usefixtures("stored")
def test_everything_can_be_wrong_at_once(conn: Connection, shop: str) -> None:
    for table in ("event_hours", "path_days", "user_days", "users"):
        conn.execute(f"delete from {table} where site_id = %s".encode(), [shop])
    conn.execute("update sites set users = 0 where site_id = %s", [shop])
    assert run("rebuild", "--site", shop).exit_code == 0
    assert differences(conn, shop) == {}


@pytest.mark.usefixtures("stored")
def test_a_table_tells_how_much_it_leaves_out(conn: Connection, shop: str) -> None:
    conn.execute("update path_days set events = 2000 where site_id = %s and path = '/a'", [shop])
    conn.execute("update path_days set path = E'/\\x1b[2J' where site_id = %s and path = '/b'", [shop])
    result = run("verify", "--site", shop, "--limit", "2")
    header, *rows = (line.split() for line in result.stdout.splitlines())
    assert header == ["site", "rollup", "actual", "expected", "key"]
    assert rows == [
        [shop, "path_days", "1", "-", "event_type=click", "day=2026-03-10", "path=/\\x1b[2J"],
        [shop, "path_days", "-", "1", "event_type=click", "day=2026-03-10", "path=/b"],
    ]
    assert result.stderr == "and 7 more\n9 differences\n"


@pytest.mark.usefixtures("stored")
def test_only_the_days_asked_for_are_looked_at_and_changed(conn: Connection, shop: str) -> None:
    for table in ("event_hours", "path_days", "user_days"):
        conn.execute(f"delete from {table} where site_id = %s".encode(), [shop])
    only = ("--site", shop, "--from", "2026-03-11", "--to", "2026-03-11")
    days = {line[1].get("day", line[1].get("hour", "")[:10]) for line in found(run("verify", "--json", *only).stdout)}
    assert days == {"2026-03-11"}
    run("rebuild", *only)
    assert run("verify", *only).exit_code == 0
    rebuilt = conn.execute("select distinct day::text from path_days where site_id = %s", [shop]).fetchall()
    assert rebuilt == [("2026-03-11",)]
    assert found(run("verify", "--json", "--site", shop, "--to", "2026-03-09").stdout) == []
    assert run("verify", "--site", shop, "--from", "2026-04-19").exit_code == 1


@pytest.mark.usefixtures("stored")
def test_a_rebuild_of_some_days_keeps_every_number(conn: Connection, shop: str) -> None:
    before = conn.execute("select user_id, user_no from users where site_id = %s", [shop]).fetchall()
    conn.execute("delete from users where site_id = %s and user_id = 'bob'", [shop])
    conn.execute("update sites set users = 17 where site_id = %s", [shop])
    conn.execute("insert into users values (%s, 'nobody', 17, now())", [shop])
    run("rebuild", "--site", shop, "--from", "2026-03-10", "--to", "2026-03-10")
    after = conn.execute("select user_id, user_no from users where site_id = %s", [shop]).fetchall()
    assert sorted(after) == sorted([*before, ("nobody", 17)])
    assert conn.execute("select users from sites where site_id = %s", [shop]).fetchone() == (18,)


@pytest.mark.usefixtures("stored")
def test_days_whose_events_are_gone_keep_their_numbers(conn: Connection, shop: str) -> None:
    store_events(conn, batch(received(shop, user_id="dan", timestamp="2026-03-09T12:00:00Z")))
    before = contents(conn, shop)
    # The border lies within 11 March, so that day cannot be recounted either.
    conn.execute("update sites set events_from = '2026-03-11 12:00Z' where site_id = %s", [shop])
    conn.execute("delete from events where site_id = %s and event_time < '2026-03-11 12:00Z'", [shop])
    result = run("verify", "--site", shop)
    assert result.exit_code == 0
    assert f"{shop}: days before 2026-03-12 are left out: their events have expired\n" in result.stderr
    run("rebuild", "--site", shop, "--from", "2026-03-01")
    run("rebuild", "--site", shop)
    assert contents(conn, shop) == before
    conn.execute("update path_days set events = 9 where site_id = %s", [shop])
    assert {line[1]["day"] for line in found(run("verify", "--json", "--site", shop).stdout)} == {"2026-04-19"}


@pytest.mark.some(1)
@pytest.mark.parametrize("zone", ["Asia/Kolkata", "America/New_York", "America/St_Johns", "America/Havana"])
def test_a_site_whose_timezone_was_changed_afterwards(conn: Connection, shop: str, zone: str) -> None:
    # Around changes of the clocks, one of which came a minute past midnight (St John's) and one at midnight (Havana).
    starts = [datetime(2010, month, day, tzinfo=UTC) for month, day in ((3, 13), (10, 30), (11, 6))]
    moments = [start + timedelta(minutes=10 * step) for start in starts for step in range(3 * 144)]
    store_events(
        conn,
        batch(*(received(shop, timestamp=moment.isoformat(), user_id=f"{moment.hour % 5}") for moment in moments)),
    )
    conn.execute("update sites set timezone = %s where site_id = %s", [zone, shop])
    assert run("verify", "--site", shop).exit_code == 1
    assert run("rebuild", "--site", shop).exit_code == 0
    assert differences(conn, shop) == {}
    assert run("verify", "--site", shop).exit_code == 0


def test_a_site_without_anything_has_nothing_wrong(conn: Connection, shop: str) -> None:
    conn.execute("insert into sites (site_id) values (%s)", [shop])
    assert run("verify", "--site", shop).exit_code == 0
    assert run("rebuild", "--site", shop).output == f"{shop}: 0 rows corrected\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["verify", "--site", "never-seen"], "there is no site 'never-seen'"),
        (["verify", "--from", "tomorrow"], "'tomorrow' should be a day such as 2026-01-31"),
        (["rebuild"], "give either --site ID or --all-sites"),
        (["rebuild", "--site", "shop", "--all-sites"], "give either --site ID or --all-sites"),
    ],
)
def test_what_cannot_be_done_is_no_difference(database_url: str, arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr


damages = st.lists(st.tuples(st.sampled_from(DAMAGES), st.integers(0, 3)), max_size=5)


@examples(7)
@given(damages=damages)
def test_any_damage_is_found_and_healed(conn: Connection, damages: list[tuple[str, int]]) -> None:
    shop = f"shop-{uuid4().hex[:12]}"
    store_some(conn, shop)
    for statement, n in damages:
        conn.execute(statement.encode(), {"site": shop, "n": n})
        store_events(conn, batch(received(shop, user_id=f"new {n}")))
    right = run("verify", "--site", shop).exit_code == 0
    assert right == (differences(conn, shop) == {})
    run("rebuild", "--site", shop)
    assert differences(conn, shop) == {}
    assert run("verify", "--site", shop).exit_code == 0


def contents(conn: Connection, site: str) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a site in all rollups."""
    tables = ("event_hours", "path_days", "user_days", "sessions", "session_days", "session_page_days", "users")
    return {
        table: conn.execute(f"select * from {table} where site_id = %s order by 1, 2, 3, 4".encode(), [site]).fetchall()
        for table in tables
    }
