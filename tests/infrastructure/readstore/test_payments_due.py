"""Which payments the worker asks the gateway about, and when, as PostgreSQL lists them."""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from application.ledger import Answer, Transaction
from domain.kernel.facts import Fact
from domain.receivables.payment import PAYMENT, Payment
from domain.streams import REGISTRY
from infrastructure.eventstore.committer import Committer
from infrastructure.eventstore.ledger import Pool
from infrastructure.readstore.worklist import PaymentWorkList
from projections.payments import PAYMENTS, select_due_payments
from tests.support.clocks import SetClock
from tests.support.ledger_fixtures import LedgerUrls, a_command, running_committer
from tests.support.payment_facts import (
    authorized,
    captured,
    deferred,
    failed,
    gateway_deferred,
    initiated,
    refund_asked,
    refunded,
    void_asked,
    voided,
)
from tests.support.projected import catch_up, fresh_rows, live_rows

NOON = datetime.fromisoformat("2026-03-02T12:00:00+00:00")
IN_HAND = timedelta(seconds=30)
A_MOMENT = timedelta(microseconds=1)


class Desk:
    """Records what happens to payments at moments of a clock of its own, and asks what is due then."""

    def __init__(self, urls: LedgerUrls, committer: Committer, clock: SetClock) -> None:
        self.clock = clock
        self._urls = urls
        self._committer = committer

    def record(self, name: str, *facts: Fact) -> None:
        """All at once, at this moment."""

        def handle(transaction: Transaction) -> Answer:
            transaction.append(PAYMENT.stream(name), facts)
            return Answer(200, None)

        self._committer.submit(a_command(handle, PAYMENT.stream(name))).result(timeout=60)

    async def due(self, pool: Pool, at: datetime, limit: int = 100) -> list[str]:
        """What the worker is to take up at that moment, in its order."""
        catch_up(self._urls.service, PAYMENTS)
        work = PaymentWorkList(pool, lambda most: select_due_payments(at, IN_HAND, most))
        return [each.billing_payment_id for each in await work.due(limit)]


@pytest.fixture
def desk(database_urls: LedgerUrls) -> Iterator[Desk]:
    clock = SetClock(NOON)
    with running_committer(database_urls.service, clock=clock) as committer:
        yield Desk(database_urls, committer, clock)


@pytest.fixture
async def pool(database_urls: LedgerUrls) -> AsyncIterator[Pool]:
    pool: Pool = AsyncConnectionPool(
        database_urls.service, open=False, min_size=1, timeout=10, kwargs={"autocommit": True}
    )
    async with pool:
        yield pool


async def test_what_is_in_hand_is_left_alone_until_it_is_overdue(desk: Desk, pool: Pool) -> None:
    desk.record("paying", initiated())
    desk.record("holding", initiated(), authorized())
    desk.record("voiding", initiated(), authorized(), captured(), void_asked())
    desk.record("refunding", initiated(), authorized(), captured(), refund_asked(400))
    assert await desk.due(pool, NOON) == []
    assert await desk.due(pool, NOON + IN_HAND - A_MOMENT) == []
    overdue = await desk.due(pool, NOON + IN_HAND)
    assert sorted(overdue) == ["holding", "paying", "refunding", "voiding"]


async def test_each_step_of_who_has_it_in_hand_leaves_it_alone_anew(desk: Desk, pool: Pool) -> None:
    desk.record("paying", initiated())
    desk.clock.move(20)
    desk.record("paying", authorized())
    assert await desk.due(pool, NOON + IN_HAND) == []
    assert await desk.due(pool, NOON + timedelta(seconds=20) + IN_HAND) == ["paying"]


async def test_what_somebody_was_told_to_wait_for_is_due_at_once(desk: Desk, pool: Pool) -> None:
    desk.record("hanging", initiated(), deferred())
    assert await desk.due(pool, NOON - A_MOMENT) == []
    assert await desk.due(pool, NOON) == ["hanging"]


async def test_what_the_gateway_told_nothing_of_is_due_when_it_is_to_be_asked_again(
    desk: Desk, pool: Pool
) -> None:
    retry_at = NOON + timedelta(minutes=4)
    desk.record("told", initiated(), deferred(), gateway_deferred(retry_at=retry_at))
    # Who was asked is gone: that the worker has asked on takes it out of their hands.
    desk.record("left", initiated(), gateway_deferred("UNCONFIRMED", retry_at=retry_at))
    for at in (NOON, NOON + IN_HAND, retry_at - A_MOMENT):
        assert await desk.due(pool, at) == []
    assert sorted(await desk.due(pool, retry_at)) == ["left", "told"]
    desk.clock.move(60)
    desk.record("told", authorized())
    assert await desk.due(pool, NOON + timedelta(minutes=1)) == ["told"], "it got on, so it goes on at once"


async def test_what_is_settled_is_never_due(desk: Desk, pool: Pool) -> None:
    desk.record("paid", initiated(), authorized(), captured())
    desk.record("declined", initiated(), failed())
    desk.record("void", initiated(), authorized(), captured(), void_asked(), voided())
    desk.record("given back", initiated(), authorized(), captured(), refund_asked(400), refunded(400))
    desk.record("paid late", initiated(), deferred(), gateway_deferred(), authorized(), captured())
    desk.record("held in vain", initiated(), failed(), authorized())
    assert await desk.due(pool, NOON + timedelta(days=1)) == ["held in vain"]


async def test_the_longest_due_comes_first_and_no_more_than_is_asked_for(desk: Desk, pool: Pool) -> None:
    order = ["c", "a", "d", "b"]
    for name, minutes in (("a", 2), ("b", 4), ("c", 1), ("d", 3)):
        retry_at = NOON + timedelta(minutes=minutes)
        desk.record(name, initiated(), deferred(), gateway_deferred(retry_at=retry_at))
    desk.record("in hand", initiated())
    late = NOON + timedelta(hours=1)
    assert await desk.due(pool, NOON + timedelta(seconds=200)) == ["in hand", "c", "a", "d"]
    assert await desk.due(pool, late) == ["in hand", *order]
    for limit in range(1, 5):
        assert await desk.due(pool, late, limit) == ["in hand", *order][:limit]
    # What may not be taken up yet takes no place from what may.
    desk.clock.move(3600)
    desk.record("in hand", authorized())
    assert await desk.due(pool, late + IN_HAND - A_MOMENT, 2) == order[:2]


async def test_the_rows_are_those_of_every_payments_whole_history(
    desk: Desk, pool: Pool, database_urls: LedgerUrls
) -> None:
    history = (
        *(initiated(), deferred(), gateway_deferred(), authorized(), captured()),
        *(refund_asked(400), refunded(400)),
    )
    for fact in history:
        desk.record("slow", fact)
        desk.clock.move(1)
        await desk.due(pool, NOON)
        assert live_rows(database_urls.service, PAYMENTS) == fresh_rows(database_urls.service, PAYMENTS)
    with psycopg.connect(database_urls.service) as connection:
        ((stored,),) = connection.execute("SELECT payment FROM readmodel.payment_v1").fetchall()
    whole = REGISTRY.fold(PAYMENT.stream("slow"), history)
    assert Payment.model_validate(stored) == whole
