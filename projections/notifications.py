"""In-app notifications: what readers are told of their documents, newest first (S3 §8.3).

A row is made with its draft and shown once the document is issued, unless it is a receipt that nobody wanted:
nothing of that goes anywhere by itself (BILL-DEC-011, B7). It holds no personal data; its words are made
when it is read.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
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
from sqlalchemy.dialects.postgresql import ARRAY

from domain.documents.delivery import DocumentResent, first_delivery_id
from domain.documents.document_facts import DocumentDrafted, DocumentNumbered
from domain.documents.notices import notice_of
from domain.kernel.recorded import RecordedEvent
from domain.receivables.receipt_facts import ReceiptGenerated
from projections.projection import METADATA, Key, Projection, Query, Row, fold_by_name, one_row

NOTIFICATION_TABLE = Table(
    "notification_v2",
    METADATA,
    Column("notification_id", Text, primary_key=True),
    Column("document_id", Text, nullable=False),
    # Nobody wanted the receipt: that is all that is known of it here, and nobody is ever told of it.
    Column("suppressed", Boolean, nullable=False),
    Column("doc_type", Text),
    Column("number", Text),
    Column("owner_type", Text),
    Column("owner_id", Text),
    Column("country_code", Text),
    Column("language", Text),
    # Null until the document is issued.
    Column("created_at", DateTime(timezone=True)),
    Column("position", BigInteger),
)
_notification = NOTIFICATION_TABLE.c
Index("notification_v2_newest", _notification.position)
Index("notification_v2_owner", _notification.owner_type, _notification.owner_id, _notification.position)


def _receipt_generated(row: Row, event: RecordedEvent) -> Row | None:
    fact = cast(ReceiptGenerated, event.fact)
    if not fact.delivery_suppressed:
        return row or None
    unknown = ("doc_type", "number", "owner_type", "owner_id", "country_code", "language")
    return {
        "notification_id": first_delivery_id(fact.document_id),
        "document_id": fact.document_id,
        "suppressed": True,
        **dict.fromkeys((*unknown, "created_at", "position")),
    }


def _drafted(row: Row, event: RecordedEvent) -> Row | None:
    if row:
        return row
    notice = notice_of(cast(DocumentDrafted, event.fact), "")
    if notice is None:
        return None
    return {
        "notification_id": first_delivery_id(event.stream.id),
        "document_id": event.stream.id,
        "suppressed": False,
        **dict(notice),
        "created_at": None,
        "position": None,
    }


def _numbered(row: Row, event: RecordedEvent) -> Row | None:
    if not row or row["suppressed"]:
        return row or None
    return row | {"number": cast(DocumentNumbered, event.fact).number}


def _issued(row: Row, event: RecordedEvent) -> Row | None:
    if not row or row["suppressed"]:
        return row or None
    return row | {"created_at": event.recorded_at, "position": event.position}


def _resent(row: Row, event: RecordedEvent) -> Row | None:
    fact = cast(DocumentResent, event.fact)
    if fact.channel != "IN_APP":
        return row or None
    return {
        "notification_id": fact.delivery_id,
        "document_id": fact.document_id,
        "suppressed": False,
        **dict(fact.notice),
        "created_at": event.recorded_at,
        "position": event.position,
    }


_FOLDS = {
    "receipt.generated": _receipt_generated,
    "document.drafted": _drafted,
    "document.numbered": _numbered,
    "document.issued": _issued,
    "document-access.resent": _resent,
}


def _key(event: RecordedEvent) -> Key:
    if isinstance(event.fact, DocumentResent):
        return (event.fact.delivery_id,)
    if isinstance(event.fact, ReceiptGenerated):
        return (first_delivery_id(event.fact.document_id),)
    return (first_delivery_id(event.stream.id),)


NOTIFICATIONS = Projection(
    name="notifications",
    event_names=frozenset(_FOLDS),
    row_folds=(one_row(NOTIFICATION_TABLE, _key, fold_by_name(_FOLDS)),),
    version=2,
)


def select_notifications(
    owners: Mapping[str, str] | None, countries: frozenset[str] | None, before: int | None, limit: int
) -> Query:
    """Notifications, newest first, below a cursor's position.

    `owners` are ids by type (BUYER, SELLER), None for everybody's; `countries` narrow where they are given.
    """
    parameters: dict[str, Any] = {f"own_{kind}": name for kind, name in (owners or {}).items()}
    if countries is not None:
        parameters["countries"] = sorted(countries)
    if before is not None:
        parameters["before"] = before
    statement = _list(owners is None, frozenset(parameters))
    return Query(statement, {**parameters, "limit": limit}, one_plan=False)


@lru_cache(maxsize=32)
def _list(everybodys: bool, names: frozenset[str]) -> Select[Any]:
    """The statement for the parameters of these names."""
    owned = [
        and_(_notification.owner_type == kind, _notification.owner_id == bindparam(f"own_{kind}", type_=Text))
        for kind in ("BUYER", "SELLER")
        if f"own_{kind}" in names
    ]
    conditions = [_notification.position.is_not(None), or_(true() if everybodys else false(), *owned)]
    if "countries" in names:
        countries = bindparam("countries", type_=ARRAY(Text))
        conditions.append(_notification.country_code == func.any(countries))
    if "before" in names:
        conditions.append(_notification.position < bindparam("before", type_=BigInteger))
    limit = bindparam("limit", type_=Integer)
    newest = _notification.position.desc()
    return select(NOTIFICATION_TABLE).where(and_(*conditions)).order_by(newest).limit(limit)
