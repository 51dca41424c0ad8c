"""The Document Center's rows, what finds them, and who may see them."""

from collections.abc import Iterator

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, select, text

from domain.documents.visibility import DocumentScope
from projections.documents import DOCUMENT_TABLE, DOCUMENTS, in_scope, searchable
from projections.projection import Row
from tests.support.facts import NOON
from tests.support.folding import History, folded, receipt_id


def _row(history: History, order_id: str = "o-1") -> Row:
    return folded(DOCUMENTS, history.events)["document_v1"][(receipt_id(order_id),)]


async def test_a_numbered_draft_waits_to_be_issued_from_its_issue_time_on() -> None:
    history = History()
    await history.pay("o-1")
    row = _row(history)
    expected = {
        "document_key": "o-1:RECEIPT:platform-gb:1",
        "order_id": "o-1",
        "status": "DRAFT",
        "number": "R-2026-000001",
        "series_id": "GB:platform-gb:RECEIPT",
        "buyer_id": "buyer-17",
        "seller_id": "seller-4",
        "issued_at": NOON,
        "retry_at": NOON,
        "issued": None,
        "failure": None,
        "stream_version": 2,
    }
    assert {name: row[name] for name in expected} == expected
    assert row["totals"] == {
        "itemsSubtotal": 6000,
        "discountTotal": 1000,
        "feeTotal": 440,
        "taxTotal": 1240,
        "grandTotal": 7680,
    }


async def test_a_failure_tells_its_reason_and_the_next_attempt() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    row = _row(history)
    assert (row["status"], row["failure"]["reason"], row["failure"]["attempt"]) == (
        "DRAFT",
        "vault_unavailable",
        1,
    )
    assert row["retry_at"] > row["issued_at"]


async def test_an_issued_document_has_its_seal_and_waits_for_nothing() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    await history.issue("o-1")
    row = _row(history)
    assert (row["status"], row["failure"], row["retry_at"], row["stream_version"]) == (
        "ISSUED",
        None,
        None,
        4,
    )
    assert set(row["issued"]) == {"pdfName", "jsonName", "seal", "retention"}


async def test_downloads_leave_the_row_as_it_is() -> None:
    history = History()
    await history.pay("o-1")
    await history.issue("o-1")
    before = _row(history)
    await history.download("o-1")
    assert _row(history) == before


async def test_an_orders_texts_are_kept_for_searches() -> None:
    history = History()
    await history.pay("o-1")
    found = folded(DOCUMENTS, history.events)["order_text_v1"][("o-1",)]["search_text"].split("\n")
    assert {"o-1", "marigold tansy-okafor", "enamel kettle, moss green", "ktl-07"} <= set(found)
    assert "marigold@example.org" not in found


@pytest.mark.parametrize(
    ("written", "searched"),
    [
        ("Ibáñez", "ibanez"),
        ("IBÁÑEZ", "ibanez"),
        ("Straße", "strasse"),
        ("Ζωή", "ζωη"),
        ("ﬁn ½", "fin 1⁄2"),
        ("山内", "山内"),
    ],
)
def test_searches_ignore_case_and_accents(written: str, searched: str) -> None:
    assert searchable(written) == searched
    assert searchable(searched) == searched


PEOPLE = ("p-1", "p-2")
COUNTRIES = ("MX", "GB")
EVERY_DOCUMENT = [
    {"buyer_id": buyer, "seller_id": seller, "country_code": country, "status": status}
    for buyer in PEOPLE
    for seller in PEOPLE
    for country in COUNTRIES
    for status in ("DRAFT", "ISSUED", "VOIDED", "REPLACED")
]


@pytest.fixture(scope="module")
def documents() -> Iterator[Connection]:
    """One document of every kind in a database in memory, for the rule is plain SQL."""
    with create_engine("sqlite://").connect() as connection:
        connection.execute(text("ATTACH ':memory:' AS readmodel"))
        connection.execute(
            text(
                "CREATE TABLE readmodel.document_v1"
                " (document_id TEXT, buyer_id TEXT, seller_id TEXT, country_code TEXT, status TEXT)"
            )
        )
        connection.execute(
            text(
                "INSERT INTO readmodel.document_v1"
                " VALUES (:document_id, :buyer_id, :seller_id, :country_code, :status)"
            ),
            [{"document_id": str(index), **document} for index, document in enumerate(EVERY_DOCUMENT)],
        )
        yield connection


_people = st.sampled_from((None, *PEOPLE, "p-3"))
_countries = st.frozensets(st.sampled_from((*COUNTRIES, "ES")))
_scopes = st.builds(
    DocumentScope,
    every=st.booleans(),
    buyer_id=_people,
    seller_id=_people,
    by_country=_countries,
    countries=st.one_of(st.none(), _countries),
    drafts=st.booleans(),
)


@settings(max_examples=300)
@for_any(scope=_scopes)
def test_lists_show_exactly_what_details_show(documents: Connection, scope: DocumentScope) -> None:
    found = documents.execute(select(DOCUMENT_TABLE.c.document_id).where(in_scope(scope))).scalars()
    shown = {str(index) for index, document in enumerate(EVERY_DOCUMENT) if scope.shows(**document)}
    assert set(found) == shown
