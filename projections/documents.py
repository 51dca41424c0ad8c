"""The Document Center: one row a document, and what `q` finds of its order (S3 §6.2, contract §6)."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
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
    bindparam,
    func,
    literal_column,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from domain.documents.document import (
    DocumentDrafted,
    DocumentIssued,
    DocumentIssueFailed,
    DocumentNumbered,
)
from domain.documents.order import OrderPaid, OrderPersonalDataErased
from domain.documents.receipt_content import receipt_names, receipt_search_text
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row

DOCUMENT_TABLE = Table(
    "document_v3",
    METADATA,
    Column("document_id", Text, primary_key=True),
    Column("document_key", Text, nullable=False),
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
Index("document_v3_newest", DOCUMENT_TABLE.c.drafted_position)
Index("document_v3_key", DOCUMENT_TABLE.c.document_key, unique=True)
Index("document_v3_order", DOCUMENT_TABLE.c.order_id, DOCUMENT_TABLE.c.drafted_position)
Index("document_v3_buyer", DOCUMENT_TABLE.c.buyer_id, DOCUMENT_TABLE.c.drafted_position)
Index("document_v3_seller", DOCUMENT_TABLE.c.seller_id, DOCUMENT_TABLE.c.drafted_position)
Index("document_v3_issuer", DOCUMENT_TABLE.c.issuer_entity_id, DOCUMENT_TABLE.c.drafted_position)
Index("document_v3_type", DOCUMENT_TABLE.c.doc_type, DOCUMENT_TABLE.c.drafted_position)
Index("document_v3_country", DOCUMENT_TABLE.c.country_code, DOCUMENT_TABLE.c.drafted_position)
Index(
    "document_v3_country_type",
    DOCUMENT_TABLE.c.country_code,
    DOCUMENT_TABLE.c.doc_type,
    DOCUMENT_TABLE.c.drafted_position,
)
Index("document_v3_issue_date", DOCUMENT_TABLE.c.issue_date, DOCUMENT_TABLE.c.drafted_position)
# Nearly every document is ISSUED; the others are few enough to be listed.
Index(
    "document_v3_status",
    DOCUMENT_TABLE.c.status,
    DOCUMENT_TABLE.c.drafted_position,
    postgresql_where=DOCUMENT_TABLE.c.status != "ISSUED",
)
Index(
    "document_v3_to_issue",
    DOCUMENT_TABLE.c.retry_at,
    postgresql_where=DOCUMENT_TABLE.c.status == "DRAFT",
)
# For searches by the beginning of a number and by its end.
Index(
    "document_v3_number",
    func.lower(DOCUMENT_TABLE.c.number).label("number"),
    postgresql_ops={"number": "text_pattern_ops"},
)
Index(
    "document_v3_number_reversed",
    func.reverse(func.lower(DOCUMENT_TABLE.c.number)).label("reversed"),
    postgresql_ops={"reversed": "text_pattern_ops"},
)

ORDER_TEXT_TABLE = Table(
    "order_text_v3",
    METADATA,
    Column("order_id", Text, primary_key=True),
    # [subject, name] of the parties in `search_text`, so that erasing one can take its name out.
    Column("names", JSONB, nullable=False),
    Column("search_text", Text, nullable=False),
    # What its documents have in common with others: see `Mark`.
    Column("marks", ARRAY(Text), nullable=False),
)
JOINED_TEXT = func.translate(
    ORDER_TEXT_TABLE.c.search_text, literal_column(r"E' \n-'"), literal_column("'qqx'")
).label("joined")
"""The search text as a single word: a space is `q`, a line end `qq`, a hyphen `x`. That is what is indexed.

PostgreSQL indexes three letters in a row, but only within a word. In a single one every part of a text has
them, across its words too: words that are all frequent stand seldom in just this order.
"""
# With the marks, so that words are asked for only where they may be found.
Index(
    "order_text_v3_search",
    ORDER_TEXT_TABLE.c.marks,
    JOINED_TEXT,
    postgresql_using="gin",
    postgresql_ops={"joined": "gin_trgm_ops"},
)

ERA_POSITIONS = 500_000
"""So many positions of the ledger are an era: those of some ten thousand orders."""

_BETWEEN_WORDS = str.maketrans(" \n-", "qqx")
_NOT_SEARCHED_AS_IT_IS = re.compile(r"[^a-pr-wyz0-9 \n-]")
_HEX_IN_CAPITALS = str.maketrans("0123456789abcdef", "ABCDEFGHIJKLMNOP")


class Mark(StrEnum):
    """What a document is marked by in the text of its order."""

    ERA = "era"
    COUNTRY = "country"
    SELLER = "seller"

    def of(self, value: object) -> str:
        """The mark, as it stands in the column."""
        return f"{self} {value}"


def marks_of(position: int, country_code: str, seller_id: str) -> tuple[str, ...]:
    """The marks of a document that was drafted at this position."""
    return Mark.ERA.of(position // ERA_POSITIONS), Mark.COUNTRY.of(country_code), Mark.SELLER.of(seller_id)


def joined(words: str) -> str:
    """Searchable words as they are in `JOINED_TEXT`."""
    return words.translate(_BETWEEN_WORDS)


def plain(text: str) -> str:
    """Text without case and accents."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


def searchable(text: str) -> str:
    """Text as it is searched: case-folded, accents off, so that `ibanez` finds `Ibáñez`, all in ASCII.

    Letters and digits, spaces and hyphens stay as they are, and line ends are doubled. Any other character is
    spelled in capitals, its code between `Y` and `Z`: PostgreSQL indexes only what the database's locale
    takes for letters. So are q and x, for `JOINED_TEXT` has them between words. No text is found by how
    another is spelled.
    """
    return _NOT_SEARCHED_AS_IT_IS.sub(_spelled, plain(text)).replace("\n", "\n\n")


