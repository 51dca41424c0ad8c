"""The ledger: events, head, commands, outbox."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates the ledger's tables, functions, triggers and grants."""
    statements = (Path(__file__).parent / "0001_ledger.sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
