"""The ledger: events, head, commands, outbox."""

from infrastructure.migrations.sql_file import run_sql_file

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates the ledger's tables, functions, triggers and grants."""
    run_sql_file(__file__)