def _spelled(match: re.Match[str]) -> str:
    return f"Y{ord(match[0]):x}Z".translate(_HEX_IN_CAPITALS)


def _drafted(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentDrafted, event.fact)
    return {
        "document_id": event.stream.id,
        "document_key": fact.document_key,
        "document_version": fact.document_version,
        "stream_version": event.version,
        "order_id": _order_id(fact),
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


def _order_id(fact: DocumentDrafted) -> str | None:
    return fact.source_ref.id if fact.source_ref.type == "ORDER" else None


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


def _order_text(row: Row, event: RecordedEvent) -> Row | None:
    order = cast(OrderPaid, event.fact).order
    names = [list(pair) for pair in receipt_names(order)]
    lines = searchable("\n".join(receipt_search_text(order)))
    return {
        "order_id": order.order_id,
        "names": names,
        "search_text": _text_before_lines(order.order_id, names) + lines,
        "marks": row.get("marks", []),
    }


def _order_text_with_marks(row: Row, event: RecordedEvent) -> Row | None:
    """The order has the marks of all its documents."""
    if not row:
        return None
    fact, known = cast(DocumentDrafted, event.fact), row["marks"]
    marks = marks_of(event.position, fact.country_code, fact.seller_id)
    new = [mark for mark in marks if mark not in known]
    return row | {"marks": known + new} if new else row


def _order_text_without_names(row: Row, event: RecordedEvent) -> Row | None:
    """What search knows of the lines stays; the erased party's name goes."""
    erased = cast(OrderPersonalDataErased, event.fact)
    if not row or erased.retention_class != "FISCAL":
        return row or None
    names = [[subject, name] for subject, name in row["names"] if subject != erased.subject]
    lines = row["search_text"].removeprefix(_text_before_lines(row["order_id"], row["names"]))
    return row | {"names": names, "search_text": _text_before_lines(row["order_id"], names) + lines}


def _text_before_lines(order_id: str, names: list[list[str]]) -> str:
    return searchable("".join(f"{text}\n" for text in (order_id, *(name for _, name in names))))


_fold_order_text = fold_by_name(
    {
        "order.paid-in-escrow": _order_text,
        "order.personal-data-erased": _order_text_without_names,
        "document.drafted": _order_text_with_marks,
    }
)


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
    """The order that was told of, or of which a document was drafted."""
    if event.name == "document.drafted":
        order_id = _order_id(cast(DocumentDrafted, event.fact))
        return None if order_id is None else (order_id,)
    return (event.stream.id,) if event.stream.type == "order" else None


DOCUMENTS = Projection(
    name="documents",
    event_names=frozenset(
        {
            "document.drafted",
            "document.numbered",
            "document.issued",
            "document.issue-failed",
            "order.paid-in-escrow",
            "order.personal-data-erased",
        }
    ),
    row_folds=(
        one_row(DOCUMENT_TABLE, _document_key, fold_document),
        one_row(ORDER_TEXT_TABLE, _order_key, _fold_order_text),
    ),
    version=3,
)


def _documents_with(column: Column[str]) -> Select[Any]:
    return select(DOCUMENT_TABLE).where(column == bindparam("wanted", type_=Text))


_BY_ID = _documents_with(DOCUMENT_TABLE.c.document_id)
_BY_KEY = _documents_with(DOCUMENT_TABLE.c.document_key)
_SETTLED = select(
    DOCUMENT_TABLE.c.document_id,
    DOCUMENT_TABLE.c.status,
    DOCUMENT_TABLE.c.failure.is_not(None).label("parked"),
).where(
    DOCUMENT_TABLE.c.document_id == func.any(bindparam("wanted", type_=ARRAY(Text))),
    or_(DOCUMENT_TABLE.c.status != "DRAFT", DOCUMENT_TABLE.c.failure.is_not(None)),
)
_IDS_OF_ORDER = _documents_with(DOCUMENT_TABLE.c.order_id).with_only_columns(DOCUMENT_TABLE.c.document_id)


def select_document(document_id: str) -> Query:
    """One document, whoever may see it."""
    return Query(_BY_ID, {"wanted": document_id}, together=True)


def select_document_by_key(document_key: str) -> Query:
    """The document with that key."""
    return Query(_BY_KEY, {"wanted": document_key}, together=True)


def select_settled_documents(document_ids: list[str]) -> Query:
    """Id, status and `parked` of those of the documents that are issued or parked, in no order."""
    return Query(_SETTLED, {"wanted": document_ids})


def select_document_ids_of_order(order_id: str) -> Query:
    """The ids of an order's documents."""
    return Query(_IDS_OF_ORDER, {"wanted": order_id})


@dataclass(frozen=True)
class Shard:
    """One of `count` equal parts of the documents, `index` from 0."""

    index: int
    count: int


EVERYTHING = Shard(0, 1)

_TO_ISSUE = (
    select(DOCUMENT_TABLE.c.document_id)
    .where(
        DOCUMENT_TABLE.c.status == "DRAFT",
        DOCUMENT_TABLE.c.retry_at <= bindparam("now", type_=DateTime(timezone=True)),
        func.abs(func.hashtext(DOCUMENT_TABLE.c.document_id) % bindparam("shards", type_=Integer))
        == bindparam("shard", type_=Integer),
    )
    .order_by(DOCUMENT_TABLE.c.retry_at)
    .limit(bindparam("limit", type_=Integer))
)


def select_documents_to_issue(shard: Shard, now: datetime, limit: int) -> Query:
    """A shard's numbered drafts whose time has come, the longest due first, `limit` of them."""
    return Query(_TO_ISSUE, {"shards": shard.count, "shard": shard.index, "now": now, "limit": limit})
