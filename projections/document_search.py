"""How the Document Center is searched: scopes, filters, dates and words, fast at a million documents.

Lists show the newest draft first, and every index that serves them ends with that position, so that a page is
read straight off an index. Dates and words need more; both are told below.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    Date,
    DateTime,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    false,
    func,
    or_,
    select,
    text,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from domain.documents.document_facts import Audience
from domain.documents.order_state import ORDER
from domain.documents.visibility import BUYERS_AUDIENCES, OTHERS_AUDIENCES, DocumentScope
from projections.documents import DOCUMENT_TABLE
from projections.projection import Query
from projections.source_text import source_stream
from projections.word_search import found_by_words, word_parameters

_document = DOCUMENT_TABLE.c

_EQUALS = {
    "orderId": _document.source_stream,
    "docType": _document.doc_type,
    "status": _document.status,
    "countryCode": _document.country_code,
    "issuerEntityId": _document.issuer_entity_id,
    "buyerId": _document.buyer_id,
    "sellerId": _document.seller_id,
}

_LIMIT = bindparam("limit", type_=Integer)


def select_documents(
    scope: DocumentScope, filters: Mapping[str, Any], before_position: int | None, limit: int
) -> Query:
    """Documents in scope, newest first, below a cursor's position.

    `filters` by query parameter: those of `_EQUALS`, `issuedFrom` and `issuedTo` (times or dates,
    inclusive), `q`. What is None does not filter.
    """
    parameters = _scope_parameters(scope)
    parameters |= {name: filters[name] for name in _EQUALS if filters.get(name) is not None}
    if "orderId" in parameters:
        parameters["orderId"] = source_stream(ORDER.stream(parameters["orderId"]))
    for name, margin_days in (("issuedFrom", -1), ("issuedTo", 1)):
        if filters.get(name) is not None:
            parameters |= _bound_parameters(name, filters[name], margin_days)
    if filters.get("q"):
        parameters |= word_parameters(str(filters["q"]).strip(), parameters)
    if before_position is not None:
        parameters["before_position"] = before_position
    statement = _list(scope.every, scope.drafts, frozenset(parameters))
    return Query(statement, {**parameters, "limit": limit}, one_plan=False)


@lru_cache(maxsize=256)
def _list(every: bool, drafts: bool, names: frozenset[str]) -> Select[Any]:
    """The statement for the parameters of these names."""
    conditions = [in_scope(every, drafts, names)]
    conditions += [column == bindparam(name, type_=Text) for name, column in _EQUALS.items() if name in names]
    conditions += _issued_within(names)
    if "before_position" in names:
        below = bindparam("before_position", type_=BigInteger)
        conditions.append(_document.drafted_position < below)
    where = and_(*conditions)
    newest_first = _document.drafted_position.desc()
    if "contains" not in names:
        return select(DOCUMENT_TABLE).where(where).order_by(newest_first).limit(_LIMIT)
    found = found_by_words(where, names, _LIMIT)
    newest = found.c.drafted_position.desc()
    page = select(found.c.drafted_position).order_by(newest).limit(_LIMIT).subquery("page")
    at_position = _document.drafted_position == page.c.drafted_position
    row = select(DOCUMENT_TABLE).where(at_position).offset(0).lateral("row")
    return select(row).select_from(page.join(row, true())).order_by(row.c.drafted_position.desc())


def _scope_parameters(scope: DocumentScope) -> dict[str, Any]:
    """What narrows the scope; where every document is in it, no other way leads to more."""
    parameters: dict[str, Any] = {}
    if not scope.every:
        if scope.buyer_id is not None:
            parameters["scope_buyer"] = scope.buyer_id
        if scope.seller_id is not None:
            parameters["scope_seller"] = scope.seller_id
        if scope.by_country:
            parameters |= _countries("scope_by_country", scope.by_country)
    if scope.countries is not None:
        parameters |= _countries("scope_countries", scope.countries)
    return parameters


def _countries(name: str, countries: frozenset[str]) -> dict[str, Any]:
    """A single country has a name of its own: its documents are read off an index, newest first."""
    if len(countries) == 1:
        return {f"{name}_only": next(iter(countries))}
    return {name: sorted(countries)}


def in_scope(every: bool, drafts: bool, names: frozenset[str]) -> ColumnElement[bool]:
    """The condition for documents that a caller may know of (the same rule as `DocumentScope.shows`)."""

    def among(name: str) -> list[ColumnElement[bool]]:
        if f"{name}_only" in names:
            return [_document.country_code == bindparam(f"{name}_only", type_=Text)]
        if name in names:
            return [_document.country_code == func.any(bindparam(name, type_=ARRAY(Text)))]
        return []

    ways: list[ColumnElement[bool]] = [true() if every else false()]
    if "scope_buyer" in names:
        bought = _document.buyer_id == bindparam("scope_buyer", type_=Text)
        ways.append(and_(bought, _made_for(BUYERS_AUDIENCES)))
    others = _made_for(OTHERS_AUDIENCES)
    if "scope_seller" in names:
        ways.append(and_(_document.seller_id == bindparam("scope_seller", type_=Text), others))
    ways += (and_(in_country, others) for in_country in among("scope_by_country"))
    conditions = [or_(*ways), *among("scope_countries")]
    if not drafts:
        conditions.append(_document.issued.is_not(None))
    return and_(*conditions)


def _made_for(audiences: frozenset[Audience]) -> ColumnElement[bool]:
    return or_(*(_document.audience == audience for audience in sorted(audiences)))


def _bound_parameters(name: str, bound: datetime | date, margin_days: int) -> dict[str, Any]:
    """Times bound the issue time, dates the issue date in the issuer's calendar.

    The issue dates of a time are at most a day off, wherever the issuer is.
    """
    if not isinstance(bound, datetime):
        return {f"{name}_date": bound, f"{name}_day": bound}
    try:
        day = bound.astimezone(UTC).date() + timedelta(days=margin_days)
    except OverflowError:
        day = date.min if margin_days < 0 else date.max
    return {f"{name}_time": bound, f"{name}_day": day}


def _issued_within(names: frozenset[str]) -> list[ColumnElement[bool]]:
    """Conditions on issue time or date, and on the positions between which such documents were drafted.

    Documents are issued nearly, but not exactly, in the order in which they were drafted. For each day the
    index gives its first and last position at once; between the outermost of them the list is read as usual.
    """
    conditions: list[ColumnElement[bool]] = []
    for name, is_lower in (("issuedFrom", True), ("issuedTo", False)):
        if f"{name}_time" in names:
            moment = bindparam(f"{name}_time", type_=DateTime(timezone=True))
            conditions.append(_document.issued_at >= moment if is_lower else _document.issued_at <= moment)
        if f"{name}_date" in names:
            # A difference, for the planner would walk through the index of a plain comparison day by day.
            days = func.date_mi(_document.issue_date, bindparam(f"{name}_date", type_=Date))
            conditions.append(days >= 0 if is_lower else days <= 0)
        if f"{name}_day" in names:
            outermost = _outermost_position(names, is_lower)
            position = select(outermost.c.position).scalar_subquery()
            conditions.append(
                _document.drafted_position >= position if is_lower else _document.drafted_position <= position
            )
    return conditions


def _outermost_position(names: frozenset[str], is_lower: bool) -> CTE:
    """The first or last position at which a document of these days was drafted, by one probe a day."""
    first = select(func.min(_document.issue_date)).scalar_subquery()
    last = select(func.max(_document.issue_date)).scalar_subquery()
    days = (
        func.generate_series(
            cast(func.greatest(bindparam("issuedFrom_day", type_=Date), first), DateTime)
            if "issuedFrom_day" in names
            else cast(first, DateTime),
            cast(func.least(bindparam("issuedTo_day", type_=Date), last), DateTime)
            if "issuedTo_day" in names
            else cast(last, DateTime),
            text("interval '1 day'"),
        )
        .table_valued("day", name="days")
        .render_derived()
    )
    probed = DOCUMENT_TABLE.alias("probed")
    order = probed.c.drafted_position if is_lower else probed.c.drafted_position.desc()
    of_day = (
        select(probed.c.drafted_position)
        .where(probed.c.issue_date == cast(days.c.day, Date))
        .order_by(order)
        .limit(1)
        .lateral("of_day")
    )
    outermost = func.min if is_lower else func.max
    return (
        select(outermost(of_day.c.drafted_position).label("position"))
        .select_from(days.join(of_day, true()))
        .cte("first_position" if is_lower else "last_position")
    )
