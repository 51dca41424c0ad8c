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
    Subquery,
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
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import ColumnElement

from domain.documents.visibility import DocumentScope
from projections.documents import DOCUMENT_TABLE, ORDER_TEXT_TABLE, searchable
from projections.projection import Query

LOOKED_THROUGH = 3_000
"""So many documents are looked through for words, the newest first, before the index of words is asked."""

_document = DOCUMENT_TABLE.c

_EQUALS = {
    "orderId": _document.order_id,
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
    for name, margin_days in (("issuedFrom", -1), ("issuedTo", 1)):
        if filters.get(name) is not None:
            parameters |= _bound_parameters(name, filters[name], margin_days)
    if filters.get("q"):
        parameters |= _word_parameters(str(filters["q"]).strip())
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
    found = _found_by_words(where, names)
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
        ways.append(_document.buyer_id == bindparam("scope_buyer", type_=Text))
    if "scope_seller" in names:
        ways.append(_document.seller_id == bindparam("scope_seller", type_=Text))
    ways += among("scope_by_country")
    conditions = [or_(*ways), *among("scope_countries")]
    if not drafts:
        conditions.append(_document.status != "DRAFT")
    return and_(*conditions)


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


def _word_parameters(q: str) -> dict[str, str]:
    words = searchable(q)
    return {
        "contains": f"%{_literally(words)}%",
        "number_begins": f"{_literally(words)}%",
        "number_ends_reversed": f"{_literally(words[::-1])}%",
        "is_order": q,
    }


def _literally(text: str) -> str:
    """The text as a part of a LIKE pattern."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _found_by_words(where: ColumnElement[bool], names: frozenset[str]) -> Subquery:
    """Positions of documents with the words in order id, parties or lines, or at an end of their number.

    Words that many documents hold are found among the newest at once; the indexes would give all of them.
    Only where that leaves the page unfilled, and there are older ones, the indexes are asked.
    """
    newest = _newest(where, names)
    order_text = ORDER_TEXT_TABLE.c
    contains = bindparam("contains", type_=Text)
    # A probe for each, for the planner would rather walk through the texts of all orders.
    text_of = select(order_text.search_text).where(order_text.order_id == newest.c.order_id).scalar_subquery()
    is_order = bindparam("is_order", type_=Text)
    seen = (
        select(newest.c.drafted_position)
        .where(or_(text_of.like(contains), _number_like(newest.c.number), newest.c.order_id == is_order))
        .order_by(newest.c.drafted_position.desc())
        .limit(_LIMIT)
        .cte("seen")
    )
    is_unfilled = and_(
        select(func.count()).select_from(seen).scalar_subquery() < _LIMIT,
        select(func.count()).select_from(newest).scalar_subquery() == LOOKED_THROUGH,
    )
    documents = select(_document.drafted_position).where(where, is_unfilled)
    # Here and above an offset keeps the planner from walking through all documents instead.
    of_order = documents.where(_document.order_id == order_text.order_id).offset(0).lateral("of_order")
    return union(
        select(seen.c.drafted_position),
        select(of_order.c.drafted_position)
        .select_from(ORDER_TEXT_TABLE.join(of_order, true()))
        .where(order_text.search_text.like(contains), is_unfilled),
        documents.where(_number_like(_document.number)),
        documents.where(_document.order_id == is_order),
    ).subquery("found")


def _number_like(number: ColumnElement[str]) -> ColumnElement[bool]:
    """Numbers that begin with the words or end with them, each by an index of its own."""
    return or_(
        func.lower(number).like(bindparam("number_begins", type_=Text)),
        func.reverse(func.lower(number)).like(bindparam("number_ends_reversed", type_=Text)),
    )


def _newest(where: ColumnElement[bool], names: frozenset[str]) -> CTE:
    """The newest documents; of several countries by walking down the index of each."""
    columns = (_document.drafted_position, _document.order_id, _document.number)
    newest = select(*columns).where(where).order_by(_document.drafted_position.desc()).limit(LOOKED_THROUGH)
    countries = _only_countries(names)
    if countries is None:
        return newest.cte("newest")
    listed = func.unnest(bindparam(countries, type_=ARRAY(Text))).table_valued("code", name="countries")
    country = listed.render_derived()
    each = newest.where(_document.country_code == country.c.code).lateral("each")
    return (
        select(each)
        .select_from(country.join(each, true()))
        .order_by(each.c.drafted_position.desc())
        .limit(LOOKED_THROUGH)
        .cte("newest")
    )


def _only_countries(names: frozenset[str]) -> str | None:
    """The parameter of several countries outside of which nothing is in scope, if there is one."""
    if "scope_countries" in names:
        return "scope_countries"
    others = {"scope_buyer", "scope_seller"}
    return "scope_by_country" if "scope_by_country" in names and not names & others else None
