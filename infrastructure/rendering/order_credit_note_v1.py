"""Template `order-credit-note/1`: what is taken back of an order's fiscal invoice."""

from typing import Any

from infrastructure.rendering.correction_parts import CorrectionWords, lay_out_correction
from infrastructure.rendering.order_wording import ORDER_WORDS
from infrastructure.rendering.sheet import Metadata, Page


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of a credit note's content (`domain.documents.correction_content`), and the metadata."""
    words = ORDER_WORDS[content["language"]]
    of_invoices = words.of_invoices
    own = CorrectionWords(
        title=of_invoices.credit_note,
        number=of_invoices.credit_note_number,
        note=of_invoices.credit_note_note,
        corrected=of_invoices.corrected_invoice,
        buyer=of_invoices.bill_to,
        statement=of_invoices.credited,
        takes_back=of_invoices.takes_back,
        total=of_invoices.total_credited,
    )
    return lay_out_correction(content, words, own)
