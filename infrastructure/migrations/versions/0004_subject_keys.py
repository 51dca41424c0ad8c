"""Keys of the persons whose data events hold, and snapshots of long streams."""

from infrastructure.migrations.sql_file import run_sql_file

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Creates the tables of subject keys and snapshots."""
    run_sql_file(__file__)
