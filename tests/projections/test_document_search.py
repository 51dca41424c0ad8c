"""The Document Center's lists hold exactly what a plain walk through all documents finds, page by page."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from hypothesis import example, settings
from hypothesis import given as for_any
from hypothesis import strategies as st

from domain.documents.visibility import DocumentScope
from infrastructure.readstore.compiling import compiled
from infrastructure.readstore.rows import Change, copy_rows
from projections import document_search, word_search
from projections.document_search import select_documents
from projections.documents import DOCUMENT_TABLE
from projections.projection import Row
from projections.source_text import ERA_POSITIONS, SOURCE_TEXT_TABLE, marks_of, plain, searchable
from tests.support.ledger_fixtures import migrated_database

PEOPLE = ("p-1", "p-2")
COUNTRIES = ("MX", "GB")
STATUSES = ("DRAFT", "ISSUED", "VOIDED", "REPLACED")
AUDIENCES = ("BUYER", "SELLER", "FINANCE")
TYPES = ("RECEIPT", "CREDIT_NOTE")
NAMES = (
    "Inés Ibáñez",
    "Marigold Tansy-Okafor",
    "山内 薫",
    "Ζωή Α.",
    "100%_sure",
    "back\\slash",
    "Ian",
    "Max Quixote",
    "Ana Marigold van der Tansy Holm",
    "2c5c z y",
)
MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)
POSITIONS_APART = ERA_POSITIONS // 80


@dataclass(frozen=True)
class Center:
    """A database of documents, and the same documents in memory, newest first."""

    connection: psycopg.Connection[dict[str, Any]]
    documents: list[Row] = field(repr=False)
    texts: dict[str, str] = field(repr=False)

    def found(
        self, scope: DocumentScope, filters: dict[str, Any], before: int | None, limit: int
    ) -> list[int]:
        """Positions that the statement gives."""
        query = select_documents(scope, filters, before, limit)
        statement = compiled(query.statement)
        rows = self.connection.execute(statement.text, {**statement.constants, **query.parameters})
        return [row["drafted_position"] for row in rows]

    def expected(
        self, scope: DocumentScope, filters: dict[str, Any], before: int | None, limit: int
    ) -> list[int]:
        """Positions that a walk gives."""
        return [
            row["drafted_position"]
            for row in self.documents
            if scope.shows(
                **{name: row[name] for name in ("buyer_id", "seller_id", "audience", "country_code")},
                was_issued=row["issued"] is not None,
            )
            and (before is None or row["drafted_position"] < before)
            and all(self._matches(row, name, value) for name, value in filters.items() if value is not None)
        ][:limit]

    def _matches(self, row: Row, name: str, value: Any) -> bool:
        match name:
            case "issuedFrom" | "issuedTo":
                issued = row["issued_at" if isinstance(value, datetime) else "issue_date"]
                return issued is not None and (issued >= value if name == "issuedFrom" else issued <= value)
            case "q":
                return self._holds(row, value.strip())
            case _:
                columns = {"docType": "doc_type", "countryCode": "country_code", "status": "status"}
                columns |= {"buyerId": "buyer_id", "sellerId": "seller_id", "orderId": "source_stream"}
                wanted = f"order/{value}" if name == "orderId" else value
                return bool(row[columns[name]] == wanted)

    def _holds(self, row: Row, q: str) -> bool:
        words, text, number = plain(q), self.texts.get(row["source_stream"]), row["number"]
        if (text is not None and words in plain(text)) or row["source_stream"] in {
            f"order/{q}",
            f"invoice/{q}",
        }:
            return True
        return number is not None and (number.lower().startswith(words) or number.lower().endswith(words))


def a_document(dice: random.Random, index: int) -> Row:
    """A document like any other, numbered and issued up to two months after it was drafted, or not yet."""
    issued_at = MIDNIGHT + timedelta(hours=index * 5)
    if dice.random() < 0.1:
        issued_at += timedelta(days=dice.randrange(60))
    is_numbered = dice.random() < 0.9
    status = dice.choice(STATUSES)
    # What is voided may never have been issued.
    was_issued = status in {"ISSUED", "REPLACED"} or (status == "VOIDED" and dice.random() < 0.5)
    row: Row = {column.name: None for column in DOCUMENT_TABLE.columns}
    return row | {
        "document_id": f"d-{index}",
        "document_key": f"o-{index // 2}:{index}",
        "document_version": 1,
        "stream_version": 1,
        "source_type": "ORDER",
        "source_id": f"o-{index // 2}",
        # Of invoices too, which share ids with orders.
        "source_stream": dice.choice(
            (f"order/o-{index // 2}",) * 7
            + (f"order/o-{dice.randrange(200)}",)
            + (f"invoice/o-{dice.randrange(200)}",) * 2
        ),
        "doc_type": dice.choice(TYPES),
        "status": status,
        "issued": {} if was_issued else None,
        "audience": dice.choice(AUDIENCES),
        "country_code": dice.choice(COUNTRIES),
        "issuer_entity_id": "platform",
        "buyer_id": dice.choice(PEOPLE),
        "seller_id": dice.choice(PEOPLE),
        "language": "en",
        "currency_uom_id": "GBP",
        "totals": {},
        "template_version": "receipt/1",
        "driver": "GENERIC",
        "driver_version": "generic/1",
        "number": f"R-{index:04d}" if is_numbered else None,
        "issued_at": issued_at if is_numbered else None,
        "issue_date": issued_at.astimezone(timezone(timedelta(hours=-8))).date() if is_numbered else None,
        "linked_documents": [],
        "drafted_position": index * POSITIONS_APART + 1,
    }


@pytest.fixture(scope="module")
def center() -> Iterator[Center]:
    dice = random.Random(20260301)
    documents = [a_document(dice, index) for index in range(400)]
    texts = {
        f"{kind}/o-{index}": f"{dice.choice(NAMES)}\no-{index}\nKettle"
        for kind in ("order", "invoice")
        for index in range(190)
    }
    marks: dict[str, set[str]] = {source: set() for source in texts}
    for row in documents:
        if row["source_stream"] in marks:
            position, country, seller = (
                row[name] for name in ("drafted_position", "country_code", "seller_id")
            )
            marks[row["source_stream"]].update(marks_of(position, country, seller))
    with migrated_database() as urls:
        with psycopg.connect(urls.service, autocommit=True) as connection:
            by_id = {(row["document_id"],): row for row in documents}
            sources = {
                (source,): {
                    "source_stream": source,
                    "names": [],
                    "search_text": searchable(text),
                    "marks": sorted(marks[source]),
                }
                for source, text in texts.items()
            }
            changes = [Change(DOCUMENT_TABLE, {}, by_id), Change(SOURCE_TEXT_TABLE, {}, sources)]
            copy_rows(connection, changes)
        with psycopg.connect(urls.service, autocommit=True, row_factory=psycopg.rows.dict_row) as reading:
            yield Center(reading, documents[::-1], texts)


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
_moments = st.builds(
    lambda hours, zone: (MIDNIGHT + timedelta(hours=hours)).astimezone(zone),
    st.integers(-200, 3000),
    st.sampled_from((UTC, timezone(timedelta(hours=14)))),
)
_bounds = st.one_of(
    st.none(), st.dates(date(2026, 2, 20), date(2026, 7, 1)), _moments, st.sampled_from((date.min, date.max))
)
_filters = st.fixed_dictionaries(
    {},
    optional={
        "docType": st.sampled_from(TYPES),
        "status": st.sampled_from(STATUSES),
        "countryCode": st.sampled_from(COUNTRIES),
        "buyerId": st.sampled_from(PEOPLE),
        "sellerId": st.sampled_from(PEOPLE),
        "orderId": st.sampled_from(("o-3", "o-150")),
        "issuedFrom": _bounds,
        "issuedTo": _bounds,
    },
)
WORDS = """
    ibanez INES in i ia es 山 山内 内 ζω %_ 100% _ \\ ck\\sl kettle o-17 r-0123 0123 r tansy-okafor
    o- -0 -1 su ui q x y z xq qx qu ix ax yq 2c 5c yf cz .z a- -o
