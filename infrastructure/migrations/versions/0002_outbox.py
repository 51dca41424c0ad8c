"""The outbox relay: subscribers, deliveries, dead letters."""

from infrastructure.migrations.sql_file import run_sql_file

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Creates what the relay remembers."""
    run_sql_file(__file__)
