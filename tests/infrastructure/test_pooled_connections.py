"""A pooled connection whose server has gone is not handed out, and asking costs no round trip."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from infrastructure.database import still_open
from tests.support.postgres_server import fresh_database, shared_test_server

pytestmark = pytest.mark.slow


async def test_connections_that_the_server_ended_while_idle_are_never_handed_out() -> None:
    url = make_conninfo(fresh_database(shared_test_server()), application_name="pooled-here")
    async with AsyncConnectionPool(
        url, open=False, min_size=3, check=still_open, kwargs={"autocommit": True}
    ) as pool:
        await pool.wait()
        with psycopg.connect(url, autocommit=True, application_name="other") as other:
            ended = other.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE application_name = 'pooled-here' AND pid <> pg_backend_pid()"
            ).fetchall()
        assert ended == [(True,)] * 3
        for _ in range(4):
            async with pool.connection() as connection:
                cursor = await connection.execute("SELECT 1")
                assert await cursor.fetchone() == (1,)
