"""A database, a role or an environment with settings of its own: every answer is what it is without them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any, NamedTuple
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from db.connections import pools
from db.migrations import migrate
from db.store.events import store_messages
from tests.builders.factories import received
from tests.conftest import Connection
from tests.oracles.every_question import answers
from tests.oracles.recount import differences
from tests.oracles.short_life import live, message, some_messages
from tests.servers.servers import Servers, until
from tests.servers.serving import serve

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
            with serve("reporting", tmp_path_factory.mktemp(name), AUTH="off") as served:
                return Life(told, list(answers(served.url)))

    yield make
    with psycopg.connect(servers.database_url, autocommit=True) as conn:
        for name in made:
            conn.execute(f"drop database {name} with (force)".encode())


@pytest.fixture(scope="module")
def plain(make_life: Any) -> Life:
    life: Life = make_life({}, {})
    return life


@pytest.mark.some(1)
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
    assert {name for (name,) in conn.execute(query)} <= {"read_sale", "is_personal"}


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
