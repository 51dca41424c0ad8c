"""Canonical JSON in, PDF out: a pure function, so that a sealed document can be drawn again byte for byte.

A template that was used once is frozen, and stays in the table for good; a change is a new version.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from infrastructure.rendering import (
    adjustment_statement_v1,
    credit_note_v1,
    fiscal_invoice_v1,
    order_credit_note_v1,
    order_invoice_v1,
    payment_adjustment_v1,
    payment_receipt_v1,
    payout_statement_v1,
    receipt_v1,
    seller_statement_v1,
)
from infrastructure.rendering.sheet import Metadata, Page, write_pdf

Template = Callable[[dict[str, Any]], tuple[list[Page], Metadata]]
"""Lays a document's content out on pages."""

TEMPLATES: dict[tuple[str, str], Template] = {
    ("RECEIPT", "receipt/1"): receipt_v1.lay_out,
    ("FISCAL_INVOICE", "fiscal-invoice/1"): fiscal_invoice_v1.lay_out,
    ("CREDIT_NOTE", "credit-note/1"): credit_note_v1.lay_out,
    ("FISCAL_INVOICE", "order-invoice/1"): order_invoice_v1.lay_out,
    ("CREDIT_NOTE", "order-credit-note/1"): order_credit_note_v1.lay_out,
    ("ADJUSTMENT_STATEMENT", "adjustment-statement/1"): adjustment_statement_v1.lay_out,
    ("SELLER_STATEMENT", "seller-statement/1"): seller_statement_v1.lay_out,
    ("PAYOUT_STATEMENT", "payout-statement/1"): payout_statement_v1.lay_out,
    ("RECEIPT", "payment-receipt/1"): payment_receipt_v1.lay_out,
    ("ADJUSTMENT_STATEMENT", "payment-adjustment/1"): payment_adjustment_v1.lay_out,
}
"""By docType and templateVersion."""


class UnknownTemplateError(LookupError):
    """No template of this document type and version is known to this release."""


def render_pdf(content_json: bytes, watermark: str = "") -> bytes:
    """The PDF of a document's canonical JSON: the same bytes for the same JSON, in any process.

    A `watermark` stands below all else in previews; documents have none. Raises `UnknownTemplateError` when
    `docType` and `templateVersion` name none.
    """
    content = json.loads(content_json)
    key = (content["docType"], content["templateVersion"])
    if key not in TEMPLATES:
        raise UnknownTemplateError(f"There is no template {key[1]} for {key[0]}.")
    pages, metadata = TEMPLATES[key](content)
    file_id = hashlib.sha256(content_json).digest()[:16]
    return write_pdf(pages, metadata, file_id, watermark)
