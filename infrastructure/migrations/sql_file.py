"""Runs the SQL file that stands beside a revision."""

from pathlib import Path

from alembic import op


def run_sql_file(revision_file: str) -> None:
    """Executes `<revision>.sql`, named like the revision's own `.py`, in one go."""
    statements = Path(revision_file).with_suffix(".sql").read_text(encoding="utf-8")
    op.get_bind().exec_driver_sql(statements.replace("%", "%%"))
