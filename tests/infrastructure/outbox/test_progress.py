"""What one relay wrote down, another that still thinks it is the owner cannot take back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from domain.streams import REGISTRY
from infrastructure.clock import SystemClock
from infrastructure.eventstore.event_reader import EventReader
from infrastructure.eventstore.ledger import Pool, PostgresLedger
from infrastructure.eventstore.mapper import LedgerMapper
from infrastructure.outbox.progress import DeadLetter, Failure, Progress
from tests.support.ledger_fixtures import ANSWERS, LedgerUrls, running_committer
from tests.support.outbox import add_webhook, issued_in, webhooks_of
from tests.support.subject_keys import a_wrap

NOW = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
FAILURE = Failure(1, NOW, "HTTP 500")


@pytest.fixture
async def progress(database_urls: LedgerUrls) -> AsyncIterator[Progress]:
    connection = await psycopg.AsyncConnection.connect(database_urls.service, autocommit=True)
    async with connection:
        yield Progress(connection)


async def test_a_step_from_where_the_subscriber_no_longer_stands_changes_nothing(
    database_urls: LedgerUrls, progress: Progress
) -> None:
    webhook_id, _ = add_webhook(database_urls.service, "http://127.0.0.1:9/")
    issued_in(database_urls.service, 3)
    (stale,) = await progress.due(NOW)
    assert await progress.move(webhook_id, stale.position, 6)
    assert not await progress.move(webhook_id, stale.position, 3)
    await progress.postpone(webhook_id, stale.position, FAILURE, NOW + timedelta(days=1))
    assert not await progress.give_up(webhook_id, stale.position, DeadLetter(uuid4(), 3), FAILURE, NOW)
    (due,) = await progress.due(NOW)
    assert (due.position, due.failure) == (6, None)
    with webhooks_of(database_urls.service) as webhooks:
        assert webhooks.dead_letters() == []


async def test_the_oldest_that_waits_is_told_and_none_without_anybody_to_wait(
    database_urls: LedgerUrls, progress: Progress
) -> None:
    issued_in(database_urls.service, 2)
    assert await progress.oldest_pending() is None
    webhook_id, _ = add_webhook(database_urls.service, "http://127.0.0.1:9/")
    other_id, _ = add_webhook(database_urls.service, "http://127.0.0.1:9/", "docs.DocumentVoided")
    with psycopg.connect(database_urls.service) as connection:
        moments = connection.execute(
            "SELECT recorded_at FROM ledger.event JOIN ledger.outbox USING (position) ORDER BY position"
        ).fetchall()
    assert await progress.oldest_pending() == moments[0][0]
    await progress.move(webhook_id, 0, 3)
    assert await progress.oldest_pending() == moments[1][0]
    await progress.disable(webhook_id)
    assert await progress.oldest_pending() is None
    assert webhook_id != other_id


async def test_what_is_pending_is_what_an_enabled_webhook_still_wants(
    database_urls: LedgerUrls, progress: Progress
) -> None:
    database: Pool = AsyncConnectionPool(database_urls.service, open=False, kwargs={"autocommit": True})
    issued_in(database_urls.service, 3)
    reader = EventReader(LedgerMapper(REGISTRY), a_wrap())
    with running_committer(database_urls.service) as committer:
        async with database:
            ledger = PostgresLedger(database, committer, reader, ANSWERS, SystemClock())
            assert await ledger.outbox_pending() == 0, "nobody waits for anything"
            add_webhook(database_urls.service, "http://127.0.0.1:9/", "docs.DocumentVoided")
            assert await ledger.outbox_pending() == 0
            webhook_id, _ = add_webhook(database_urls.service, "http://127.0.0.1:9/")
            assert await ledger.outbox_pending() == 3
            await progress.move(webhook_id, 0, 6)
            assert await ledger.outbox_pending() == 1
            await progress.disable(webhook_id)
            assert await ledger.outbox_pending() == 0
