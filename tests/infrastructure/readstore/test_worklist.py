"""What workers have to finish: who wants a stamp is listed for its authority, and drawn only afterwards."""

from collections.abc import AsyncIterator

import pytest
from psycopg_pool import AsyncConnectionPool

from application.handlers.documents import record_failure, stamp_document
from application.ledger import Command, Handler
from domain.fiscal.countries.simulated.driver import SIMULATED_AUTHORITY
from infrastructure.clock import SystemClock
from infrastructure.eventstore.ledger import Pool
from infrastructure.readstore.worklist import DocumentWorkList
from projections.documents import DOCUMENTS
from projections.documents_due import EVERYTHING, Shard
from tests.support import facts
from tests.support.folding import receipt_id
from tests.support.ledger_fixtures import AUDIT, LedgerUrls, running_committer
from tests.support.projected import catch_up, pay_orders
from tests.support.simulated_country import SimulatedInvoice, drafting

INVOICES = [SimulatedInvoice(name=f"i-{number}") for number in range(4)]
STAMPED, REJECTED, WAITING, ALSO_WAITING = (invoice.document_id for invoice in INVOICES)
RECEIPT = receipt_id("o-1")


def _record(urls: LedgerUrls, handlers: list[Handler]) -> None:
    with running_committer(urls.service) as committer:
        for handler in handlers:
            committer.submit(Command(AUDIT, handler)).result(timeout=60)


@pytest.fixture
async def pool(database_urls: LedgerUrls) -> AsyncIterator[Pool]:
    """One receipt, and four invoices of the simulated country: stamped, rejected, and two that wait."""
    pay_orders(database_urls.service, ["o-1"])
    _record(database_urls, [drafting(invoice) for invoice in INVOICES])
    stamp = stamp_document(STAMPED, facts.stamped().stamp)
    _record(database_urls, [stamp, record_failure(REJECTED, "driver_rejected", None, "XS301")])
    catch_up(database_urls.service, DOCUMENTS)
    pool: Pool = AsyncConnectionPool(
        database_urls.service, open=False, min_size=1, timeout=10, kwargs={"autocommit": True}
    )
    async with pool:
        yield pool


async def test_what_waits_for_a_stamp_is_not_drawn_and_what_has_one_is_not_asked_for(pool: Pool) -> None:
    work = DocumentWorkList(pool, SystemClock(), EVERYTHING)
    assert sorted(await work.documents_to_issue(10)) == sorted([RECEIPT, STAMPED])
    assert await work.documents_to_stamp(SIMULATED_AUTHORITY, 10) == [WAITING, ALSO_WAITING]
    assert await work.documents_to_stamp(SIMULATED_AUTHORITY, 1) == [WAITING]


async def test_shards_part_what_waits_for_a_stamp(pool: Pool) -> None:
    parts = [DocumentWorkList(pool, SystemClock(), Shard(index, 3)) for index in range(3)]
    listed = [await part.documents_to_stamp(SIMULATED_AUTHORITY, 10) for part in parts]
    assert sorted(each for part in listed for each in part) == sorted([WAITING, ALSO_WAITING])
