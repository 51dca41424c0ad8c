"""Brings a database up to date: roles, the ledger's schema (alembic), the read models' tables."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import ProgrammingError

from infrastructure.embedded_postgres.places import OWNER_ROLE, SERVICE_ROLE
from infrastructure.embedded_postgres.roles import ensure_roles
from infrastructure.readstore.tables import create_missing_tables
from projections.registry import PROJECTIONS

MINIMUM_VERSION = 150_000

_MIGRATION_LOCK = 0x62696C6C


class MigrationRefused(Exception):
    """The database cannot be migrated; the message says what the operator has to do."""


def migrate(admin_url: str) -> None:
    """Migrates the database that `admin_url` names; safe to repeat and to run from several processes.

    The login must be allowed to create roles and schemas. Raises `MigrationRefused`.
    """
    with psycopg.connect(admin_url, autocommit=True) as connection:
        if connection.info.server_version < MINIMUM_VERSION:
            raise MigrationRefused("PostgreSQL 15 or newer is needed.")
        connection.execute("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
        try:
            _prepare(connection)
            _upgrade(admin_url)
        except (psycopg.errors.InsufficientPrivilege, ProgrammingError) as error:
            if isinstance(error, ProgrammingError) and not isinstance(
                error.orig, psycopg.errors.InsufficientPrivilege
            ):
                raise
            raise MigrationRefused(
                "This login may not create the roles billing_owner and billing_service or the schemas. "
                "Run `billing migrate` once as a login with CREATEROLE and CREATE on the database."
            ) from error
        finally:
            connection.execute("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))


def _prepare(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    ensure_roles(connection)
    for role in (OWNER_ROLE, SERVICE_ROLE):
        _join_role(connection, role)
    database = sql.Identifier(connection.info.dbname)
    connection.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}, {}").format(
            database, sql.Identifier(OWNER_ROLE), sql.Identifier(SERVICE_ROLE)
        )
    )
    connection.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS ledger AUTHORIZATION {OWNER_ROLE}")
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS readmodel AUTHORIZATION {SERVICE_ROLE}")


def _join_role(connection: psycopg.Connection[tuple[object, ...]], role: str) -> None:
    """Lets the migrating login act as the role, which a superuser may anyway."""
    # Since PostgreSQL 16 who creates a role is a member of it, but may not act as it for that.
    right = "SET" if connection.info.server_version >= 160_000 else "MEMBER"
    allowed = connection.execute("SELECT pg_has_role(current_user, %s, %s)", (role, right)).fetchone()
    if allowed != (True,):
        connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(role)))


def _upgrade(admin_url: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: psycopg.connect(admin_url), poolclass=pool.NullPool
    )
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {OWNER_ROLE}"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL ROLE {SERVICE_ROLE}"))
        create_missing_tables(connection, PROJECTIONS)
    engine.dispose()
