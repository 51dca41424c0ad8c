"""The one error of the embedded PostgreSQL."""


class PostgresUnavailable(Exception):
    """The embedded PostgreSQL cannot be used; the message tells the operator what to do."""