"""
_words = st.sampled_from(
    (
        *WORDS.split(),
        "marigold  tansy",
        "none of them",
        "ana marigold van der tansy holm",
        "rigold van der tan",
        "n d",
        "max q",
        "x q",
        "z y",
        "o-17 kettle",
        "o-17\nkettle",
        "ibanez\no-1",
        "marigold der tansy",
        "\u0301",
        " ",
    )
)
_pages = st.tuples(st.one_of(st.none(), st.integers(0, 400 * POSITIONS_APART)), st.integers(1, 60))


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@for_any(scope=_scopes, filters=_filters, page=_pages)
def test_a_list_shows_what_its_scope_and_filters_let_through(
    center: Center, scope: DocumentScope, filters: dict[str, Any], page: tuple[int | None, int]
) -> None:
    assert center.found(scope, filters, *page) == center.expected(scope, filters, *page)


@pytest.mark.parametrize(
    "looked_through",
    [pytest.param(1, marks=pytest.mark.slow), 30, pytest.param(1000, marks=pytest.mark.slow)],
)
@settings(max_examples=150, deadline=None)
@for_any(scope=_scopes, filters=_filters, q=_words, page=_pages)
@example(
    scope=DocumentScope(every=True, by_country=frozenset(COUNTRIES)), filters={}, q="ibanez", page=(None, 1)
)
def test_words_find_the_same_among_the_newest_and_in_the_index(
    center: Center,
    looked_through: int,
    scope: DocumentScope,
    filters: dict[str, Any],
    q: str,
    page: tuple[int | None, int],
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_search, "LOOKED_THROUGH", looked_through)
        document_search._list.cache_clear()
        wanted = {**filters, "q": q}
        assert center.found(scope, wanted, *page) == center.expected(scope, wanted, *page)
    document_search._list.cache_clear()


@pytest.mark.slow
def test_every_part_of_a_text_is_found_in_the_index(center: Center, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = DocumentScope(every=True, drafts=True)
    texts = {f"{name}\nKettle" for name in NAMES}
    parts = {
        text[begin : begin + size]
        for text in texts
        for size in (1, 2, 3, 7, 20)
        for begin in range(len(text))
    }
    monkeypatch.setattr(word_search, "LOOKED_THROUGH", 1)
    document_search._list.cache_clear()
    for part in sorted(parts):
        wanted = {"q": part}
        assert center.found(everything, wanted, None, 500) == center.expected(
            everything, wanted, None, 500
        ), part
    document_search._list.cache_clear()


def test_moments_at_the_ends_of_time_are_bounds_like_others(center: Center) -> None:
    everything = DocumentScope(every=True, drafts=True)
    filters = {"issuedFrom": datetime.min.replace(tzinfo=UTC), "issuedTo": datetime.max.replace(tzinfo=UTC)}
    assert center.found(everything, filters, None, 500) == center.expected(everything, filters, None, 500)


def test_lists_of_one_kind_share_one_statement() -> None:
    first = select_documents(DocumentScope(buyer_id="p-1"), {"status": "ISSUED"}, 7, 10)
    other = select_documents(DocumentScope(buyer_id="p-2"), {"status": "VOIDED"}, 9, 20)
    assert first.statement is other.statement
