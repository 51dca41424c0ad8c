"""The Document Center: one row a document, and the text of its source for `q` (S3 §6.2, contract §6)."""

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
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from domain.documents.document_facts import (
    DocumentDrafted,
    DocumentIssued,
    DocumentIssueFailed,
    DocumentLinked,
    DocumentNumbered,
    DocumentReplaced,
    DocumentRetryAsked,
    DocumentStamped,
)
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row
from projections.source_text import (
    SOURCE_FOLDS,
    SOURCE_TEXT_TABLE,
    fold_source_text,
    source_key,
    source_stream,
)

DOCUMENT_TABLE = Table(
    "document_v6",
    METADATA,
    Column("document_id", Text, primary_key=True),
    Column("document_key", Text, nullable=False),
    Column("document_version", Integer, nullable=False),
    Column("stream_version", Integer, nullable=False),
    # What it is about, for its readers; and the history that its content is made of.
    Column("source_type", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("source_stream", Text, nullable=False),
    Column("doc_type", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("country_code", Text, nullable=False),
    Column("issuer_entity_id", Text, nullable=False),
    Column("buyer_id", Text, nullable=False),
    Column("seller_id", Text, nullable=False),
    Column("audience", Text, nullable=False),
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
    Column("chain", JSONB),
    Column("stamp", JSONB),
    Column("issued", JSONB),
    Column("retry_at", DateTime(timezone=True)),
    Column("failure", JSONB),
    # The fiscal profiles without which it has no number, and when that was found out.
    Column("blocked_by", ARRAY(Text)),
    Column("blocked_position", BigInteger),
    Column("linked_documents", JSONB, nullable=False),
    Column("replaces_document_id", Text),
    Column("replaced_by_document_id", Text),
    Column("drafted_position", BigInteger, nullable=False),
)
Index("document_v6_newest", DOCUMENT_TABLE.c.drafted_position)
Index("document_v6_key", DOCUMENT_TABLE.c.document_key, unique=True)
Index("document_v6_source", DOCUMENT_TABLE.c.source_stream, DOCUMENT_TABLE.c.drafted_position)
Index("document_v6_buyer", DOCUMENT_TABLE.c.buyer_id, DOCUMENT_TABLE.c.drafted_position)
Index("document_v6_seller", DOCUMENT_TABLE.c.seller_id, DOCUMENT_TABLE.c.drafted_position)
Index("document_v6_issuer", DOCUMENT_TABLE.c.issuer_entity_id, DOCUMENT_TABLE.c.drafted_position)
Index("document_v6_type", DOCUMENT_TABLE.c.doc_type, DOCUMENT_TABLE.c.drafted_position)
Index("document_v6_country", DOCUMENT_TABLE.c.country_code, DOCUMENT_TABLE.c.drafted_position)
Index(
    "document_v6_country_type",
    DOCUMENT_TABLE.c.country_code,
    DOCUMENT_TABLE.c.doc_type,
    DOCUMENT_TABLE.c.drafted_position,
)
Index("document_v6_issue_date", DOCUMENT_TABLE.c.issue_date, DOCUMENT_TABLE.c.drafted_position)
# Nearly every document is ISSUED; the others are few enough to be listed.
Index(
    "document_v6_status",
    DOCUMENT_TABLE.c.status,
    DOCUMENT_TABLE.c.drafted_position,
    postgresql_where=DOCUMENT_TABLE.c.status != "ISSUED",
)
Index(
    "document_v6_to_issue",
    DOCUMENT_TABLE.c.retry_at,
    postgresql_where=DOCUMENT_TABLE.c.status == "DRAFT",
)
Index(
    "document_v6_blocked",
    DOCUMENT_TABLE.c.drafted_position,
    postgresql_where=DOCUMENT_TABLE.c.blocked_by.is_not(None),
)
# For searches by the beginning of a number and by its end.
Index(
    "document_v6_number",
    func.lower(DOCUMENT_TABLE.c.number).label("number"),
    postgresql_ops={"number": "text_pattern_ops"},
)
Index(
    "document_v6_number_reversed",
    func.reverse(func.lower(DOCUMENT_TABLE.c.number)).label("reversed"),
    postgresql_ops={"reversed": "text_pattern_ops"},
)


def _drafted(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentDrafted, event.fact)
    return {
        "document_id": event.stream.id,
        "document_key": fact.document_key,
        "document_version": fact.document_version,
        "stream_version": event.version,
        "source_type": fact.source_ref.type,
        "source_id": fact.source_ref.id,
        "source_stream": source_stream(fact.content_ref.stream),
        "doc_type": fact.doc_type,
        "status": "DRAFT",
        "country_code": fact.country_code,
        "issuer_entity_id": fact.issuer_entity_id,
        "buyer_id": fact.buyer_id,
        "seller_id": fact.seller_id,
        "audience": fact.audience,
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
        "chain": None,
        "stamp": None,
        "issued": None,
        "retry_at": None,
        "failure": None,
        "blocked_by": None,
        "blocked_position": None,
        "linked_documents": [link.model_dump(mode="json", by_alias=True) for link in fact.linked_documents],
        "replaces_document_id": fact.replaces_document_id,
        "replaced_by_document_id": None,
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
        "chain": fact.chain.model_dump(mode="json", by_alias=True, exclude_none=True) if fact.chain else None,
        "retry_at": fact.issued_at,
        "failure": None,
        "blocked_by": None,
        "blocked_position": None,
    }


def _stamped(row: Row, event: RecordedEvent) -> Row:
    stamp = cast(DocumentStamped, event.fact).stamp
    return row | {
        "stream_version": event.version,
        "stamp": stamp.model_dump(mode="json", by_alias=True, exclude_none=True),
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
        "failure": fact.model_dump(mode="json", by_alias=True, exclude_none=True),
        "blocked_by": [each.profile_id for each in fact.missing_profiles] or None,
        "blocked_position": event.position if fact.missing_profiles else None,
    }


def _retry_asked(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentRetryAsked, event.fact)
    return row | {"stream_version": event.version, "retry_at": fact.retry_at}


def _voided(row: Row, event: RecordedEvent) -> Row:
    return row | {
        "stream_version": event.version,
        "status": "VOIDED",
        "retry_at": None,
        "failure": None,
        "blocked_by": None,
        "blocked_position": None,
    }


def _replaced(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentReplaced, event.fact)
    return row | {
        "stream_version": event.version,
        "status": "REPLACED",
        "replaced_by_document_id": fact.replaced_by_document_id,
    }


def _linked(row: Row, event: RecordedEvent) -> Row:
    fact = cast(DocumentLinked, event.fact)
    link = fact.linked_document.model_dump(mode="json", by_alias=True)
    return row | {
        "stream_version": event.version,
        "linked_documents": [*row["linked_documents"], link],
    }


_DOCUMENT_FOLDS = {
    "document.drafted": _drafted,
    "document.numbered": _numbered,
    "document.stamped": _stamped,
    "document.issued": _issued,
    "document.issue-failed": _issue_failed,
    "document.retry-asked": _retry_asked,
    "document.linked": _linked,
    "document.voided": _voided,
    "document.replaced": _replaced,
}
fold_document = fold_by_name(_DOCUMENT_FOLDS)


def _document_key(event: RecordedEvent) -> Key | None:
    return (event.stream.id,) if event.stream.type == "document" else None


PROFILE_SET_TABLE = Table(
    "profile_set_v6",
    METADATA,
    Column("profile_id", Text, primary_key=True),
    # Where it was set last.
    Column("position", BigInteger, nullable=False),
)
_PROFILE_SET = "fiscal-profile.configured"


def _profile_key(event: RecordedEvent) -> Key | None:
    return (event.stream.id,) if event.name == _PROFILE_SET else None


def _profile_set(_: Row | None, event: RecordedEvent) -> Row:
    return {"profile_id": event.stream.id, "position": event.position}


DOCUMENTS = Projection(
    name="documents",
    event_names=frozenset({*_DOCUMENT_FOLDS, *SOURCE_FOLDS, _PROFILE_SET}),
    row_folds=(
        one_row(DOCUMENT_TABLE, _document_key, fold_document),
        one_row(SOURCE_TEXT_TABLE, source_key, fold_source_text),
        one_row(PROFILE_SET_TABLE, _profile_key, _profile_set),
    ),
    version=6,
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
_IDS_OF_SOURCE = _documents_with(DOCUMENT_TABLE.c.source_stream).with_only_columns(
    DOCUMENT_TABLE.c.document_id
)


def select_document(document_id: str) -> Query:
    """One document, whoever may see it."""
    return Query(_BY_ID, {"wanted": document_id}, together=True)


def select_document_by_key(document_key: str) -> Query:
    """The document with that key."""
    return Query(_BY_KEY, {"wanted": document_key}, together=True)


def select_settled_documents(document_ids: list[str]) -> Query:
    """Id, status and `parked` of those of the documents that are issued or parked, in no order."""
    return Query(_SETTLED, {"wanted": document_ids})


def select_document_ids_of_source(source: StreamId) -> Query:
    """The ids of the documents that are made of a history."""
    return Query(_IDS_OF_SOURCE, {"wanted": source_stream(source)})
