"""What workers have to finish, from the Document Center's rows: what is to be stamped, what to be drawn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, Integer, Select, and_, bindparam, exists, false, func, not_, or_, select
from sqlalchemy.sql.elements import ColumnElement

from domain.fiscal.registry import StampedType, stamped_types
from projections.documents import DOCUMENT_TABLE, PROFILE_SET_TABLE
from projections.projection import Query

_document = DOCUMENT_TABLE.c


@dataclass(frozen=True)
class Shard:
    """One of `count` equal parts of the documents, `index` from 0."""

    index: int
    count: int


EVERYTHING = Shard(0, 1)


def _of(stamped: StampedType) -> ColumnElement[bool]:
    return and_(
        _document.country_code == stamped.country_code,
        _document.driver == stamped.driver,
        _document.doc_type == stamped.doc_type,
    )


def _waits_for_a_stamp(authority: str | None = None) -> ColumnElement[bool]:
    """Whether a draft wants a stamp, of that authority or of any, and has none: as `stamping_of` says."""
    of_authority = (_of(each) for each in stamped_types() if authority in (None, each.authority))
    return and_(_document.stamp.is_(None), or_(false(), *of_authority))


def _due(condition: ColumnElement[bool]) -> Select[Any]:
    return (
        select(_document.document_id)
        .where(
            _document.status == "DRAFT",
            _document.retry_at <= bindparam("now", type_=DateTime(timezone=True)),
            func.abs(func.hashtext(_document.document_id) % bindparam("shards", type_=Integer))
            == bindparam("shard", type_=Integer),
            condition,
        )
        .order_by(_document.retry_at)
        .limit(bindparam("limit", type_=Integer))
    )


_TO_ISSUE = _due(not_(_waits_for_a_stamp()))
_TO_STAMP = {each.authority: _due(_waits_for_a_stamp(each.authority)) for each in stamped_types()}


def select_documents_to_issue(shard: Shard, now: datetime, limit: int) -> Query:
    """A shard's numbered drafts that may be drawn now, the longest due first, `limit` of them."""
    return Query(_TO_ISSUE, _parameters(shard, now, limit))


def select_documents_to_stamp(shard: Shard, authority: str, now: datetime, limit: int) -> Query:
    """A shard's numbered drafts that may be sent to an authority now, the longest due first."""
    return Query(_TO_STAMP[authority], _parameters(shard, now, limit))


def _parameters(shard: Shard, now: datetime, limit: int) -> dict[str, Any]:
    return {"shards": shard.count, "shard": shard.index, "now": now, "limit": limit}


_TO_RESUME = (
    select(DOCUMENT_TABLE.c.document_id)
    .where(
        DOCUMENT_TABLE.c.blocked_by.is_not(None),
        exists().where(
            PROFILE_SET_TABLE.c.profile_id == func.any(DOCUMENT_TABLE.c.blocked_by),
            PROFILE_SET_TABLE.c.position > DOCUMENT_TABLE.c.blocked_position,
        ),
    )
    .order_by(DOCUMENT_TABLE.c.drafted_position)
    .limit(bindparam("limit", type_=Integer))
)


def select_documents_to_resume(limit: int) -> Query:
    """Drafts that a profile blocked which was set since, the oldest first, `limit` of them."""
    return Query(_TO_RESUME, {"limit": limit})
