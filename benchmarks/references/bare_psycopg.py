"""The same server with one query behind it: Litestar on Granian, psycopg's pool, the row as JSON.

python -m benchmarks.references.bare_psycopg PORT    # BARE_DATABASE_URL names the database
"""

import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterator
from typing import Any

from granian import Granian
from granian.constants import Interfaces
from litestar import Litestar, get
from litestar.datastructures import State
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

from benchmarks.harness import Ledger, running, wait_until_live
from projections.documents import DOCUMENT_TABLE
from tests.support.house import free_port

_VARIABLE = "BARE_DATABASE_URL"
_QUERY = f"SELECT * FROM readmodel.{DOCUMENT_TABLE.name} WHERE document_id = %s".encode()


@get("/documents/{document_id:str}")
async def get_document(state: State, document_id: str) -> dict[str, Any] | None:
    """A document's row."""
    async with state["pool"].connection() as connection:
        cursor = connection.cursor(row_factory=dict_row)
        await cursor.execute(_QUERY, (document_id,))
        found: dict[str, Any] | None = await cursor.fetchone()
        return found


@get("/health/live")
async def get_live() -> None:
    """Answers once the server does."""


def create() -> Litestar:
    """The application of the server process."""
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
        os.environ[_VARIABLE], open=False, min_size=1, max_size=10, kwargs={"autocommit": True}
    )

    @contextlib.asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with pool:
            yield

    return Litestar(
        [get_document, get_live], state=State({"pool": pool}), lifespan=[lifespan], openapi_config=None
    )


@contextlib.contextmanager
def serving(ledger: Ledger) -> Iterator[int]:
    """The bare server on a ledger's read models, one worker: its port."""
    house, port = ledger.house, free_port()
    arguments = ["-m", "benchmarks.references.bare_psycopg", str(port)]
    with running(house, arguments, port, **{_VARIABLE: ledger.admin_url}) as process:
        wait_until_live(port, process, house.log_path)
        yield port


if __name__ == "__main__":
    Granian(
        "benchmarks.references.bare_psycopg:create",
        factory=True,
        interface=Interfaces.ASGI,
        address="127.0.0.1",
        port=int(sys.argv[1]),
        workers=1,
        websockets=False,
        log_enabled=False,
    ).serve()
