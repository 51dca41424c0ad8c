"""A revision of the head, by which what was decided ahead of its lock is checked."""

from infrastructure.migrations.sql_file import run_sql_file

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the revision and the functions that move it."""
    run_sql_file(__file__)
