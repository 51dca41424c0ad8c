"""Which template draws a new document: the newest that was made for its type, reader, country and language.

The version is recorded with the document's draft, and what was recorded once stays in `TEMPLATES` of
`infrastructure/rendering/pdf.py`. A new version changes its row here.
"""

from typing import Literal

from domain.documents.document_facts import Audience, DocType, Language
from domain.kernel.facts import CountryCode, Value

Source = Literal["ORDER", "WORK_ORDER"]
"""What a document is about: what it holds, and so its template, follows from that too."""


class NewestTemplate(Value):
    """A row of the table; without a country or a language it serves all of them."""

    doc_type: DocType
    source: Source
    audience: Audience
    version: str
    country_code: CountryCode | None = None
    language: Language | None = None

    def serves(self, country_code: CountryCode, language: Language) -> bool:
        """Whether it was made for such a document, or for any."""
        return self.country_code in (None, country_code) and self.language in (None, language)

    @property
    def precision(self) -> tuple[bool, bool]:
        """How closely it was made for its documents: a country's law weighs more than a language."""
        return self.country_code is not None, self.language is not None


NEWEST: tuple[NewestTemplate, ...] = (
    NewestTemplate(doc_type="RECEIPT", source="ORDER", audience="BUYER", version="receipt/1"),
    NewestTemplate(doc_type="FISCAL_INVOICE", source="ORDER", audience="BUYER", version="order-invoice/1"),
    NewestTemplate(doc_type="CREDIT_NOTE", source="ORDER", audience="BUYER", version="order-credit-note/1"),
    NewestTemplate(
        doc_type="ADJUSTMENT_STATEMENT", source="ORDER", audience="BUYER", version="adjustment-statement/1"
    ),
    NewestTemplate(
        doc_type="SELLER_STATEMENT", source="ORDER", audience="SELLER", version="seller-statement/1"
    ),
    NewestTemplate(
        doc_type="PAYOUT_STATEMENT", source="ORDER", audience="SELLER", version="payout-statement/1"
    ),
    NewestTemplate(
        doc_type="FISCAL_INVOICE", source="WORK_ORDER", audience="BUYER", version="fiscal-invoice/1"
    ),
    NewestTemplate(doc_type="CREDIT_NOTE", source="WORK_ORDER", audience="BUYER", version="credit-note/1"),
    NewestTemplate(doc_type="RECEIPT", source="WORK_ORDER", audience="BUYER", version="payment-receipt/1"),
    NewestTemplate(
        doc_type="ADJUSTMENT_STATEMENT", source="WORK_ORDER", audience="BUYER", version="payment-adjustment/1"
    ),
)
"""At most one row for the same documents, so that the closest is always one."""


def newest_template(
    doc_type: DocType,
    source: Source,
    audience: Audience,
    country_code: CountryCode,
    language: Language,
    rows: tuple[NewestTemplate, ...] = NEWEST,
) -> str:
    """The version, such as `receipt/1`, that new documents of this kind are drawn by.

    Raises `LookupError` where nobody has made one, as for a seller's statement to a buyer.
    """
    found = [
        row
        for row in rows
        if (row.doc_type, row.source, row.audience) == (doc_type, source, audience)
        and row.serves(country_code, language)
    ]
    if not found:
        raise LookupError(f"There is no template of a {doc_type} of a {source} for a {audience}.")
    return max(found, key=lambda row: row.precision).version
