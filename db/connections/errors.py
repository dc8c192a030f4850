"""Classifies errors of PostgreSQL: whether to wait, to retry, or to look for bad events."""

import re

import psycopg
from psycopg import errors

#: Errors of a server that is up but not ready for us: read-only, not migrated yet, privileges not granted yet.
NOT_READY = (
    errors.ReadOnlySqlTransaction,
    errors.InsufficientPrivilege,
    errors.InvalidCatalogName,
    errors.InvalidSchemaName,
    errors.UndefinedFunction,
    errors.UndefinedTable,
)

#: Messages by which a server, or a pooler in front of it, refuses our settings for good (28P01, 28000, 3D000). The
#: client library has no error code for a failed connection.
REFUSED = re.compile(
    r"password authentication failed|\w+ authentication failed for user|authentication failed|auth failed"
    r"|no password supplied|no pg_hba\.conf entry|pg_hba\.conf rejects"
    r"|(role|user|database) \".*\" does not exist|no such (user|database)"
    r"|role \".*\" is not permitted to log in|permission denied for database"
    r"|invalid (port number|integer value|\w+ value)|definition of service .* not found|file \".*\" does not exist"
    r"|server does not support SSL, but SSL was required|certificate verify failed"
    r"|server certificate for .* does not match host name|could not get server's host name from server certificate"
    r"|could not (read|load) root certificate|root certificate file .* (does not exist|cannot be)"
)

#: How messages of Citus begin, as internal errors (XX000), if a node became unavailable within a statement: its own
#: messages, those of its connection to the node, and the node's last ones, which have no code when rows are copied.
NODE_UNAVAILABLE = re.compile(
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
#: The same for a conflict with another transaction.
NODE_BUSY = re.compile(r"deadlock detected|canceling the transaction since it was involved in a distributed deadlock")


def is_data_error(error: Exception) -> bool:
    """Whether the values are the cause: a data error, a violated constraint, an index entry over its limit.

    The last is class 54, which psycopg counts as an operational error. A row for which there is no partition has the
    code of a violated constraint, but is none: make_partition says itself for which times there is never one.
    """
    if _lacks_a_partition(error):
        return False
    if isinstance(error, psycopg.OperationalError):
        return (error.sqlstate or "").startswith("54")
    return isinstance(error, (psycopg.DataError, psycopg.IntegrityError))


def is_unavailable(error: Exception) -> bool:
    """Whether the server is down, full, read-only, not set up or lacks a partition: it works once that has changed."""
    if _starts_with(error, NODE_UNAVAILABLE) or _lacks_a_partition(error):
        return True
    return isinstance(error, (psycopg.OperationalError, *NOT_READY)) and not is_data_error(error)


def lacks_a_table(error: Exception) -> bool:
    """Whether a statement names a table that does not exist."""
    return isinstance(error, errors.UndefinedTable)


def refused(error: Exception) -> str | None:
    """Why a server refuses us for good; None if waiting may help."""
    if not isinstance(error, psycopg.OperationalError):
        return None
    reason = next((line for line in str(error).splitlines() if REFUSED.search(line)), None)
    # Independent of the server's language: it requires a password, and we have none.
    if reason is None and error.pgconn is not None and error.pgconn.needs_password:
        reason = "it requires a password, and none is set"
    if reason is None:
        return None
    reason = reason.rpartition("FATAL:")[2].strip().removeprefix("connection failed: ")
    return f"PostgreSQL refuses what DATABASE_URL (or PG_HOST, PG_USER, ...) says: {reason}"


def was_cancelled(error: Exception) -> bool:
    """Whether a query was cancelled, by a timeout of the server or by a user."""
    return isinstance(error, errors.QueryCanceled)


def is_site_error(error: Exception) -> bool:
    """Whether the work on this site failed, while other sites may succeed: not if the server is unavailable for all.

    A lock timeout concerns one site only, although psycopg counts it as an operational error.
    """
    if is_transient(error) or isinstance(error, (errors.LockNotAvailable, errors.QueryCanceled)):
        return True
    return isinstance(error, psycopg.Error) and not is_unavailable(error)


def is_transient(error: Exception) -> bool:
    """Whether another transaction caused it: the same statement may work at once."""
    return isinstance(error, (errors.DeadlockDetected, errors.SerializationFailure)) or _starts_with(error, NODE_BUSY)


def _lacks_a_partition(error: Exception) -> bool:
    """Whether a row has no partition yet. In any language of the server: only this error names a table, but no
    constraint."""
    if not isinstance(error, errors.CheckViolation):
        return False
    return error.diag.table_name is not None and error.diag.constraint_name is None


def _starts_with(error: Exception, what: re.Pattern[str]) -> bool:
    """Whether it is an internal error (no code of its own) whose message starts with this."""
    return isinstance(error, errors.InternalError_) and what.match(error.diag.message_primary or "") is not None
