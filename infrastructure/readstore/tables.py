"""The read models' tables: made when missing, named by version, so that a changed model gets new tables."""

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, Connection, Integer, Table, Text, inspect, text

from projections.projection import METADATA, Projection

TRACKING_TABLE = Table(
    "tracking",
    METADATA,
    Column("projection", Text, primary_key=True),
    Column("position", BigInteger, nullable=False),
    Column("version", Integer, primary_key=True, autoincrement=False, server_default="1"),
)


def create_missing_tables(connection: Connection, projections: Iterable[Projection]) -> None:
    """Creates the tables and indexes that are not there yet; a projection with a new table starts from zero.

    Another version's tables and position are left alone: its workers may still be running.
    """
    _create_tracking(connection)
    for projection in projections:
        missing = [
            table
            for table in projection.tables
            if not connection.dialect.has_table(connection, table.name, schema=table.schema)
        ]
        if missing:
            tracking = TRACKING_TABLE.c
            connection.execute(
                TRACKING_TABLE.delete().where(
                    tracking.projection == projection.name, tracking.version == projection.version
                )
            )
        for table in projection.tables:
            if table in missing:
                table.create(connection)
                continue
            if missing:
                connection.execute(table.delete())
            for index in table.indexes:
                index.create(connection, checkfirst=True)


def _create_tracking(connection: Connection) -> None:
    TRACKING_TABLE.create(connection, checkfirst=True)
    columns = inspect(connection).get_columns(TRACKING_TABLE.name, schema=TRACKING_TABLE.schema)
    if "version" not in {column["name"] for column in columns}:
        connection.execute(
            text(
                "ALTER TABLE readmodel.tracking ADD version integer NOT NULL DEFAULT 1,"
                " DROP CONSTRAINT tracking_pkey, ADD PRIMARY KEY (projection, version)"
            )
        )
