"""What a document's reader is told when it is there, in the document's language (S3 §8.3).

The same words stand in e-mails and in the list of notifications. They name no person and no amount.
"""

from typing import Literal

from domain.documents.document_facts import DocType, DocumentDrafted, Language
from domain.kernel.facts import CountryCode, Value

NoticeType = Literal[
    "RECEIPT_READY",
    "INVOICE_ISSUED",
    "CREDIT_NOTE_ISSUED",
    "ADJUSTMENT_ISSUED",
    "SELLER_STATEMENT_READY",
    "PAYOUT_STATEMENT_READY",
]

ReaderType = Literal["BUYER", "SELLER"]
"""Who is told: the party that the document is made for."""

NOTICE_TYPES: dict[DocType, NoticeType] = {
    "RECEIPT": "RECEIPT_READY",
    "FISCAL_INVOICE": "INVOICE_ISSUED",
    "CREDIT_NOTE": "CREDIT_NOTE_ISSUED",
    "ADJUSTMENT_STATEMENT": "ADJUSTMENT_ISSUED",
    "SELLER_STATEMENT": "SELLER_STATEMENT_READY",
    "PAYOUT_STATEMENT": "PAYOUT_STATEMENT_READY",
}
"""Evidence packs and exports are made for who asked for them; nobody is told."""


class Notice(Value):
    """That a document is there, for its reader."""

    doc_type: DocType
    number: str
    owner_type: ReaderType
    owner_id: str
    country_code: CountryCode
    language: Language


class Words(Value):
    """A notice in one language; `body` is a sentence."""

    title: str
    body: str


def reader_of(drafted: DocumentDrafted) -> tuple[ReaderType, str] | None:
    """The party that the document is made for: its type and id; None for what is made for FINANCE."""
    match drafted.audience:
        case "BUYER":
            return "BUYER", drafted.buyer_id
        case "SELLER":
            return "SELLER", drafted.seller_id
        case "FINANCE":
            return None


def notice_of(drafted: DocumentDrafted, number: str) -> Notice | None:
    """What there is to tell of a document with that number; None where nobody is told."""
    reader = reader_of(drafted)
    if reader is None or drafted.doc_type not in NOTICE_TYPES:
        return None
    return Notice(
        doc_type=drafted.doc_type,
        number=number,
        owner_type=reader[0],
        owner_id=reader[1],
        country_code=drafted.country_code,
        language=drafted.language,
    )


_WORDS: dict[Language, dict[NoticeType, tuple[str, str]]] = {
    "en": {
        "RECEIPT_READY": ("Your receipt is ready", "Your receipt {number} is ready."),
        "INVOICE_ISSUED": ("Invoice issued", "Invoice {number} was issued to you."),
        "CREDIT_NOTE_ISSUED": ("Credit note issued", "Credit note {number} was issued to you."),
        "ADJUSTMENT_ISSUED": ("Adjustment issued", "Adjustment statement {number} was issued to you."),
        "SELLER_STATEMENT_READY": (
            "Your sales statement is ready",
            "Your sales statement {number} is ready.",
        ),
        "PAYOUT_STATEMENT_READY": (
            "Your payout statement is ready",
            "Your payout statement {number} is ready.",
        ),
    },
    "es": {
        "RECEIPT_READY": ("Tu recibo está listo", "Tu recibo {number} está listo."),
        "INVOICE_ISSUED": ("Factura emitida", "Se ha emitido tu factura {number}."),
        "CREDIT_NOTE_ISSUED": ("Nota de crédito emitida", "Se ha emitido tu nota de crédito {number}."),
        "ADJUSTMENT_ISSUED": ("Ajuste emitido", "Se ha emitido tu comprobante de ajuste {number}."),
        "SELLER_STATEMENT_READY": (
            "Tu liquidación de venta está lista",
            "Tu liquidación de venta {number} está lista.",
        ),
        "PAYOUT_STATEMENT_READY": (
            "Tu comprobante de pago está listo",
            "Tu comprobante de pago {number} está listo.",
        ),
    },
    "de": {
        "RECEIPT_READY": ("Ihre Quittung ist da", "Ihre Quittung {number} liegt bereit."),
        "INVOICE_ISSUED": ("Rechnung ausgestellt", "Ihre Rechnung {number} wurde ausgestellt."),
        "CREDIT_NOTE_ISSUED": ("Gutschrift ausgestellt", "Ihre Gutschrift {number} wurde ausgestellt."),
        "ADJUSTMENT_ISSUED": ("Korrektur ausgestellt", "Ihr Korrekturbeleg {number} wurde ausgestellt."),
        "SELLER_STATEMENT_READY": (
            "Ihre Verkaufsabrechnung ist da",
            "Ihre Verkaufsabrechnung {number} liegt bereit.",
        ),
        "PAYOUT_STATEMENT_READY": (
            "Ihr Auszahlungsbeleg ist da",
            "Ihr Auszahlungsbeleg {number} liegt bereit.",
        ),
    },
}


def words_of(doc_type: DocType, number: str, language: Language) -> Words:
    """The notice of such a document in that language. Raises `KeyError` for what nobody is told of."""
    title, body = _WORDS[language][NOTICE_TYPES[doc_type]]
    return Words(title=title, body=body.format(number=number))
