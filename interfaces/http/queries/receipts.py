"""Receipts now and in the past, one by one and of an invoice (contract §5)."""

from collections.abc import Collection, Sequence
from typing import Any

from litestar import Response

from application.operations.receipts import GET_RECEIPT, LIST_RECEIPTS_OF_INVOICE
from application.past import Moment, Then, states_at
from application.receipt_detail import receipt_detail
from domain.accounts.account import ACCOUNT, Account
from domain.accounts.policies import DEFAULT, POLICY, ReprintTerms, effective_reprint_policy, policy_id
from domain.documents.document import DOCUMENT
from domain.invoicing.invoice import INVOICE, Invoice
from domain.kernel.errors import not_found
from domain.kernel.streams import StreamId
from domain.receivables.payment import PAYMENT, Payment
from domain.receivables.receipt import RECEIPT, Receipt
from interfaces.http.accounts import require_reach
from interfaces.http.answers.receipts import ReceiptAnswer, ReceiptsOfInvoice
from interfaces.http.etags import etag
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.reading import (
    AsOf,
    AsOfPosition,
    InvoiceId,
    MinPosition,
    ReceiptId,
    head_reached,
    past_moment,
    shown,
)
from interfaces.http.routes import route


@route(GET_RECEIPT)
async def get_receipt(
    request: AnyRequest,
    receipt_id: ReceiptId,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    min_position: MinPosition = None,
) -> Response[ReceiptAnswer]:
    """One receipt, now or in the past; what may be done with it is told of this moment."""
    past = past_moment(as_of, as_of_position)
    head = await head_reached(request, min_position)
    moment = past or Moment(position=head)
    stream = RECEIPT.stream(receipt_id)
    then = (await _then(request, {stream}, moment)).get(stream)
    if then is None:
        raise not_found("The receipt")
    await require_reach(request, GET_RECEIPT, then.state.generated.customer_account_id, "The receipt")
    (body,) = await _details(request, {receipt_id: then.state}, moment)
    # The past is told by the receipt's own last event, as everywhere.
    position = head if past is None else then.position
    return shown(body, position, headers={"ETag": etag(then.version)})


@route(LIST_RECEIPTS_OF_INVOICE)
async def list_receipts_of_invoice(
    request: AnyRequest, invoice_id: InvoiceId, min_position: MinPosition = None
) -> Response[ReceiptsOfInvoice]:
    """The receipts of an invoice, those of voided payments included."""
    head = await head_reached(request, min_position)
    moment = Moment(position=head)
    invoice: Invoice | None = (await _states(request, [INVOICE.stream(invoice_id)], moment))[0]
    if invoice is None:
        raise not_found("The invoice")
    account_id = invoice.drafted.customer_account_id
    await require_reach(request, LIST_RECEIPTS_OF_INVOICE, account_id, "The invoice")
    streams = [PAYMENT.stream(payment_id) for payment_id in invoice.payments]
    payments: list[Payment] = await _states(request, streams, moment)
    captured = [payment.captured for payment in payments if payment.captured is not None]
    ids = [each.receipt_id for each in captured]
    receipts = await _states(request, [RECEIPT.stream(receipt_id) for receipt_id in ids], moment)
    items = await _details(request, dict(zip(ids, receipts, strict=True)), moment)
    return shown({"items": items}, head)


async def _details(
    request: AnyRequest, receipts: dict[str, Receipt], moment: Moment
) -> Sequence[dict[str, Any]]:
    """The receipts of one account, in their order."""
    if not receipts:
        return []
    account_id = next(iter(receipts.values())).generated.customer_account_id
    terms = await _terms(request, account_id, moment)
    streams = [DOCUMENT.stream(receipt.generated.document_id) for receipt in receipts.values()]
    documents = await _states(request, streams, moment)
    now, permissions = system_of(request).clock.now(), caller_of(request).permissions
    return [
        receipt_detail(receipt_id, receipt, document, terms, now, permissions)
        for (receipt_id, receipt), document in zip(receipts.items(), documents, strict=True)
    ]


async def _terms(request: AnyRequest, account_id: str, moment: Moment) -> ReprintTerms:
    """The reprint policy that applies to the account."""
    account: Account | None = (await _states(request, [ACCOUNT.stream(account_id)], moment))[0]
    if account is not None and account.alias_of is not None:
        return await _terms(request, account.alias_of, moment)
    streams = [POLICY.stream(policy_id("reprint", of)) for of in (account_id, DEFAULT)]
    return effective_reprint_policy(*await _states(request, streams, moment)).terms


async def _then(request: AnyRequest, streams: Collection[StreamId], moment: Moment) -> dict[StreamId, Then]:
    system = system_of(request)
    return await states_at(system.ledger, system.registry, streams, moment)


async def _states(request: AnyRequest, streams: Sequence[StreamId], moment: Moment) -> list[Any]:
    """The state of each, None without a history."""
    then = await _then(request, streams, moment)
    return [then[stream].state if stream in then else None for stream in streams]


HANDLERS = (list_receipts_of_invoice, get_receipt)
"""The literal path comes first."""
