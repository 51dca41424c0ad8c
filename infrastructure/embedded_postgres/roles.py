"""The roles and the database that a new cluster needs before the first migration."""

from typing import Any

from psycopg import Connection, sql

from infrastructure.embedded_postgres.places import DATABASE, OWNER_ROLE, SERVICE_ROLE


def ensure_roles(connection: Connection[Any]) -> None:
    """Create the tables' owner (no login) and the service's role (login, no other rights) where they miss.

    Safe to call from several processes at once. `connection` is a superuser's.
    """
    for role, attribute in ((OWNER_ROLE, "NOLOGIN"), (SERVICE_ROLE, "LOGIN")):
        statement = sql.SQL(
            "DO $$ BEGIN CREATE ROLE {} {}; "
            "EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$"
        )
        connection.execute(statement.format(sql.Identifier(role), sql.SQL(attribute)))


def ensure_database(connection: Connection[Any]) -> None:
    """Create the billing database where it misses. `connection` is a superuser's and in autocommit mode."""
    found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
    if found is None:
        statement = sql.SQL("CREATE DATABASE {} OWNER {}")
        connection.execute(statement.format(sql.Identifier(DATABASE), sql.Identifier(OWNER_ROLE)))
