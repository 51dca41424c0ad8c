"""What `q` finds of the history that documents are made of: its texts, and marks of its documents.

That history, the source, is an order, an invoice or a receipt: what a document's `content_ref` names.
"""

import re
import unicodedata
from collections.abc import Iterable
from enum import StrEnum
from typing import cast

from sqlalchemy import Column, Index, Table, Text, func, literal_column
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from domain.documents.document_facts import DocumentDrafted
from domain.documents.invoice_content import invoice_names, invoice_search_text
from domain.documents.order_facts import OrderPaid
from domain.documents.payment_receipt_content import payment_receipt_names
from domain.documents.receipt_content import receipt_names, receipt_search_text
from domain.invoicing.invoice_facts import InvoiceDrafted, InvoiceIssued
from domain.kernel.privacy import PersonalDataErased
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from domain.receivables.receipt_facts import ReceiptGenerated
from projections.projection import METADATA, Key, Row, fold_by_name

SOURCE_TEXT_TABLE = Table(
    # The name that it had when it knew orders only: by it a worker finds the versions before, and drops them.
    "order_text_v6",
    METADATA,
    # As `source_stream` writes it.
    Column("source_stream", Text, primary_key=True),
    # [subject, name] of the parties in `search_text`, so that erasing one can take its name out.
    Column("names", JSONB, nullable=False),
    Column("search_text", Text, nullable=False),
    # What its documents have in common with others: see `Mark`.
    Column("marks", ARRAY(Text), nullable=False),
)
JOINED_TEXT = func.translate(
    SOURCE_TEXT_TABLE.c.search_text, literal_column(r"E' \n-'"), literal_column("'qqx'")
).label("joined")
"""The search text as a single word: a space is `q`, a line end `qq`, a hyphen `x`. That is what is indexed.

PostgreSQL indexes three letters in a row, but only within a word. In a single one every part of a text has
them, across its words too: words that are all frequent stand seldom in just this order.
"""
# With the marks, so that words are asked for only where they may be found.
Index(
    "order_text_v6_search",
    SOURCE_TEXT_TABLE.c.marks,
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
    """What a document is marked by in the text of its source."""

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


def source_stream(stream: StreamId) -> str:
    """A stream as rows name it, `order/o-1`: an order's id is never taken for an invoice's."""
    return f"{stream.type}/{stream.id}"


def _source_text(event: RecordedEvent, row: Row, names: Iterable[Iterable[str]], rest: Iterable[str]) -> Row:
    """The row of a source; `names` are subject and name, `rest` is everything else that is found."""
    known = [list(pair) for pair in names]
    return {
        "source_stream": source_stream(event.stream),
        "names": known,
        "search_text": _text_of_names(known) + searchable("\n".join(rest)),
        "marks": row.get("marks", []),
    }


def _order_paid(row: Row, event: RecordedEvent) -> Row | None:
    order = cast(OrderPaid, event.fact).order
    rest = (order.order_id, *receipt_search_text(order))
    return _source_text(event, row, receipt_names(order), rest)


def _invoice_drafted(row: Row, event: RecordedEvent) -> Row | None:
    drafted = cast(InvoiceDrafted, event.fact)
    rest = (event.stream.id, drafted.work_order_id, *invoice_search_text(drafted))
    return _source_text(event, row, (), rest)


def _invoice_issued(row: Row, event: RecordedEvent) -> Row | None:
    return _with_names(row, [list(pair) for pair in invoice_names(cast(InvoiceIssued, event.fact))])


def _receipt_generated(row: Row, event: RecordedEvent) -> Row | None:
    generated = cast(ReceiptGenerated, event.fact)
    rest = (generated.billing_payment_id, generated.invoice_id, generated.invoice_number)
    return _source_text(event, row, payment_receipt_names(generated), (*rest, generated.work_order_id))


def _with_marks(row: Row, event: RecordedEvent) -> Row | None:
    """A source has the marks of all its documents."""
    if not row:
        return None
    fact, known = cast(DocumentDrafted, event.fact), row["marks"]
    marks = marks_of(event.position, fact.country_code, fact.seller_id)
    new = [mark for mark in marks if mark not in known]
    return row | {"marks": known + new} if new else row


def _without_names(row: Row, event: RecordedEvent) -> Row | None:
    """What search knows of the lines stays; the erased party's name goes."""
    erased = cast(PersonalDataErased, event.fact)
    if not row or erased.retention_class != "FISCAL":
        return row or None
    return _with_names(row, [pair for pair in row["names"] if pair[0] != erased.subject])


def _with_names(row: Row, names: list[list[str]]) -> Row:
    rest = row["search_text"].removeprefix(_text_of_names(row["names"]))
    return row | {"names": names, "search_text": _text_of_names(names) + rest}


def _text_of_names(names: list[list[str]]) -> str:
    """How every search text begins."""
    return searchable("".join(f"{name}\n" for _, name in names))


SOURCE_FOLDS = {
    "order.paid-in-escrow": _order_paid,
    "order.personal-data-erased": _without_names,
    "invoice.drafted": _invoice_drafted,
    "invoice.issued": _invoice_issued,
    "invoice.personal-data-erased": _without_names,
    "receipt.generated": _receipt_generated,
    "receipt.personal-data-erased": _without_names,
    "document.drafted": _with_marks,
}
fold_source_text = fold_by_name(SOURCE_FOLDS)


def source_key(event: RecordedEvent) -> Key | None:
    """The source that was told of, or of which a document was drafted."""
    if event.name not in SOURCE_FOLDS:
        return None
    if event.name == "document.drafted":
        return (source_stream(cast(DocumentDrafted, event.fact).content_ref.stream),)
    return (source_stream(event.stream),)
