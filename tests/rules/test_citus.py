"""sql/citus.sql, as far as that can be seen without a Citus: what it asks one to spread, and the rules for queries."""

import re
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from db.migrations import migrate
from tests.checks.statements import (
    CLOCK_INSIDE,
    COMMENT,
    EMPTY_EXISTS,
    TEXT,
    calls_in,
    readers,
    statements,
    tables_in,
    whole_rows_in,
)
from tests.conftest import Connection
from tests.db.schema.test_migrations import EmptyDatabase

SQL = Path(__file__).parent.parent.parent / "sql"

#: Has the names of Citus' functions, and writes down what they are called with.
WRITES_DOWN = """
create schema stand_in;
create table stand_in.asked (nth serial, what text, name text, by text, beside text);
create table stand_in.pg_dist_partition (logicalrelid regclass);
create function stand_in.create_distributed_table(name regclass, by text, colocate_with text) returns void
language plpgsql as $$
begin
    insert into stand_in.asked (what, name, by, beside) values ('distribute', name::text, by, colocate_with);
    insert into stand_in.pg_dist_partition values (name);
end
$$;
create function stand_in.create_reference_table(name regclass) returns void
language plpgsql as $$
begin
    insert into stand_in.asked (what, name) values ('copy', name::text);
    insert into stand_in.pg_dist_partition values (name);
end
$$;
create function stand_in.run_command_on_all_nodes(command text) returns void
language sql as 'select null::void';
create function stand_in.create_distributed_function(name regprocedure) returns void
language plpgsql as $$
begin
    insert into stand_in.asked (what, name) values ('function', name::text);
end
$$;
"""

#: What is asked of many sites on purpose.
OF_MANY_SITES = {
    "imports/sites_of_import",
    "reports/sites",
    "reports/site_edges",
    "expiry/forget_user_months",
    "expiry/events_between",
    "rollups/behind_top_paths",
    "people/unfinished",
    "people/to_rewrite",
}


@pytest.fixture
def url(empty_database: EmptyDatabase) -> str:
    url = empty_database()
    with psycopg.connect(url) as conn:
        conn.execute(WRITES_DOWN.encode())
    return make_conninfo(url, options="-c search_path=public,stand_in")


def test_every_table_goes_by_its_site_and_beside_the_sites(url: str) -> None:
    migrate(url)
    migrate(url)  # and once only
    with psycopg.connect(url) as conn:
        asked = conn.execute(
            "select what, name, by, beside from asked where what <> 'function' order by nth"
        ).fetchall()
        tables = {
            name
            for (name,) in conn.execute(
                "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')"
                " and not relispartition"
            )
        }
        functions = conn.execute("select name from asked where what = 'function'").fetchall()
    assert asked[0] == ("copy", "timezones", None, None)
    assert asked[1] == ("distribute", "sites", "site_id", "none")
    assert set(asked[2:]) >= {
        ("distribute", table, "site_id", "sites")
        for table in (
            "events",
            "users",
            "event_hours",
            "path_days",
            "path_spans",
            "user_spans",
            "user_months",
            "top_paths",
            "event_types",
            "path_totals",
            "event_totals",
            "user_days",
            "settled_days",
            "accepted_days",
            "erasures",
        )
    }
    others = [row for row in asked[1:] if row[2] != "site_id"]
    assert others == [
        ("distribute", "dead_letters", "id", "none"),
        ("distribute", "settled_messages", "message_id", "none"),
        ("copy", "kept_events", None, None),
        ("copy", "erased_people", None, None),
    ]
    assert {name for _, name, _, _ in asked} == tables - {"migrations", "keys", "logins", "audit"}
    assert ("store_messages(uuid[],jsonb,timestamp with time zone)",) in functions
    assert ("follow_funnel(bytea,timestamp with time zone[],integer,integer,interval,bytea[])",) in functions


def test_every_question_names_the_site_at_each_table() -> None:
    tables = (
        "events|users|event_hours|path_days|path_spans|user_days|user_spans|user_months|top_paths|event_types|path_totals|event_totals|sessions|session_days|session_page_days|orders|imports|"
        "sale_days|product_days|kept_days|erasures|counted_orders|agents|origins"
    )
    for path in sorted(SQL.glob("[!m]*/*.sql")):
        if f"{path.parent.name}/{path.stem}" in OF_MANY_SITES:
            continue
        text = re.sub(r"--.*", "", path.read_text())
        # What a `with` has named like a table is none.
        named = set(re.findall(r"(\w+) as (?:materialized )?\(", text))
        found = [name for name in re.findall(rf"\b(?:from|join) ({tables})\b", text) if name not in named]
        assert text.count("site_id = :'site_id'") >= len(found), path


