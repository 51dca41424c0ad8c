"""The Document Center: one row a document, and what `q` finds of its order (S3 §6.2, contract §6)."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    DateTime,
    Index,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement

from domain.documents.document import (
    DocumentDrafted,
    DocumentIssued,
    DocumentIssueFailed,
    DocumentNumbered,
)
from domain.documents.order import OrderPaid
from domain.documents.receipt_content import receipt_search_text
from domain.documents.visibility import DocumentScope
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Row, RowFold, fold_by_name

DOCUMENT_TABLE = Table(
    "document_v1",
    METADATA,
    Column("document_id", Text, primary_key=True),
    Column("document_key", Text, nullable=False, unique=True),
    Column("document_version", Integer, nullable=False),
    Column("stream_version", Integer, nullable=False),
    Column("order_id", Text),
    Column("doc_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("country_code", Text, nullable=False),
    Column("issuer_entity_id", Text, nullable=False),
    Column("buyer_id", Text, nullable=False),
    Column("seller_id", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("currency_uom_id", Text, nullable=False),
    Column("totals", JSONB, nullable=False),
    Column("template_version", Text, nullable=False),
    Column("driver", Text, nullable=False),
    Column("driver_version", Text, nullable=False),
    Column("series_id", Text),
    Column("number", Text),
    Column("issued_at", DateTime(timezone=True)),
    Column("issue_date", Date),
    Column("issued", JSONB),
    Column("retry_at", DateTime(timezone=True)),
    Column("failure", JSONB),
    Column("drafted_position", BigInteger, nullable=False),
)
Index("document_v1_newest", DOCUMENT_TABLE.c.drafted_position)
Index("document_v1_order", DOCUMENT_TABLE.c.order_id, DOCUMENT_TABLE.c.doc_type)
Index("document_v1_buyer", DOCUMENT_TABLE.c.buyer_id, DOCUMENT_TABLE.c.drafted_position)
Index("document_v1_seller", DOCUMENT_TABLE.c.seller_id, DOCUMENT_TABLE.c.drafted_position)
Index(
    "document_v1_number",
    DOCUMENT_TABLE.c.country_code,
    DOCUMENT_TABLE.c.issuer_entity_id,
    DOCUMENT_TABLE.c.series_id,
    DOCUMENT_TABLE.c.number,
)
Index("document_v1_issued_at", DOCUMENT_TABLE.c.issued_at)
Index(
    "document_v1_to_issue",
    DOCUMENT_TABLE.c.retry_at,
    postgresql_where=DOCUMENT_TABLE.c.status == "DRAFT",
)
Index(
    "document_v1_number_text",
    func.lower(DOCUMENT_TABLE.c.number).label("number_text"),
    postgresql_using="gin",
    postgresql_ops={"number_text": "gin_trgm_ops"},
)

ORDER_TEXT_TABLE = Table(
    "order_text_v1",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("search_text", Text, nullable=False),
)
Index(
    "order_text_v1_search",
    ORDER_TEXT_TABLE.c.search_text,
    postgresql_using="gin",
    postgresql_ops={"search_text": "gin_trgm_ops"},
)


def searchable(text: str) -> str:
    """Text as it is searched: case-folded, accents off, so that `ibanez` finds `Ibáñez`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def _drafted(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentDrafted, event.fact)
    return {
        "document_id": event.stream.id,
        "document_key": fact.document_key,
        "document_version": fact.document_version,
        "stream_version": event.version,
        "order_id": fact.source_ref.id if fact.source_ref.type == "ORDER" else None,
        "doc_type": fact.doc_type,
        "status": "DRAFT",
        "country_code": fact.country_code,
        "issuer_entity_id": fact.issuer_entity_id,
        "buyer_id": fact.buyer_id,
        "seller_id": fact.seller_id,
        "language": fact.language,
        "currency_uom_id": fact.currency_uom_id,
        "totals": fact.totals.model_dump(mode="json", by_alias=True),
        "template_version": fact.template_version,
        "driver": fact.driver,
        "driver_version": fact.driver_version,
        "series_id": None,
        "number": None,
        "issued_at": None,
        "issue_date": None,
        "issued": None,
        "retry_at": None,
        "failure": None,
        "drafted_position": event.position,
    }


def _numbered(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentNumbered, event.fact)
    return row | {
        "stream_version": event.version,
        "series_id": fact.series_id,
        "number": fact.number,
        "issued_at": fact.issued_at,
        "issue_date": fact.issue_date,
        "retry_at": fact.issued_at,
    }


def _issued(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentIssued, event.fact)
    return row | {
        "stream_version": event.version,
        "status": "ISSUED",
        "issued": fact.model_dump(mode="json", by_alias=True, exclude_none=True),
        "retry_at": None,
        "failure": None,
    }


def _issue_failed(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentIssueFailed, event.fact)
    return row | {
        "stream_version": event.version,
        "retry_at": fact.retry_at,
        "failure": fact.model_dump(mode="json", by_alias=True),
    }


def _order_text(_: Row | None, event: RecordedEvent) -> Row:
    order = cast(OrderPaid, event.fact).order
    return {
        "order_id": order.order_id,
        "search_text": searchable("\n".join((order.order_id, *receipt_search_text(order)))),
    }


fold_document = fold_by_name(
    {
        "document.drafted": _drafted,
        "document.numbered": _numbered,
        "document.issued": _issued,
        "document.issue-failed": _issue_failed,
    }
)


