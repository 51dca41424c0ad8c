"""The ledger on PostgreSQL keeps what every ledger promises."""

from collections.abc import AsyncIterator, Iterator

import pytest
from psycopg_pool import AsyncConnectionPool

from domain.streams import REGISTRY
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.ledger import Pool, PostgresLedger
from infrastructure.eventstore.mapper import LedgerMapper
from tests.support.clocks import SetClock
from tests.support.ledger_contract import LedgerContract
from tests.support.ledger_fixtures import ANSWERS, LedgerUrls, assert_sound, running_committer
from tests.support.subject_keys import a_wrap


@pytest.fixture(scope="module")
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(scope="module")
def committer(module_database_urls: LedgerUrls, clock: SetClock) -> Iterator[Committer]:
    with running_committer(module_database_urls.service, clock=clock) as committer:
        yield committer


class TestPostgresLedger(LedgerContract):
    @pytest.fixture
    async def ledger(
        self, module_database_urls: LedgerUrls, committer: Committer, clock: SetClock
    ) -> AsyncIterator[PostgresLedger]:
        pool: Pool = AsyncConnectionPool(
            module_database_urls.service, open=False, min_size=1, kwargs={"autocommit": True}
        )
        async with pool:
            reader = EventReader(LedgerMapper(REGISTRY), a_wrap())
            yield PostgresLedger(pool, committer, reader, ANSWERS, clock)
        assert_sound(module_database_urls.service)
