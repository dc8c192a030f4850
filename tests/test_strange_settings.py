"""A database, a role or an environment with settings of its own: every answer is what it is without them."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, get_args
from uuid import UUID, uuid4

import psycopg
import pytest
from click.testing import CliRunner
from psycopg.conninfo import make_conninfo

from apps.cli import main
from db import pools
from db.advance import Rollup, advance, sites_behind
from db.keeping import drop_old_events
from db.ledger import Count, count_accepted
from db.migrations import migrate
from db.replay import replay
from db.store import Message, make_partitions_ahead, store_apart, store_messages
from db.timezones import set_timezone
from tests.conftest import Connection
from tests.every_question import SITE, SITES, answers
from tests.factories import batch, received
from tests.recount import differences
from tests.servers import Servers, until
from tests.serving import serve

#: Each is not PostgreSQL's own default, and changes what is read, written or seen.
SETTINGS = {
    "datestyle": "SQL, DMY",
    "intervalstyle": "sql_standard",
    "timezone": "Asia/Kolkata",
    "extra_float_digits": "-15",
    "bytea_output": "escape",
    "standard_conforming_strings": "off",
    "backslash_quote": "off",
    "default_transaction_deferrable": "on",
    "synchronous_commit": "off",
}
ENVIRONMENT = {
    "PGDATESTYLE": "German",
    "PGTZ": "America/New_York",
    "PGCLIENTENCODING": "LATIN1",
    "PGOPTIONS": "-c intervalstyle=iso_8601 -c extra_float_digits=-15 -c bytea_output=escape"
    " -c default_transaction_isolation=serializable -c standard_conforming_strings=off",
}


class Life(NamedTuple):
    """What a database has lived through, and the answers that it gives."""

    told: dict[str, Any]
    answers: list[tuple[str, int, Any]]


@pytest.fixture(scope="module")
def make_life(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Makes databases with settings, lives through the same with each, and asks it everything."""
    messages = some_messages()
    made = []

    def make(settings: dict[str, str], environment: dict[str, str]) -> Life:
        name = f"test_{uuid4().hex[:12]}"
        made.append(name)
        with psycopg.connect(servers.database_url, autocommit=True) as conn:
            conn.execute(
                f"create database {name} encoding 'UTF8' template template0 {turkish(conn, settings)}".encode()
            )
            for setting, value in settings.items():
                if setting != "collation":
                    conn.execute(f"alter database {name} set {setting} = '{value}'".encode())
        url = make_conninfo(servers.database_url, dbname=name)
        with pytest.MonkeyPatch.context() as patch:
            for variable, value in (environment | {"DATABASE_URL": url}).items():
                patch.setenv(variable, value)
            told = live(url, messages)
            with serve("reporting", tmp_path_factory.mktemp(name)) as served:
                return Life(told, list(answers(served.url)))

    yield make
    with psycopg.connect(servers.database_url, autocommit=True) as conn:
        for name in made:
            conn.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="module")
def plain(make_life: Any) -> Life:
    life: Life = make_life({}, {})
    return life


@pytest.mark.parametrize(
    ("settings", "environment"),
    [
        (SETTINGS | {"default_transaction_isolation": "repeatable read", "collation": "tr"}, {}),
        (SETTINGS | {"default_transaction_isolation": "serializable"}, {}),
        ({}, ENVIRONMENT),
    ],
    ids=["repeatable read", "serializable", "environment"],
)
def test_all_is_as_in_a_plain_database(
    plain: Life, make_life: Any, settings: dict[str, str], environment: dict[str, str]
) -> None:
    life = make_life(settings, environment)
    assert life.told == plain.told
    for ours, theirs in zip(plain.answers, life.answers, strict=True):
        assert ours[1] in (200, 201), ours
        assert theirs == ours


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
def test_who_waits_for_a_site_sees_what_the_one_before_has_stored(empty_database: Any, isolation: str) -> None:
    url = make_conninfo(
        empty_database(), options=f"-c default_transaction_isolation={isolation.replace(' ', chr(92) + ' ')}"
    )
    migrate(url)
    with closing(pools.connect(url)) as first, closing(pools.connect(url)) as second, ThreadPoolExecutor(1) as threads:
        store_messages(first, [message(received("shop", user_id="ann"))])
        with pools.writing(first):
            store_messages(first, [message(received("shop", user_id="bob"))])
            stored = threads.submit(store_messages, second, [message(received("shop", user_id="cat"))])
            query = "select from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
            with psycopg.connect(url, autocommit=True) as watching:
                until(lambda: watching.execute(query, [second.info.backend_pid]).fetchall())
        assert stored.result().stored == 1
        assert differences(first) == {}


