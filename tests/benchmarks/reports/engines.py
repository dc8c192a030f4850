"""The engines that the reports are measured beside: each has the same events, and is asked the same SQL in process."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import duckdb
import psycopg
from chdb.session import Session

from tests.conftest import Connection

Rows = list[tuple[Any, ...]]
#: Writes all events as CSV with a header to this file.
Dump = Callable[[Path], None]


class Engine(ABC):
    """Answers SQL; what its dialect writes in a way of its own stands in the text as a {name}."""

    name: ClassVar[str]
    dialect: ClassVar[dict[str, str]]
    instant: ClassVar[str]

    @abstractmethod
    def ask(self, sql: str) -> Rows:
        """The rows of a query in which nothing is left to be filled."""

    def filled(self, sql: str, *, first: date, end: date, **others: str) -> str:
        """The query for a half-open range of days (UTC)."""
        bounds = {"first": self.instant.format(first), "end": self.instant.format(end)}
        for name, text in (self.dialect | bounds | others).items():
            sql = sql.replace(f"{{{name}}}", text)
        return sql

    def count(self) -> int:
        """How many events it has."""
        return int(self.ask("select count(*) from events")[0][0])


class DuckDB(Engine):
    """A file of DuckDB's."""

    name = "DuckDB"
    dialect: ClassVar = {
        "day": "event_time::date",
        "micros": "epoch_us(event_time)",
        "median_seconds": "median(seconds)",
    }
    instant = "timestamp '{}'"

    def __init__(self, folder: Path, dump: Dump, events: int) -> None:
        self.conn = duckdb.connect(str(folder / "events.duckdb"))
        self.conn.execute(
            "create table if not exists events (site_id text, event_id uuid, event_type text, path text, user_id text, "
            "event_time timestamp, properties json)"
        )
        if self.count() != events:
            csv = folder / "events.csv"
            dump(csv)
            self.conn.execute("delete from events")
            self.conn.execute(f"copy events from '{csv}' (header)")
            csv.unlink()

    def ask(self, sql: str) -> Rows:
        rows: Rows = self.conn.execute(sql).fetchall()
        return rows


class ClickHouse(Engine):
    """chDB, which is ClickHouse as a library; sorted as one would for these questions."""

    name = "ClickHouse"
    dialect: ClassVar = {
        "day": "toDate(event_time)",
        "micros": "toUnixTimestamp64Micro(event_time)",
        "median_seconds": "quantileExactInclusive(0.5)(seconds)",
    }
    instant = "toDateTime64('{} 00:00:00', 6, 'UTC')"

    def __init__(self, folder: Path, dump: Dump, events: int) -> None:
        self.session = Session(str(folder / "chdb"))
        self.session.query("create database if not exists shops")
        self.session.query("use shops")
        self.session.query(
            "create table if not exists events (site_id LowCardinality(String), event_type LowCardinality(String), "
            "path String, user_id Nullable(String), event_time DateTime64(6, 'UTC')) "
            "engine = MergeTree order by (site_id, event_time)"
        )
        if self.count() != events:
            csv = folder / "events.csv"
            dump(csv)
            columns = "site_id, event_type, path, user_id, toDateTime64(event_time, 6, 'UTC')"
            types = (
                "site_id String, event_id String, event_type String, path String, user_id Nullable(String), "
                "event_time String, properties String"
            )
            self.session.query("truncate table events")
            self.session.query(
                f"insert into events select {columns} from file('{csv}', 'CSVWithNames', '{types}') "
                "settings format_csv_null_representation = ''"
            )
            csv.unlink()

    def ask(self, sql: str) -> Rows:
        answer = self.session.query(sql, "JSONCompact")
        return [tuple(row) for row in json.loads(str(answer))["data"]]


class PostgreSQL(Engine):
    """The events themselves, where a connection finds them."""

    name = "PostgreSQL"
    dialect: ClassVar = {
        "day": "(event_time at time zone 'UTC')::date",
        "micros": "(extract(epoch from event_time) * 1000000)::bigint",
        "median_seconds": "percentile_cont(0.5) within group (order by seconds)",
    }
    instant = "timestamptz '{} 00:00+00'"

    def __init__(self, conn: Connection) -> None:
        self.conn = conn
        conn.execute("set timezone = 'UTC'")

    def ask(self, sql: str) -> Rows:
        return self.conn.execute(sql.encode()).fetchall()


class Baseline(PostgreSQL):
    """The table of the design that ours replaces, in a schema `baseline` of the same PostgreSQL."""

    name = "baseline"

    def __init__(self, conn: Connection, schema: Path, events: int) -> None:
        super().__init__(conn)
        conn.execute("create schema if not exists baseline")
        conn.execute("set search_path = baseline")
        conn.execute(schema.read_bytes())
        if self.count() != events:
            columns = "site_id, event_type, path, user_id, event_time, received_at"
            conn.execute("truncate events")
            conn.execute(f"insert into events ({columns}) select {columns} from public.events".encode())
            conn.execute("vacuum analyze events")


def engines(conn: Connection, folder: Path, baseline: Path | None) -> list[Engine]:
    """All of them with the events of our table; what a folder has of an earlier run is used if it has as many."""
    (events,) = conn.execute("select count(*) from events").fetchone() or (0,)

    def dump(csv: Path) -> None:
        columns = (
            "site_id, event_id, event_type, path, user_id, event_time at time zone 'UTC' as event_time, properties"
        )
        query = f"copy (select {columns} from events) to stdout (format csv, header)"
        with csv.open("wb") as file, conn.cursor().copy(query.encode()) as copy:
            file.writelines(copy)

    others: list[Engine] = [DuckDB(folder, dump, events), ClickHouse(folder, dump, events)]
    if baseline:
        own = psycopg.connect(conn.info.dsn, password=conn.info.password, autocommit=True)
        others.append(Baseline(own, baseline / "schema.sql", events))
    return others