def test_no_function_in_sql_reads_a_table() -> None:
    # With parameters Citus cannot run such a one; PL/pgSQL it can.
    for path in sorted((SQL / "functions").glob("*/*.sql")):
        assert not re.search(r"^language sql(?! immutable)", path.read_text(), re.M), path


def test_statements_are_planned_with_their_values(url: str) -> None:
    migrate(url)
    with psycopg.connect(url) as conn:
        query = "select proconfig from pg_proc where oid = 'store_events(jsonb, timestamptz)'::regprocedure"
        assert conn.execute(query).fetchone() == (["enable_mergejoin=off"],)


def tables_of(conn: Connection) -> frozenset[str]:
    """The tables, and the views of them, but for the lists of migrations and partitions, which only one node asks."""
    rows = conn.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v')"
        " and not relispartition and relname not in ('migrations', 'event_partitions', 'keys', 'logins', 'audit')"
    )
    return frozenset(name for (name,) in rows)


def bodies_of(conn: Connection) -> dict[str, str]:
    """The bodies of the functions in PL/pgSQL."""
    rows = conn.execute(
        "select p.proname, p.prosrc from pg_proc p join pg_language l on l.oid = p.prolang"
        " where p.pronamespace = 'public'::regnamespace and l.lanname = 'plpgsql'"
    )
    return dict(rows.fetchall())


def broken_rules(bodies: dict[str, str], files: dict[str, str], tables: frozenset[str]) -> set[tuple[str, str]]:
    """What Citus cannot run, by who has it: a node cannot ask others, and gives its tables' rows other types."""
    asking = readers(bodies, tables)
    found = set()
    every = [(name, one) for name, body in bodies.items() for one in statements(body)]
    for name, one in [*every, *files.items()]:
        if not tables_in(one, tables):
            continue
        found |= {(name, f"calls {called} beside a table") for called in calls_in(one) & asking}
        found |= {(name, f"takes rows of {alias}") for alias in whole_rows_in(one, tables)}
        if EMPTY_EXISTS.search(one):
            found.add((name, "selects nothing in exists"))
        if re.match(r"\s*(delete|update)\b", one) and CLOCK_INSIDE.search(re.sub(r"\(select\b.*", "", one, flags=re.S)):
            found.add((name, "asks the clock within coalesce"))
    return found


def test_no_statement_about_a_table_does_what_a_node_cannot(conn: Connection) -> None:
    files = {
        path.relative_to(SQL).as_posix(): TEXT.sub("''", COMMENT.sub("", path.read_text()))
        for path in sorted(SQL.glob("[!m]*/*.sql"))
    }
    assert broken_rules(bodies_of(conn), files, tables_of(conn)) == set()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("select * from reads(site) r\n join t on t.a = r.a;", "calls reads beside a table"),
        ("with d as (\n    select * from asks(site)\n)\ninsert into t select * from d;", "calls asks beside a table"),
        ("perform reads(array(select a from t where site_id = site));", "calls reads beside a table"),
        ("select s.a, s as stored from u join t s on s.site_id = site;", "takes rows of s"),
        ("select array_agg(s order by s.a) from t s;", "takes rows of s"),
        ("delete from t where a < coalesce(moment, now()) - days;", "asks the clock within coalesce"),
        ("if exists (select from t where a = 1) then\n    return;\nend if;", "selects nothing in exists"),
    ],
)
def test_the_rules_find_what_broke_them_once(body: str, fault: str) -> None:
    bodies = {
        "reads": "begin\n    return query\n    select a from t;\nend",
        "asks": "begin\n    return reads(1);\nend",
        "wrong": f"begin\n    {body}\nend",
        "right": "begin\n    found := array(select (r.a)::own from reads(site) r);\n"
        "    delete from t s using unnest(found) f where s.a = f.a and exists (select 1 from t);\nend",
    }
    assert broken_rules(bodies, {}, frozenset("tu")) == {("wrong", fault)}


def test_what_reads_tables_runs_in_no_parallel_process_on_citus(conn: Connection) -> None:
    rows = conn.execute(
        "select proname from pg_proc where pronamespace = 'public'::regnamespace and proparallel <> 'u'"
    )
    parallel = {name for (name,) in rows} & readers(bodies_of(conn), tables_of(conn))
    (made_unsafe,) = re.findall(r"proname in \((.+)\)", (SQL / "citus.sql").read_text())
    assert parallel == set(re.findall(r"\w+", made_unsafe))
