"""Citus answers as plain PostgreSQL does: both are told the same 100,000 events, and asked the same of each report."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest
from click.testing import CliRunner

from apps.cli import main
from db.dead_letters.replay import replay
from db.expiry import drop_old_events
from db.migrations import migrate
from db.store.events import Message
from db.store.whole_or_apart import store_apart
from tests.citus.conftest import MakeDatabase
from tests.citus.history import SITES, History, unsound
from tests.citus.pair import Pair
from tests.citus.questions import Asked, questions
from tests.conftest import Connection
from tests.servers.serving import serve

EVENTS = 100_000
QUESTIONS = 3_000
NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def pair(plain_database: str, citus_database: MakeDatabase) -> Iterator[Pair]:
    """Both, with all events."""
    urls = plain_database, citus_database()
    for url in urls:
        migrate(url)
    pair = Pair(*urls)
    stored = pair.live(History(now=NOW, events=EVENTS))
    assert stored.stored == EVENTS
    assert stored.duplicates > 0
    yield pair
    pair.close()


@pytest.fixture(scope="module")
def apps(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[httpx.Client]]:
    """The reporting app of each."""
    plain, citus = pair.urls.values()
    folders = [tmp_path_factory.mktemp(name) for name in pair.urls]
    with (
        serve("reporting", folders[0], DATABASE_URL=plain, AUTH="off") as one,
        serve("reporting", folders[1], DATABASE_URL=citus, AUTH="off") as other,
        httpx.Client(base_url=one.url, timeout=120) as client,
        httpx.Client(base_url=other.url, timeout=120) as other_client,
    ):
        yield [client, other_client]
        assert "Traceback" not in one.log()
        assert "Traceback" not in other.log()


def test_every_table_has_the_same_rows(pair: Pair, record_property: Any) -> None:
    rows = dict(pair.tables())
    assert rows["events"] == EVENTS
    empty = {name for name, number in rows.items() if not number}
    of_no_event = {"site_settings", "keys", "logins", "audit", "erasures", "erased_people"}
    assert empty <= {"accepted_days", "dead_letters", "imports", "kept_events"} | of_no_event
    record_property("Citus has the same rows as plain PostgreSQL", f"{sum(rows.values()):,} of {len(rows)} tables")


def test_every_question_has_the_same_answer(apps: list[httpx.Client], record_property: Any) -> None:
    asked = list(questions(NOW.date(), count=QUESTIONS))
    with ThreadPoolExecutor(3) as threads:
        statuses = list(threads.map(lambda one: same_answer(apps, one), asked))
    assert statuses.count(200) > 0.9 * len(asked)
    assert {one.path for one, status in zip(asked, statuses, strict=True) if status == 200} == {
        one.path for one in asked
    }
    record_property("Citus answers as plain PostgreSQL", f"{len(asked):,} questions, no difference")


def test_the_last_minutes_are_the_same(apps: list[httpx.Client]) -> None:
    for site in SITES:
        heads = []
        for app in apps:
            live = app.get("/live", params={"site_id": site, "minutes": 30}).raise_for_status().json()
            assert len(live["points"]) in (30, 31)
            heads.append(live["timezone"])
        assert heads == [SITES[site]] * 2


def test_an_event_that_cannot_be_stored_leaves_the_others_alone(pair: Pair) -> None:
    """They are of weeks without any event so far."""
    message = Message("00000000-0000-4000-8000-000000000001", unsound("london", NOW - timedelta(days=300)))
    assert pair.both(store_apart, message, queue="events") == (3, 1, 2)
    assert dict(pair.tables())["dead_letters"] == 2
    letter, payload = pair.both(a_letter_that_can_be_mended)
    mended = msgspec.json.encode(msgspec.json.decode(payload) | {"event_type": "mended"})
    for event in (None, mended):
        pair.both(replay, letter, request=message.id, event=event)
    assert dict(pair.tables())["events"] == EVENTS + 2
    assert pair.both(states_of_letters) == ["dead", "stored"]


def a_letter_that_can_be_mended(conn: Connection) -> tuple[str, bytes]:
    ((letter, payload),) = conn.execute(
        "select id::text, payload from dead_letters where sqlstate = '22001'"
    ).fetchall()
    return letter, payload


def states_of_letters(conn: Connection) -> list[str]:
    return [state for (state,) in conn.execute("select state from dead_letters order by state")]


def test_verify_finds_nothing(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(pair, monkeypatch, "verify") == (0, "the rollups match the events\n")


DAMAGE = [
    "update event_hours set events = events + 1 where site_id = %(site)s and event_type = 'click'",
    "delete from event_hours where site_id = %(site)s and event_type = 'search'",
    "insert into event_hours values (%(site)s, 'sale', date_trunc('hour', now() - interval '3 days'), 5)",
    "delete from path_days where site_id = %(site)s and path = '/cart'",
    "update user_days set users = users << 1 where site_id = %(site)s and event_type = 'purchase'",
    "delete from users where site_id = %(site)s and user_no < 5",
    "insert into users values (%(site)s, 'nobody', 90000, now())",
    "update sites set users = 3 where site_id = %(site)s",
    "delete from sessions where site_id = %(site)s and events = 2",
    "update session_days set views = views + 1 where site_id = %(site)s",
    "delete from session_page_days where site_id = %(site)s and path = '/'",
    "delete from orders where site_id = %(site)s and order_key < 'order 2'",
    "update sale_days set amount = amount + 1 where site_id = %(site)s and what = 'order'",
    "delete from product_days where site_id = %(site)s and currency = 'EUR'",
    "update path_spans set events = 1 where site_id = %(site)s and path = '/'",
    "delete from path_totals where site_id = %(site)s and path = '/thanks'",
    "update event_totals set anonymous = 0 where site_id = %(site)s",
    "delete from user_spans where site_id = %(site)s and event_type = ''",
    "delete from user_months where site_id = %(site)s and user_id = 'user 20'",
    "update top_paths set events = 1 where site_id = %(site)s",
]


@pytest.mark.parametrize("site", ["berlin", "london"])
def test_whatever_is_wrong_is_found_and_made_right(pair: Pair, monkeypatch: pytest.MonkeyPatch, site: str) -> None:
    for statement in DAMAGE:
        pair.execute(statement, site=site)
    code, told = run(pair, monkeypatch, "verify", "--site", site, "--json", "--limit", "3000")
    assert code == 1
    assert told.count("\n") > 1_000
    assert run(pair, monkeypatch, "rebuild", "--site", site)[0] == 0
    assert run(pair, monkeypatch, "verify")[0] == 0
    pair.finish(site, NOW)
    dict(pair.tables())


def test_a_site_whose_timezone_is_changed(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.execute("update sites set timezone = 'America/St_Johns' where site_id = 'calcutta'")
    assert run(pair, monkeypatch, "verify", "--site", "calcutta")[0] == 1
    assert run(pair, monkeypatch, "rebuild", "--site", "calcutta")[0] == 0
    assert run(pair, monkeypatch, "verify")[0] == 0
    dict(pair.tables())


def test_events_that_are_no_longer_kept(pair: Pair, apps: list[httpx.Client], monkeypatch: pytest.MonkeyPatch) -> None:
    for site in SITES:
        pair.finish(site, NOW)
    assert pair.both(drop_old_events, days=60, now=NOW) == []
    dropped = pair.both(drop_old_events, days=60, now=NOW + timedelta(hours=1))
    assert len(dropped) > 10
    assert dict(pair.tables())["events"] < EVENTS
    assert run(pair, monkeypatch, "verify")[0] == 0
    asked = list(questions(NOW.date(), count=300, seed=5))
    statuses = [same_answer(apps, one) for one in asked]
    assert {200, 400} <= set(statuses)


def same_answer(apps: list[httpx.Client], asked: Asked) -> int:
    """Ask both; their status. AssertionError where they differ in anything but the moment."""
    for _ in range(3):
        answers = [app.get(asked.path, params=asked.parameters) for app in apps]
        assert all(answer.status_code < 500 for answer in answers), (asked, answers[1].text)
        bodies = [told(asked, answer) for answer in answers]
        if bodies[0] == bodies[1] or not moves_on(*bodies):
            break
    assert bodies[0] == bodies[1], asked
    assert answers[0].status_code == answers[1].status_code, asked
    return answers[0].status_code


def told(asked: Asked, answer: httpx.Response) -> Any:
    """What an answer says, without what is of the moment."""
    if asked.path == "/events/export" and answer.status_code == 200:
        return [{**json.loads(line), "stored_at": None} for line in answer.text.splitlines()]
    body = answer.json()
    as_of = body.pop("as_of", None)
    if is_compared_until_now(body, as_of):
        # What it is compared with ends some whole hours before the moment: days or years, and changes of clocks.
        for compared in (body["compare"], body.get("compared_with")):
            if isinstance(compared, dict) and "to" in compared:
                before = datetime.fromisoformat(as_of) - datetime.fromisoformat(compared["to"])
                compared["to"] = f"{round(before / timedelta(hours=1))} hours before now"
        body["compared until now"] = True
    for event in body.get("events", []) if isinstance(body.get("events"), list) else []:
        event.pop("stored_at", None)
    return body


def moves_on(body: Any, other: Any) -> bool:
    """Whether two answers may differ as one was given later: after midnight, or with an event more to compare with."""
    if not isinstance(body, dict) or not isinstance(other, dict):
        return False
    return body.get("to") != other.get("to") or "compared until now" in body


def is_compared_until_now(body: Any, as_of: Any) -> bool:
    """Whether a range that is not over is compared with what was before this time then."""
    if as_of is None or body.get("compare") is None:
        return False
    start, end = datetime.fromisoformat(body["from"]), datetime.fromisoformat(body["to"])
    return start < datetime.fromisoformat(as_of) < end


def run(pair: Pair, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, str]:
    """Run a command on both: its exit code and what it says."""
    results = []
    for url in pair.urls.values():
        monkeypatch.setenv("DATABASE_URL", url)
        result = CliRunner().invoke(main, arguments)
        results.append((result.exit_code, result.output))
    assert results[0] == results[1]
    return results[0]
