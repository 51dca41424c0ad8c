"""Template `adjustment-statement/1`: what is given back of an order that has no fiscal invoice."""

from typing import Any

from infrastructure.rendering.correction_parts import CorrectionWords, lay_out_correction
from infrastructure.rendering.order_wording import ORDER_WORDS
from infrastructure.rendering.sheet import Metadata, Page


def lay_out(content: dict[str, Any]) -> tuple[list[Page], Metadata]:
    """The pages of an adjustment's content (`domain.documents.correction_content`), and the metadata."""
    words = ORDER_WORDS[content["language"]]
    own = CorrectionWords(
        title=words.adjustment,
        number=words.adjustment_number,
        note=words.adjustment_note,
        corrected=words.corrected_receipt,
        buyer=words.of_orders.buyer,
        statement=words.returned,
        takes_back=words.adjustment_takes_back,
        total=words.total_returned,
    )
    return lay_out_correction(content, words, own)
