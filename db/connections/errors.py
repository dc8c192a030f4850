"""Whose fault an error of PostgreSQL is: that decides whether to wait, to try again or to look at the events."""

import re

import psycopg
from psycopg import errors

#: Errors of a server that is there but not ready for us: read-only, not migrated yet, rights not granted yet.
NOT_READY = (
    errors.ReadOnlySqlTransaction,
    errors.InsufficientPrivilege,
    errors.InvalidCatalogName,
    errors.InvalidSchemaName,
    errors.UndefinedFunction,
    errors.UndefinedTable,
)

#: How a server, or a pooler before it, says that it will never let us in as we ask (28P01, 28000, 3D000). Of
#: a connection that failed the client library tells no code.
REFUSED = re.compile(
    r"password authentication failed|\w+ authentication failed for user|authentication failed|auth failed"
    r"|no password supplied|no pg_hba\.conf entry|pg_hba\.conf rejects"
    r"|(role|user|database) \".*\" does not exist|no such (user|database)"
    r"|role \".*\" is not permitted to log in|permission denied for database"
    r"|invalid (port number|integer value|\w+ value)|definition of service .* not found|file \".*\" does not exist"
    r"|server does not support SSL, but SSL was required|certificate verify failed"
)

#: How Citus begins to say, as an internal error (XX000), that a node went away within a statement: in its own words, in
#: those of its connection to the node, and in the node's last ones, of which copying rows to it tells no code.
NODE_AWAY = re.compile(
    r"failure on connection marked as essential"
    r"|could not connect to any active placements"
    r"|failed to assign \d+ task\(s\) to worker nodes"
    r"|failed to prepare\s+transaction '.*' on host"
    r"|failed to read result \".*\" from node"
    r"|connection to .* failed"
    r"|connection not open"
    r"|server closed the connection unexpectedly"
    r"|could not (receive data from|send data to) server"
    r"|terminating connection (due to|because of)"
    r"|postmaster was shut down, exiting"
    r"|the database system is (starting up|shutting down|in recovery mode|not yet accepting connections)"
)
#: The same of another transaction that was in the way.
NODE_BUSY = re.compile(r"deadlock detected|canceling the transaction since it was involved in a distributed deadlock")


def is_data_error(error: Exception) -> bool:
    """Whether the values sent are to blame: a data error, a violated constraint, an index entry over its limit.

    The last is class 54, which psycopg counts among the operational errors.
    """
    if isinstance(error, psycopg.OperationalError):
        return (error.sqlstate or "").startswith("54")
    return isinstance(error, (psycopg.DataError, psycopg.IntegrityError))


def is_unavailable(error: Exception) -> bool:
    """Whether the server is away, full, read-only or not set up: the same statement works once it is back."""
    if _says_only(error, NODE_AWAY):
        return True
    return isinstance(error, (psycopg.OperationalError, *NOT_READY)) and not is_data_error(error)


def lacks_a_table(error: Exception) -> bool:
    """Whether a statement names a table that the database does not have."""
    return isinstance(error, errors.UndefinedTable)


def refused(error: Exception) -> str | None:
    """Why a server does not let us in, where waiting does not help; None where it may."""
    if not isinstance(error, psycopg.OperationalError):
        return None
    told = next((line for line in str(error).splitlines() if REFUSED.search(line)), None)
    # Whatever the server's language: it asked for a password, and there is none.
    if told is None and error.pgconn is not None and error.pgconn.needs_password:
        told = "it asks for a password, and there is none"
    if told is None:
        return None
    reason = told.rpartition("FATAL:")[2].strip().removeprefix("connection failed: ")
    return f"PostgreSQL refuses what DATABASE_URL (or PG_HOST, PG_USER, ...) says: {reason}"


def was_cancelled(error: Exception) -> bool:
    """Whether a query was ended by a limit of time that the server has, or by somebody."""
    return isinstance(error, errors.QueryCanceled)


def is_site_error(error: Exception) -> bool:
    """Whether the work on one site failed, and that on another may not: not where the server is at fault for all.

    A wait that took too long is of the site that was waited for, although psycopg counts it among operational errors.
    """
    if is_transient(error) or isinstance(error, (errors.LockNotAvailable, errors.QueryCanceled)):
        return True
    return isinstance(error, psycopg.Error) and not is_unavailable(error)


def is_transient(error: Exception) -> bool:
    """Whether another transaction was in the way: the same statement may work at once."""
    return isinstance(error, (errors.DeadlockDetected, errors.SerializationFailure)) or _says_only(error, NODE_BUSY)


def _says_only(error: Exception, what: re.Pattern[str]) -> bool:
    """Whether it is an error without a code of its own, and its message begins so."""
    return isinstance(error, errors.InternalError_) and what.match(error.diag.message_primary or "") is not None
