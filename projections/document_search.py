"""How the Document Center is searched: scopes, filters, dates and words, fast at a million documents.

Lists show the newest draft first, and every index that serves them ends with that position, so that a page is
read straight off an index. Dates and words need more; both are told below.
"""

import re
import string
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
    ScalarSelect,
    Select,
    Subquery,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    false,
    func,
    literal,
    or_,
    select,
    text,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.sql.elements import ColumnElement

from domain.documents.visibility import DocumentScope
from projections.documents import (
    DOCUMENT_TABLE,
    ERA_POSITIONS,
    JOINED_TEXT,
    ORDER_TEXT_TABLE,
    Mark,
    joined,
    plain,
    searchable,
)
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

_WAYS = {"scope_buyer", "scope_seller", "scope_by_country", "scope_by_country_only"}
"""Parameters of a scope's ways. A document that is in it need not be so by each."""

_MARKS = {
    "sellerId": Mark.SELLER,
    "scope_seller": Mark.SELLER,
    "countryCode": Mark.COUNTRY,
    "scope_by_country": Mark.COUNTRY,
    "scope_by_country_only": Mark.COUNTRY,
    "scope_countries": Mark.COUNTRY,
    "scope_countries_only": Mark.COUNTRY,
}
"""Parameters of whose values there are marks."""

_TOLD_BY_THEIR_ENDS = (
    (re.compile("^[^qx]+(?=[^qx]{4}[qx])"), ""),
    (re.compile("(?<=[qx])([^qx]{2})[^qx]+(?=[^qx][qx])"), r"\1%"),
    (re.compile("(?<=[qx])([^qx]{4})[^qx%]+$"), r"\1"),
)
"""What is left of the first of several joined words, of those amidst, and of the last one."""

_JOINED_CHARACTERS = string.ascii_lowercase + string.digits + "Z"
"""Every character of joined text that another word can follow: what is spelled ends with `Z`."""

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
        parameters |= _mark_parameters(parameters)
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


def _word_parameters(q: str) -> dict[str, Any]:
    words, number = searchable(q), _literally(plain(q))
    return {
        "contains": f"%{words}%",
        "contains_joined": _indexed(joined(words)),
        "number_begins": f"{number}%",
        "number_ends_reversed": f"{_literally(plain(q)[::-1])}%",
        "is_order": q,
    }


def _mark_parameters(parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Marks of which an order's text has one if the scope and the filters let a document of it through."""
    ways = _WAYS & parameters.keys()
    unsure = ways if len(ways) > 1 else set()
    marks: dict[str, list[str]] = {}
    for name in _MARKS.keys() & parameters.keys() - unsure:
        wanted = parameters[name]
        values = [wanted] if isinstance(wanted, str) else wanted
        marks[f"{name}_marks"] = [_MARKS[name].of(value) for value in values]
    return marks


def _indexed(words: str) -> list[str]:
    """Patterns of which joined text that holds these joined words has one.

    The index knows three letters in a row, and the first ones of a text. Every three that are asked for cost
    time, even if they say no more: where there are several words, those around their ends say most.
    """
    if len(words) == 2:
        return [f"{words}%", *(f"%{character}{words}%" for character in _JOINED_CHARACTERS)]
    for part, kept in _TOLD_BY_THEIR_ENDS:
        words = part.sub(kept, words)
    return [f"%{words}%"]


def _literally(text: str) -> str:
    """The text as a part of a LIKE pattern."""
    return text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")


def _found_by_words(where: ColumnElement[bool], names: frozenset[str]) -> Subquery:
    """Positions of documents with the words in order id, parties or lines, or at an end of their number.

    Words that many documents hold are found among the newest at once; the index would give all of them.
    Only where that leaves the page unfilled, and there are older ones, the index is asked: for those of the
    last eras first, and for all where they do not fill the page either.
    """
    newest = _newest(where, names)
    order_text = ORDER_TEXT_TABLE.c
    contains = bindparam("contains", type_=Text)
    is_marked = and_(
        true(),
        *(
            order_text.marks.overlap(bindparam(f"{name}_marks", type_=ARRAY(Text)))
            for name in _MARKS
            if f"{name}_marks" in names
        ),
    )
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
        _count(seen) < _LIMIT,
        _count(newest) == LOOKED_THROUGH,
    )
    last_era = cast(func.max(newest.c.drafted_position) // ERA_POSITIONS, Integer)
    eras = select(last_era.label("last"), (last_era - 1).label("before")).cte("eras")
    last, before = (select(column).scalar_subquery() for column in eras.c)
    is_late = order_text.marks.overlap(array([_era_mark(last), _era_mark(before)]))
    lately = _with_text(
        and_(where, _document.drafted_position >= cast(before, BigInteger) * ERA_POSITIONS),
        and_(is_unfilled, is_marked, is_late),
    ).cte("lately")
    documents = select(_document.drafted_position).where(where, is_unfilled)
    return union(
        select(seen.c.drafted_position),
        select(lately.c.drafted_position),
        _with_text(where, and_(is_unfilled, is_marked, _count(lately) < _LIMIT)),
        documents.where(_number_like(_document.number)),
        documents.where(_document.order_id == is_order),
    ).subquery("found")


def _era_mark(era: ColumnElement[int]) -> ColumnElement[str]:
    return literal(Mark.ERA.of("")).concat(cast(era, Text))


def _count(rows: CTE) -> ScalarSelect[int]:
    return select(func.count()).select_from(rows).scalar_subquery()


def _with_text(document: ColumnElement[bool], text: ColumnElement[bool]) -> Select[Any]:
    """Positions of such documents of orders with such a text, and the words in it."""
    order_text = ORDER_TEXT_TABLE.c
    # Here and below an offset keeps the planner from walking through all documents instead.
    of_order = (
        select(_document.drafted_position)
        .where(document, _document.order_id == order_text.order_id)
        .offset(0)
        .lateral("of_order")
    )
    return (
        select(of_order.c.drafted_position)
        .select_from(ORDER_TEXT_TABLE.join(of_order, true()))
        .where(
            text,
            JOINED_TEXT.element.like(any_(bindparam("contains_joined", type_=ARRAY(Text)))),
            order_text.search_text.like(bindparam("contains", type_=Text)),
        )
    )


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
