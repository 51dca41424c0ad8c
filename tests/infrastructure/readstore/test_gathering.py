"""Questions of one kind share statements, and nothing else: neither failures nor other people's patience."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from psycopg_pool import AsyncConnectionPool

from application.ports import Found, ReadStoreUnavailable
from infrastructure.eventstore.ledger import Pool
from infrastructure.readstore.gathering import MOST_TOGETHER, Gathering, Parameters
from infrastructure.readstore.store import PostgresReadStore
from projections.documents import DOCUMENTS, select_document, select_document_by_key
from tests.support.folding import receipt_id
from tests.support.ledger_fixtures import LedgerUrls, head_of
from tests.support.projected import catch_up, pay_orders

NAMES = (DOCUMENTS.name,)
ORDERS = [f"o-{number}" for number in range(5)]


class Statements:
    """Stands for the database: answers with what was asked, when it is let, and knows who asked together."""

    def __init__(self) -> None:
        self.asked: list[list[Any]] = []
        self.let = asyncio.Event()
        self.failure: Exception | None = None

    async def run(self, asked: Sequence[Parameters]) -> list[Found]:
        """Answers once it is let. `"bad"` cannot be asked."""
        wanted = [parameters["wanted"] for parameters in asked]
        self.asked.append(wanted)
        await self.let.wait()
        if self.failure is not None:
            raise self.failure
        if "bad" in wanted:
            raise ValueError("a value that cannot be sent")
        return [Found([[{"answer": value}]], len(self.asked)) for value in wanted]


def asking(gathering: Gathering, wanted: Any) -> "asyncio.Task[Found]":
    """Somebody who waits for an answer."""
    return asyncio.create_task(gathering.found({"wanted": wanted}))


def answers(found: Sequence[Found]) -> list[Any]:
    """What each was answered."""
    return [each.results[0][0]["answer"] for each in found]


async def test_what_is_asked_while_a_statement_is_under_way_is_asked_together_afterwards() -> None:
    """The statement that is under way may have seen less than who asks now has a right to see."""
    statements = Statements()
    gathering = Gathering(statements.run)
    first = [asking(gathering, number) for number in (1, 2)]
    await asyncio.sleep(0.01)
    later = [asking(gathering, number) for number in (3, 4, 5)]
    await asyncio.sleep(0.01)
    assert statements.asked == [[1, 2]]
    statements.let.set()
    found = await asyncio.gather(*first, *later)
    assert statements.asked == [[1, 2], [3, 4, 5]]
    assert answers(found) == [1, 2, 3, 4, 5]
    assert [each.position for each in found] == [1, 1, 2, 2, 2]


async def test_a_crowd_is_asked_for_in_turns() -> None:
    statements = Statements()
    statements.let.set()
    gathering = Gathering(statements.run)
    crowd = range(MOST_TOGETHER * 2 + 1)
    found = await asyncio.gather(*(asking(gathering, number) for number in crowd))
    assert answers(found) == list(crowd)
    assert [len(asked) for asked in statements.asked] == [MOST_TOGETHER, MOST_TOGETHER, 1]


async def test_who_goes_away_takes_no_answer_with_him() -> None:
    statements = Statements()
    gathering = Gathering(statements.run)
    impatient, patient = asking(gathering, 1), asking(gathering, 2)
    await asyncio.sleep(0.01)
    impatient.cancel()
    await asyncio.sleep(0)
    statements.let.set()
    assert answers([await patient]) == [2]
    assert answers([await asking(gathering, 3)]) == [3]


async def test_who_asks_what_cannot_be_asked_fails_alone() -> None:
    statements = Statements()
    statements.let.set()
    gathering = Gathering(statements.run)
    found = await asyncio.gather(
        *(asking(gathering, wanted) for wanted in (1, "bad", 2)), return_exceptions=True
    )
    assert isinstance(found[1], ValueError)
    assert answers([found[0], found[2]]) == [1, 2]  # type: ignore[list-item]


async def test_a_database_that_is_away_is_asked_once_for_all() -> None:
    """Each has a time-out of seconds, and who waits behind others would wait for theirs too."""
    statements = Statements()
    statements.failure = ReadStoreUnavailable("away")
    statements.let.set()
    gathering = Gathering(statements.run)
    waiting = [asking(gathering, number) for number in range(20)]
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(each) for each in found} == {ReadStoreUnavailable}
    assert len(statements.asked) == 1
    statements.failure = None
    assert answers([await asking(gathering, 1)]) == [1]


@pytest.fixture
async def store(database_urls: LedgerUrls) -> AsyncIterator[PostgresReadStore]:
    """The read models of a ledger with five documents."""
    pay_orders(database_urls.service, ORDERS)
    catch_up(database_urls.service, DOCUMENTS)
    pool: Pool = AsyncConnectionPool(
        database_urls.service, open=False, min_size=1, timeout=10, kwargs={"autocommit": True}
    )
    async with pool:
        yield PostgresReadStore(pool)


async def test_each_is_answered_with_its_own_rows_as_if_it_had_asked_alone(
    store: PostgresReadStore, database_urls: LedgerUrls
) -> None:
    ids = [receipt_id(order_id) for order_id in ORDERS]
    asked = [ids[0], "no such document", *ids, ids[0], "'; --%s%(wanted)s"]
    queries = [select_document(wanted) for wanted in asked]
    queries += [select_document_by_key(f"{order_id}:RECEIPT:platform-gb:1") for order_id in ORDERS]
    together = await asyncio.gather(*(store.fetch(NAMES, query) for query in queries))
    # Two queries in one call share a snapshot and are asked by statements of their own.
    alone = [await store.fetch(NAMES, query, query) for query in queries]
    assert [found.results[0] for found in together] == [found.results[0] for found in alone]
    assert [len(found.results[0]) for found in together] == [1, 0, 1, 1, 1, 1, 1, 1, 0, *[1] * len(ORDERS)]
    assert {found.position for found in together} == {head_of(database_urls.service)}


async def test_text_that_no_database_takes_spoils_nobody_elses_answer(store: PostgresReadStore) -> None:
    asked = [receipt_id(ORDERS[0]), "\ud800", receipt_id(ORDERS[1])]
    found = await asyncio.gather(
        *(store.fetch(NAMES, select_document(wanted)) for wanted in asked), return_exceptions=True
    )
    assert isinstance(found[1], UnicodeEncodeError)
    rows = [each.results[0] for each in (found[0], found[2]) if isinstance(each, Found)]
    assert [row["source_id"] for (row,) in rows] == ORDERS[:2]
