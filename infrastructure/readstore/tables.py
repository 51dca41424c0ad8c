"""The read models' tables: made when missing, named by version, so that a changed model gets new tables."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, Connection, Table, Text

from projections.projection import METADATA, Projection

TRACKING_TABLE = Table(
    "tracking",
    METADATA,
    Column("projection", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
)


def create_missing_tables(connection: Connection, projections: Iterable[Projection]) -> None:
    """Creates the tables that are not there yet; a projection with a new table starts again from zero."""
    TRACKING_TABLE.create(connection, checkfirst=True)
    for projection in projections:
        missing = [
            table
            for table in projection.tables
            if not connection.dialect.has_table(connection, table.name, schema=table.schema)
        ]
        if missing:
            connection.execute(TRACKING_TABLE.delete().where(TRACKING_TABLE.c.projection == projection.name))
            for table in projection.tables:
                if table in missing:
                    table.create(connection)
                else:
                    connection.execute(table.delete())
