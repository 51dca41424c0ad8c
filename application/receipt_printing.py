"""What a till prints: the text of a receipt's canonical JSON, whether or not its files are sealed yet.

That JSON is what the ledger's events say from the capture on, and what is sealed is the same to the byte, so
that nobody waits at a till.
"""

from application.content import document_content, load_document
from application.ledger import Ledger
from application.ports import PrintedText, ReceiptText
from domain.kernel.registry import Registry
from domain.receivables.receipt import Receipt


async def printed_receipt(
    ledger: Ledger, registry: Registry, text: ReceiptText, receipt: Receipt, copy_number: int
) -> PrintedText:
    """The text of a receipt; `copy_number` 0 is the original. Raises `LedgerUnavailable`."""
    document_id = receipt.generated.document_id
    document = await load_document(ledger, registry, document_id)
    return text(document_content(document_id, document, receipt, {}), copy_number)
