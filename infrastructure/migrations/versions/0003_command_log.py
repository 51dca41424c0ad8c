"""The command log in partitions by the time at which its keys expire."""

from infrastructure.migrations.sql_file import run_sql_file

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Replaces the command table by a partitioned one."""
    run_sql_file(__file__)
