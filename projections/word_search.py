"""How words are found among a million documents: in the newest first, then by an index of texts and marks.

Words that many documents hold are found among the newest at once; the index would give all of them. Words
that few hold are found by the index at once.
"""

import re
import string
from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    Integer,
    ScalarSelect,
    Select,
    Subquery,
    Text,
    and_,
    any_,
    bindparam,
    cast,
    func,
    literal,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY, array
from sqlalchemy.sql.elements import ColumnElement

from domain.documents.order_state import ORDER
from domain.invoicing.invoice import INVOICE
from projections.documents import DOCUMENT_TABLE
from projections.source_text import (
    ERA_POSITIONS,
    JOINED_TEXT,
    SOURCE_TEXT_TABLE,
    Mark,
    joined,
    plain,
    searchable,
    source_stream,
)

LOOKED_THROUGH = 3_000
"""So many documents are looked through for words, the newest first, before the index of words is asked."""

_document = DOCUMENT_TABLE.c

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


def word_parameters(q: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What `found_by_words` takes besides the parameters of scope and filters."""
    words, number = searchable(q), _literally(plain(q))
    return {
        "contains": f"%{words}%",
        "contains_joined": _indexed(joined(words)),
        "number_begins": f"{number}%",
        "number_ends_reversed": f"{_literally(plain(q)[::-1])}%",
        "is_source": [source_stream(stream_type.stream(q)) for stream_type in (ORDER, INVOICE)],
        **_mark_parameters(parameters),
    }


def _mark_parameters(parameters: Mapping[str, Any]) -> dict[str, list[str]]:
    """Marks of which a source's text has one if the scope and the filters let a document of it through."""
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


def found_by_words(where: ColumnElement[bool], names: frozenset[str], limit: BindParameter[int]) -> Subquery:
    """Positions of documents with the words in their source's text, or at an end of their number.

    Words that many documents hold are found among the newest at once; the index would give all of them.
    Only where that leaves the page unfilled, and there are older ones, the index is asked: for those of the
    last eras first, and for all where they do not fill the page either.
    """
    newest = _newest(where, names)
    source_text = SOURCE_TEXT_TABLE.c
    contains = bindparam("contains", type_=Text)
    is_marked = and_(
        true(),
        *(
            source_text.marks.overlap(bindparam(f"{name}_marks", type_=ARRAY(Text)))
            for name in _MARKS
            if f"{name}_marks" in names
        ),
    )
    # A probe for each, for the planner would rather walk through the texts of all sources.
    text_of = (
        select(source_text.search_text)
        .where(source_text.source_stream == newest.c.source_stream)
        .scalar_subquery()
    )
    is_source = bindparam("is_source", type_=ARRAY(Text))
    seen = (
        select(newest.c.drafted_position)
        .where(
            or_(
                text_of.like(contains),
                _number_like(newest.c.number),
                newest.c.source_stream == any_(is_source),
            )
        )
        .order_by(newest.c.drafted_position.desc())
        .limit(limit)
        .cte("seen")
    )
    is_unfilled = and_(
        _count(seen) < limit,
        _count(newest) == LOOKED_THROUGH,
    )
    last_era = cast(func.max(newest.c.drafted_position) // ERA_POSITIONS, Integer)
    eras = select(last_era.label("last"), (last_era - 1).label("before")).cte("eras")
    last, before = (select(column).scalar_subquery() for column in eras.c)
    is_late = source_text.marks.overlap(array([_era_mark(last), _era_mark(before)]))
    lately = _with_text(
        and_(where, _document.drafted_position >= cast(before, BigInteger) * ERA_POSITIONS),
        and_(is_unfilled, is_marked, is_late),
    ).cte("lately")
    documents = select(_document.drafted_position).where(where, is_unfilled)
    return union(
        select(seen.c.drafted_position),
        select(lately.c.drafted_position),
        _with_text(where, and_(is_unfilled, is_marked, _count(lately) < limit)),
        documents.where(_number_like(_document.number)),
        documents.where(_document.source_stream == any_(is_source)),
    ).subquery("found")


def _era_mark(era: ColumnElement[int]) -> ColumnElement[str]:
    return literal(Mark.ERA.of("")).concat(cast(era, Text))


def _count(rows: CTE) -> ScalarSelect[int]:
    return select(func.count()).select_from(rows).scalar_subquery()


def _with_text(document: ColumnElement[bool], text: ColumnElement[bool]) -> Select[Any]:
    """Positions of such documents of sources with such a text, and the words in it."""
    source_text = SOURCE_TEXT_TABLE.c
    # Here and below an offset keeps the planner from walking through all documents instead.
    of_source = (
        select(_document.drafted_position)
        .where(document, _document.source_stream == source_text.source_stream)
        .offset(0)
        .lateral("of_source")
    )
    return (
        select(of_source.c.drafted_position)
        .select_from(SOURCE_TEXT_TABLE.join(of_source, true()))
        .where(
            text,
            JOINED_TEXT.element.like(any_(bindparam("contains_joined", type_=ARRAY(Text)))),
            source_text.search_text.like(bindparam("contains", type_=Text)),
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
    columns = (_document.drafted_position, _document.source_stream, _document.number)
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
