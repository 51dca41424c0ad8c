"""PostgreSQL 18 from a wheel, run by this service itself: a private server for each data directory."""

from infrastructure.embedded_postgres.errors import PostgresUnavailable
from infrastructure.embedded_postgres.places import admin_url, service_url
from infrastructure.embedded_postgres.roles import ensure_roles
from infrastructure.embedded_postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "PostgresUnavailable", "admin_url", "ensure_roles", "service_url"]