def _document_key(event: RecordedEvent) -> Key | None:
    return (event.stream.id,) if event.stream.type == "document" else None


def _order_key(event: RecordedEvent) -> Key | None:
    return (event.stream.id,) if event.name == "order.paid-in-escrow" else None


DOCUMENTS = Projection(
    name="documents",
    event_names=frozenset(
        {
            "document.drafted",
            "document.numbered",
            "document.issued",
            "document.issue-failed",
            "order.paid-in-escrow",
        }
    ),
    row_folds=(
        RowFold(DOCUMENT_TABLE, _document_key, fold_document),
        RowFold(ORDER_TEXT_TABLE, _order_key, _order_text),
    ),
)


def in_scope(scope: DocumentScope) -> ColumnElement[bool]:
    """The condition for documents that a caller may know of (the same rule as `DocumentScope.shows`)."""
    document = DOCUMENT_TABLE.c
    ways: list[ColumnElement[bool]] = [true() if scope.every else false()]
    if scope.buyer_id is not None:
        ways.append(document.buyer_id == scope.buyer_id)
    if scope.seller_id is not None:
        ways.append(document.seller_id == scope.seller_id)
    if scope.by_country:
        ways.append(document.country_code.in_(sorted(scope.by_country)))
    conditions = [or_(*ways)]
    if scope.countries is not None:
        conditions.append(document.country_code.in_(sorted(scope.countries)))
    if not scope.drafts:
        conditions.append(document.status != "DRAFT")
    return and_(*conditions)


_EQUALS = {
    "orderId": DOCUMENT_TABLE.c.order_id,
    "docType": DOCUMENT_TABLE.c.doc_type,
    "status": DOCUMENT_TABLE.c.status,
    "countryCode": DOCUMENT_TABLE.c.country_code,
    "issuerEntityId": DOCUMENT_TABLE.c.issuer_entity_id,
    "buyerId": DOCUMENT_TABLE.c.buyer_id,
    "sellerId": DOCUMENT_TABLE.c.seller_id,
}


def select_documents(
    scope: DocumentScope, filters: dict[str, Any], before_position: int | None, limit: int
) -> Select[Any]:
    """Documents in scope, newest first, below a cursor's position.

    `filters` by query parameter: those of `_EQUALS`, `issuedFrom` and `issuedTo` (times or dates,
    inclusive), `q`.
    """
    document = DOCUMENT_TABLE.c
    statement = select(DOCUMENT_TABLE).where(in_scope(scope))
    for name, column in _EQUALS.items():
        if filters.get(name) is not None:
            statement = statement.where(column == filters[name])
    if (issued_from := filters.get("issuedFrom")) is not None:
        statement = statement.where(_issued_column(issued_from) >= issued_from)
    if (issued_to := filters.get("issuedTo")) is not None:
        statement = statement.where(_issued_column(issued_to) <= issued_to)
    if filters.get("q"):
        statement = statement.where(_found_by(str(filters["q"])))
    if before_position is not None:
        statement = statement.where(document.drafted_position < before_position)
    return statement.order_by(document.drafted_position.desc()).limit(limit)


def _issued_column(bound: datetime | date) -> ColumnElement[Any]:
    """Times bound the issue time, dates the issue date in the issuer's calendar."""
    return DOCUMENT_TABLE.c.issued_at if isinstance(bound, datetime) else DOCUMENT_TABLE.c.issue_date


def _found_by(q: str) -> ColumnElement[bool]:
    text = searchable(q.strip())
    document = DOCUMENT_TABLE.c
    orders = select(ORDER_TEXT_TABLE.c.order_id).where(
        ORDER_TEXT_TABLE.c.search_text.contains(text, autoescape=True)
    )
    return or_(
        func.lower(document.number).contains(text, autoescape=True),
        document.order_id.in_(orders),
        document.order_id == q.strip(),
    )


def select_document(document_id: str) -> Select[Any]:
    """One document, whoever may see it."""
    return select(DOCUMENT_TABLE).where(DOCUMENT_TABLE.c.document_id == document_id)


def select_document_by_key(document_key: str) -> Select[Any]:
    """The document with that key."""
    return select(DOCUMENT_TABLE).where(DOCUMENT_TABLE.c.document_key == document_key)


def select_documents_by_id(document_ids: list[str]) -> Select[Any]:
    """These documents, in no order."""
    return select(DOCUMENT_TABLE).where(DOCUMENT_TABLE.c.document_id.in_(document_ids))


@dataclass(frozen=True)
class Shard:
    """One of `count` equal parts of the documents, `index` from 0."""

    index: int
    count: int


EVERYTHING = Shard(0, 1)


def select_documents_to_issue(shard: Shard) -> Select[Any]:
    """A shard's numbered drafts whose time has come at `now`, the longest due first, `limit` of them."""
    document = DOCUMENT_TABLE.c
    return (
        select(document.document_id)
        .where(
            document.status == "DRAFT",
            document.retry_at <= bindparam("now", type_=DateTime(timezone=True)),
            func.abs(func.hashtext(document.document_id) % shard.count) == shard.index,
        )
        .order_by(document.retry_at)
        .limit(bindparam("limit", type_=Integer))
    )


def select_document_ids_of_order(order_id: str) -> Select[Any]:
    """The ids of an order's documents."""
    return select(DOCUMENT_TABLE.c.document_id).where(DOCUMENT_TABLE.c.order_id == order_id)