def test_nothing_in_sql_goes_by_the_letters_of_a_collation(conn: Connection) -> None:
    """upper, lower and the like of a Turkish database make other letters of i and I."""
    query = r"""
        select proname
        from pg_proc
        where pronamespace = current_schema()::regnamespace
            and prosrc ~* '\m(upper|lower|initcap)\((?!range)|~\*|\milike\M|\msimilar to\M'
            and prosrc !~ 'upper\([a-z_]+(\([a-z_]+\))? collate "C"\)'
    """
    assert {name for (name,) in conn.execute(query)} <= {"read_sale"}


def some_messages() -> list[Message]:
    """Two months of events of two sites, with all that may look different elsewhere."""
    begin = datetime(2026, 2, 1, tzinfo=UTC)
    messages = []
    for site in SITES:
        events = [
            received(
                site,
                timestamp=(begin + timedelta(minutes=53 * number, microseconds=7 * number)).isoformat(),
                event_id=str(UUID(int=number + (1 << 100) * (site == "other"))),
                event_type=("page_view", "click", "purchase")[number % 3],
                path=("/1", "/2", "/ı", "/I", "/i ✓", "/\\'")[number % 6],
                user_id=f"{number % 11}" if number % 4 else None,
                properties={
                    "revenue": 1 / (number + 1),
                    "note": ("I", "ı", "i", "İ", "\\", "'")[number % 6],
                    "currency": ("inr", "EUR", "try", "BIF")[number % 4],
                    "order_id": f"{number // 2}",
                    "products": [{"product_id": f"i{number % 3}", "price": 0.1, "quantity": 3}],
                },
            )
            for number in range(1500)
        ]
        messages += [message(*events[start : start + 300]) for start in range(0, len(events), 300)]
    return messages


def message(*events: Any) -> Message:
    return Message(str(uuid4()), batch(*events))


def live(url: str, messages: list[Message]) -> dict[str, Any]:
    """Store, fail, replay, move on, verify, rebuild, rezone: what each says of itself."""
    told: dict[str, Any] = {"migrated": len(migrate(url)), "again": migrate(url)}
    with closing(pools.connect(url)) as conn:
        make_partitions_ahead(conn)
        told["stored"] = [store_messages(conn, [each]) for each in messages]
        told["again stored"] = store_messages(conn, [Message(str(UUID(int=3)), messages[0].events)])
        bad = json.dumps([json.loads(messages[0].events)[0] | {"path": None, "event_id": str(UUID(int=1 << 90))}])
        told["dead"] = store_apart(conn, Message(str(UUID(int=1)), bad.encode()), queue="events")
        count_accepted(
            conn, source="elsewhere", counted_at=datetime(2026, 4, 1, tzinfo=UTC), counts=[Count(SITE, RECEIVED, 9)]
        )
        target = datetime(2026, 3, 25, tzinfo=UTC)
        for rollup in get_args(Rollup):
            told[f"behind {rollup}"] = sites_behind(conn, rollup, target)
            for site in SITES:
                while advance(conn, rollup, site, target=target, most=400):
                    pass
        late = received(SITE, timestamp="2026-02-03T04:05:06Z", user_id="late", event_id=str(UUID(int=7)))
        told["late"] = store_messages(conn, [message(late)])
        told["rezoned"] = [set_timezone(conn, SITE, zone) for zone in ("Europe/Berlin", "Australia/Lord_Howe")]
        told["differences"] = differences(conn)
        (letter,) = conn.execute("select id::text from dead_letters").fetchone() or ("",)
        replay(conn, letter, request=str(uuid4()))
        good = json.loads(bad)[0] | {"path": "/mended"}
        told["letter"] = conn.execute("select state, error, attempts from dead_letters").fetchone()
        replay(conn, letter, request=str(uuid4()), event=json.dumps(good).encode())
        told["replayed"] = conn.execute("select state, payload from dead_letters").fetchone()
        told["dropped"] = drop_old_events(conn, days=36_500)
        told["verified"] = command("verify")
        conn.execute("update path_days set events = events + 1 where path = '/1'")
        conn.execute("update user_days set users = ~users where day = '2026-02-10'")
        told["found"] = command("verify")
        told["rebuilt"] = command("rebuild", "--all-sites")
        told["right"] = command("verify")
        told["partitions"] = conn.execute(
            "select name, starts::text, ends::text from event_partitions where ends < '2026-05-01Z' order by name"
        ).fetchall()
    return told


RECEIVED = datetime.now(UTC).date()


def command(*arguments: str) -> tuple[int, str]:
    done = CliRunner(env=dict(os.environ)).invoke(main, arguments)
    return done.exit_code, done.output


def turkish(conn: Connection, settings: dict[str, str]) -> str:
    """How a database is made whose letters are Turkish, where the server knows them."""
    if "collation" not in settings:
        return "locale 'C'"
    found = conn.execute(
        "select collprovider::text, collname from pg_collation"
        " where collname in ('tr-TR-x-icu', 'tr_TR.utf8') order by collprovider"
    ).fetchall()
    for provider, name in found:
        return "locale_provider icu icu_locale 'tr-TR' locale 'C'" if provider == "i" else f"locale '{name}'"
    return "locale 'C'"
