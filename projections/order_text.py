"""What `q` finds of an order: its texts as they are searched and indexed, and marks of its documents."""

import re
import unicodedata
from enum import StrEnum
from typing import cast

from sqlalchemy import Column, Index, Table, Text, func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from domain.documents.document import DocumentDrafted
from domain.documents.order import OrderPaid, OrderPersonalDataErased
from domain.documents.receipt_content import receipt_names, receipt_search_text
from domain.kernel.recorded import RecordedEvent
from projections.projection import METADATA, Key, Row, fold_by_name

ORDER_TEXT_TABLE = Table(
    "order_text_v4",
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
    "order_text_v4_search",
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


def order_id_of(fact: DocumentDrafted) -> str | None:
    """The order that a document is of; None where it is of a work order."""
    return fact.source_ref.id if fact.source_ref.type == "ORDER" else None


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


fold_order_text = fold_by_name(
    {
        "order.paid-in-escrow": _order_text,
        "order.personal-data-erased": _order_text_without_names,
        "document.drafted": _order_text_with_marks,
    }
)


def order_key(event: RecordedEvent) -> Key | None:
    """The order that was told of, or of which a document was drafted."""
    if event.name == "document.drafted":
        order_id = order_id_of(cast(DocumentDrafted, event.fact))
        return None if order_id is None else (order_id,)
    return (event.stream.id,) if event.stream.type == "order" else None
