"""db.connections.errors: whose fault an error is, also of those that Citus tells by their messages only."""

import psycopg
import pytest

from apps.web.problems import refusal_for
from db.connections.errors import is_data_error, is_transient, is_unavailable
from tests.conftest import Connection


def raised(conn: Connection, sqlstate: str, message: str) -> psycopg.Error:
    """The error as the server raises it."""
    conn.execute(
        "select set_config('tests.sqlstate', %s, false), set_config('tests.message', %s, false)", [sqlstate, message]
    )
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(
            "do $$ begin raise exception using errcode = current_setting('tests.sqlstate'),"
            " message = current_setting('tests.message'); end $$"
        )
    return caught.value


#: As raised in Citus 13.2: remote_transaction.c, multi_copy.c, multi_physical_planner.c, intermediate_results.c,
#: causal_clock.c, remote_commands.c; and by a node that ends, whose code ReportCopyError does not pass on.
AWAY = [
    ("XX000", "failure on connection marked as essential: 10.0.0.2:5432"),
    ("XX000", "could not connect to any active placements"),
    ("XX000", "failed to assign 4 task(s) to worker nodes"),
    ("XX000", "failed to prepare transaction 'citus_0_1_2_3' on host 10.0.0.2:5432"),
    ("XX000", 'failed to read result "1_2" from node 10.0.0.2:5432'),
    ("XX000", "connection not open"),
    ("XX000", "server closed the connection unexpectedly\n\tThis probably means the server terminated abnormally"),
    ("XX000", "terminating connection due to administrator command"),
    ("XX000", "terminating connection because of crash of another server process"),
    ("XX000", "postmaster was shut down, exiting"),
    ("XX000", "the database system is shutting down"),
    ("08006", "connection to the remote node postgres@10.0.0.2:5432 failed with the following error: refused"),
    ("57P01", "terminating connection due to administrator command"),
    ("57P02", "terminating connection because of crash of another server process"),
    ("57P03", "the database system is starting up"),
    ("58030", "failed to complete COPY on 10.0.0.2:5432"),
]
OURS = [
    ("XX000", "cannot use 2PC in transactions involving multiple servers"),
    ("XX000", "complex joins are only supported when all distributed tables are co-located"),
    ("XX000", "cache lookup failed for type 17"),
    ("0A000", "cannot execute a distributed query from a query on a shard"),
    ("42601", "failure on connection marked as essential: 10.0.0.2:5432"),
    ("P0001", "terminating connection due to administrator command"),
]


@pytest.mark.parametrize(("sqlstate", "message"), AWAY)
def test_a_node_that_went_away_is_a_server_to_wait_for(conn: Connection, sqlstate: str, message: str) -> None:
    error = raised(conn, sqlstate, message)
    assert is_unavailable(error)
    assert not is_data_error(error)
    assert not is_transient(error)
    assert refusal_for(error).problem.status == 503


@pytest.mark.parametrize(("sqlstate", "message"), OURS)
def test_what_waiting_does_not_help_is_a_fault_of_ours(conn: Connection, sqlstate: str, message: str) -> None:
    error = raised(conn, sqlstate, message)
    assert not any(is_it(error) for is_it in (is_unavailable, is_data_error, is_transient))
    assert refusal_for(error).problem.status == 500


@pytest.mark.parametrize(
    ("sqlstate", "message"),
    [
        ("40P01", "deadlock detected"),
        ("40001", "could not serialize access"),
        ("XX000", "deadlock detected"),
        ("XX000", "canceling the transaction since it was involved in a distributed deadlock"),
    ],
)
def test_another_transaction_in_the_way_is_of_the_moment(conn: Connection, sqlstate: str, message: str) -> None:
    assert is_transient(raised(conn, sqlstate, message))


def test_a_row_without_a_partition_waits_for_it_and_is_not_poison(conn: Connection) -> None:
    conn.execute("create temporary table part (at integer, constraint positive check (at > 0)) partition by range (at)")
    with pytest.raises(psycopg.errors.CheckViolation) as lacking:
        conn.execute("insert into part values (1)")
    conn.execute("create temporary table all_of_it partition of part default")
    with pytest.raises(psycopg.errors.CheckViolation) as violated:
        conn.execute("insert into part values (0)")
    for error, poison in ((lacking.value, False), (violated.value, True), (raised(conn, "23514", "never"), True)):
        assert (is_data_error(error), is_unavailable(error)) == (poison, not poison)
        assert not is_transient(error)
