"""`tjra retention`: it says what would go, asks, and does what it said; and the worker names what holds it up."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from click.testing import CliRunner, Result

from actors import maintenance
from apps.cli import main
from tests.conftest import Connection
from tests.db.expiry.test_expiry import NOW, age, conn, connect, first_event, kept_from, url, visits
from tests.servers.queue import connections_of_a_worker

__all__ = ["conn", "url", "visits"]


@pytest.fixture(autouse=True)
def _environment(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.delenv("RETENTION_DAYS", raising=False)


def run(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(main, ["retention", *arguments], input=answer)


def events(conn: Connection) -> int:
    (count,) = conn.execute("select count(*) from events").fetchone() or (0,)
    return int(count)


def test_where_it_is_not_set_it_says_so() -> None:
    dry = run("--dry-run")
    assert dry.exit_code == 0
    assert dry.output.startswith("RETENTION_DAYS is not set: events never expire")
    assert run("--yes").exit_code == 2
    assert run("--days", "0", "--dry-run").exit_code == 2


@pytest.mark.usefixtures("visits")
def test_a_dry_run_tells_and_changes_nothing(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    age(conn)
    monkeypatch.setenv("RETENTION_DAYS", "130")
    assert run("--dry-run").output == "no partition of events is more than 130 days old as a whole: nothing to drop\n"
    monkeypatch.setenv("RETENTION_DAYS", "100")
    by_setting = run("--dry-run")
    assert run("--dry-run", "--days", "100").output == by_setting.output
    first, second, *partitions = by_setting.output.splitlines()
    (bound,) = conn.execute("select max(ends) from event_partitions where ends <= %s", [NOW - timedelta(days=100)])
    old = conn.execute("select count(*), min(event_time) from events where event_time < %s", bound).fetchone() or (
        0,
        NOW,
    )
    assert first == f"more than 100 days old as a whole, with {old[0]:,} events of 3 sites:"
    assert second.endswith("to drop five minutes after their events are announced as expired:")
    assert f" events of 3 sites from {old[1].astimezone(UTC):%Y-%m-%d %H:%M} to " in partitions[0]
    assert kept_from(conn) == {None}
    assert conn.execute("select from kept_events").fetchall() == []


@pytest.mark.usefixtures("visits")
def test_it_does_what_it_said_once_it_was_asked(conn: Connection) -> None:
    age(conn)
    before = events(conn)
    refused = run("--days", "100", answer="n\n")
    assert refused.exit_code == 1
    assert run("--days", "100").exit_code == 1  # nobody answers
    assert kept_from(conn) == {None}
    said = run("--days", "100", answer="y\n")
    assert said.exit_code == 0
    assert "more can be dropped in five minutes" in said.output.splitlines()[-1]
    assert events(conn) == before
    age(conn)
    planned = [line.split(":")[0].strip() for line in run("--days", "100", "--dry-run").output.splitlines()[2:]]
    done = run("--days", "100", "--yes")
    assert [f"dropped {name}" for name in planned] == done.output.splitlines()[-len(planned) :]
    assert first_event(conn) > NOW - timedelta(days=100 + 8)
    assert run("--days", "100", "--yes").output.splitlines()[-1] == "nothing was dropped"


@pytest.mark.usefixtures("visits")
def test_what_holds_it_up_is_named_by_the_command_and_by_the_worker(
    conn: Connection, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = events(conn)
    run("--days", "100", "--yes")
    age(conn)
    conn.execute("update sites set user_months_until = %s where site_id = 'kolkata'", [NOW - timedelta(days=300)])
    told = f"of 'kolkata' (they end at {NOW - timedelta(days=300):%Y-%m-%d %H:%M} UTC)"
    output = run("--days", "100", "--dry-run").output
    assert "that stay for now" in output
    assert f"; held up by rollups {told}" in output
    assert "nothing was dropped" in run("--days", "100", "--yes").output
    with connections_of_a_worker(url, retention_days=100) as database, caplog.at_level(logging.WARNING):
        maintenance.drop_old_events.fn(database=database)
        conn.execute("update sites set user_months_until = '-infinity', sessions_until = '-infinity'")
        maintenance.drop_old_events.fn(database=database)
    stay = "events more than 100 days old stay: their rollups are not written yet"
    assert [record.getMessage() for record in caplog.records if record.name == "actors.maintenance"] == [
        f"{stay} {told}",
        f"{stay} of 'kolkata' (there are none) and 2 other sites",
    ]
    assert events(conn) == before


@pytest.mark.usefixtures("visits")
def test_what_an_earlier_retention_announced_is_named_where_none_is_set() -> None:
    told = "are announced as expired by an earlier retention"
    assert told not in run("--dry-run").output
    assert run("--days", "100", "--yes").exit_code == 0
    output = run("--dry-run").output
    assert re.search(rf"but [\d,]+ events of \d sites before \S+ 00:00 UTC {told}", output)
    assert run("--days", "36500", "--yes").exit_code == 0
    assert told not in run("--dry-run").output


@pytest.mark.usefixtures("visits")
def test_sites_with_a_retention_of_their_own_are_in_the_plan_and_done_by_the_command_and_by_the_worker(
    conn: Connection, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    for site in ("utc", "kolkata"):
        conn.execute("insert into site_settings (site_id, retention_days) values (%s, 105)", [site])
    age(conn)
    conn.execute("update sites set sessions_until = %s where site_id = 'kolkata'", [NOW - timedelta(days=300)])
    ends = f"of 'kolkata' (they end at {NOW - timedelta(days=300):%Y-%m-%d %H:%M} UTC)"
    told = "whose own retention is 105 days"
    dry = run("--dry-run").output
    assert dry.startswith("RETENTION_DAYS is not set")
    assert f"utc, {told}: " in dry
    assert " to delete five minutes after they are announced as expired\n" in dry
    assert f"to delete, but for now they stay; held up by rollups {ends}\n" in dry
    assert "own retention" not in run("--dry-run", "--days", "100").output  # as short for all
    before = events(conn)
    assert run(answer="n\n").exit_code == 1
    assert "can be deleted in five minutes: now announced as expired" in run("--yes").output
    assert events(conn) == before
    conn.execute("update sites set own_said_at = own_said_at - interval '5 minutes'")
    assert f"utc, {told}: " in run("--dry-run", "--days", "110").output
    assert "deleted " in run("--yes").output
    assert f"utc, {told}: nothing to delete\n" in run("--dry-run").output
    with connections_of_a_worker(url) as database, caplog.at_level(logging.INFO, logger="actors.maintenance"):
        maintenance.delete_expired_of_sites.fn(database=database)
        age(conn)
        with connect(url) as writer, writer.transaction():  # one that is held up is left, and the others are done
            writer.execute("select from sites where site_id = 'utc' for update")
            maintenance.delete_expired_of_sites.fn(database=database)
    messages = [record.getMessage() for record in caplog.records if record.name == "actors.maintenance"]
    stay = "events of site 'kolkata' more than 105 days old stay: their rollups are not written yet"
    assert messages[0] == stay
    assert any(message.startswith("deleted ") and "of site 'kolkata'" in message for message in messages)
    assert any(message.startswith("expired events of site 'utc' cannot be deleted") for message in messages)


@pytest.mark.usefixtures("visits")
def test_who_reads_for_long_is_told_in_a_line(conn: Connection, url: str) -> None:
    run("--days", "100", "--yes")
    age(conn)
    with connect(url) as reader, reader.transaction():
        reader.execute("select count(*) from events")
        result = run("--days", "100", "--yes")
    assert result.exit_code == 1
    assert "Error: other processes are using these events, try again" in result.output


@pytest.fixture
def idle(url: str) -> Iterator[Connection]:
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("insert into sites (site_id) values ('idle')")
        yield conn


def test_messages_of_before_a_stop_of_days_are_not_forgotten(idle: Connection) -> None:
    from db.store.events import forget_settled_messages

    insert = "insert into settled_messages values (gen_random_uuid(), now() - %s::interval)"
    for settled in ("9 days", "5 days", "4 days 23 hours"):
        idle.execute(insert, [settled])
    count = "select count(*) from settled_messages"
    forget_settled_messages(idle)
    assert idle.execute(count).fetchone() == (2,)
    idle.execute(insert, ["1 minute"])
    forget_settled_messages(idle)
    assert idle.execute(count).fetchone() == (3,)
    forget_settled_messages(idle, datetime.now(UTC) + timedelta(hours=2))
    assert idle.execute(count).fetchone() == (1,)
    idle.execute("delete from settled_messages")
    forget_settled_messages(idle)


def test_a_count_that_has_grown_since_it_was_kept_is_left() -> None:
    from actors.broker import broker
    from actors.queue.accepted_counts import forget_counted, read_accepted

    key, (grown, other) = f"{broker.namespace}:accepted", ("2026-03-10 grown", "2026-03-10 other")
    broker.client.hset(key, mapping={grown: "7", other: "5"})
    accepted = read_accepted(broker)
    broker.client.hincrby(key, grown, 1)
    forget_counted(broker, accepted)
    assert broker.client.hmget(key, grown, other) == [b"8", None]
    forget_counted(broker, read_accepted(broker))
    assert broker.client.hget(key, grown) is None
