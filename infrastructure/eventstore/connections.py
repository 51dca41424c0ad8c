"""The committer's two connections, and which of their errors may pass."""

import psycopg

from infrastructure.database import CONNECTION_OPTIONS
from infrastructure.eventstore.appending import APPENDING
from infrastructure.eventstore.basis import READING
from infrastructure.eventstore.wire import Wire

# Plans for any parameters: planning anew for a batch takes longer than reading for it.
_PLANS = "SET plan_cache_mode = force_generic_plan"

_WRITING = (
    _PLANS,
    "SET lock_timeout = '2s'",
    "SET idle_in_transaction_session_timeout = '1200ms'",
    "SET statement_timeout = '20s'",
)
"""A stopped process must not hold the ledger: what it holds is taken from it within two seconds."""

_TRANSACTION_TIMEOUT = "SET transaction_timeout = '5s'"
"""Also where it stops halfway through sending, which is not idle to the server; from PostgreSQL 17 on."""

_READING = (
    _PLANS,
    # Whatever is sent together is read from one snapshot.
    "SET default_transaction_isolation = 'repeatable read'",
    "SET default_transaction_read_only = on",
    "SET statement_timeout = '20s'",
)


def connect_to_write(database_url: str) -> Wire:
    """A connection for taking the head lock and appending."""
    connection = psycopg.connect(database_url, autocommit=True, **CONNECTION_OPTIONS)
    for statement in _WRITING:
        connection.execute(statement)
    if connection.info.server_version >= 170_000:
        connection.execute(_TRANSACTION_TIMEOUT)
    return Wire(connection, READING | APPENDING)


def connect_to_read(database_url: str) -> Wire:
    """A connection on which all that is sent together sees the ledger as it was at one moment."""
    connection = psycopg.connect(database_url, autocommit=True, **CONNECTION_OPTIONS)
    for statement in _READING:
        connection.execute(statement)
    return Wire(connection, READING)


def may_pass(error: Exception) -> bool:
    """Whether trying again may help: the server is away, or took a lock or transaction from us."""
    sqlstate = error.sqlstate or "" if isinstance(error, psycopg.Error) else ""
    if isinstance(error, psycopg.InternalError):
        return sqlstate.startswith("25")
    # Class 54 is a value too long for an index.
    return isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and sqlstate[:2] != "54"
