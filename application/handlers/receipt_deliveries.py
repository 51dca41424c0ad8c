"""Handing receipts over and copying them: what a till prints, what the worker sends (BILL-DEC-011; B1–B7).

What these answer names the receipt's version and nothing personal, for stored answers outlive an erasure
(ADR 0014). The text that a till prints is made of the receipt's history, a repeat's too.
"""

from dataclasses import dataclass

from application.elevation import use_elevation
from application.handlers.accounts import is_within_reach
from application.handlers.deliveries import paying_account
from application.handlers.documents import existing
from application.handlers.policies import reprint_policy_of
from application.ledger import Answer, Handler, Transaction
from application.ports import ElevationClaims
from domain.accounts.elevation import elevation_missing
from domain.kernel.errors import DomainError, not_found
from domain.receivables.payment_facts import ReceiptChannel
from domain.receivables.receipt import (
    RECEIPT,
    Receipt,
    new_delivery_id,
    print_original,
    require_deliverable,
    require_reprintable,
)
from domain.receivables.receipt_facts import ReceiptDeliveryRequested, ReceiptPrinted, ReceiptReprinted


@dataclass(frozen=True)
class Handover:
    """Who asks for which receipt, and by which way.

    `granted` are the accounts of their token, None for all; `user_id` is who is recorded. `fresh_id` names a
    delivery by e-mail.
    """

    receipt_id: str
    channel: ReceiptChannel
    subject: str
    user_id: str
    granted: frozenset[str] | None
    fresh_id: str

    def receipt(self, transaction: Transaction) -> Receipt:
        """The receipt, for who may know of it. Raises `NOT_FOUND`."""
        receipt = transaction.state(RECEIPT, self.receipt_id)
        if receipt is None or not is_within_reach(
            transaction, receipt.generated.customer_account_id, self.granted
        ):
            raise not_found("The receipt")
        return receipt


@dataclass(frozen=True)
class CopyRequest:
    """Why a copy is wanted, and somebody's approval where there is one."""

    reason_code: str | None
    reason_notes: str | None
    elevation: ElevationClaims | None


def deliver_receipt(handover: Handover) -> Handler:
    """Hands the original over to a till, or has it sent; what failed or bounced is sent again: 200.

    Raises `NOT_FOUND`, `REPRINT_NOT_ALLOWED`, `RECIPIENT_MISSING`.
    """

    def handle(transaction: Transaction) -> Answer:
        receipt = handover.receipt(transaction)
        require_deliverable(receipt, handover.channel)
        if handover.channel == "EMAIL":
            # What is sent again is what failed: the original, or the copy that it was.
            last = receipt.last_email
            copy_number = 0 if last is None else last[1].copy_number
            _request(transaction, handover, receipt, copy_number)
            return _answer(transaction, handover, copy_number)
        printed = ReceiptPrinted(
            document_id=receipt.generated.document_id,
            printed_by=handover.user_id,
            printed_at=transaction.stamp.at,
        )
        transaction.append(RECEIPT.stream(handover.receipt_id), print_original(receipt, printed))
        return _answer(transaction, handover, copy_number=0)

    return handle


def reprint_receipt(handover: Handover, wanted: CopyRequest) -> Handler:
    """Makes a copy, as the account's reprint policy lets: 200.

    Raises `NOT_FOUND`, `REPRINT_NOT_ALLOWED`, `REASON_CODE_REQUIRED`, `DOCUMENT_NOT_ISSUED` for an e-mail
    before the document is sealed, `RECIPIENT_MISSING`, `ELEVATION_INVALID`.
    """

    def handle(transaction: Transaction) -> Answer:
        receipt, now = handover.receipt(transaction), transaction.stamp.at
        policy = reprint_policy_of(transaction, receipt.generated.customer_account_id)
        require_reprintable(receipt, policy.terms, handover.channel, wanted.reason_code, now)
        copy_number = receipt.reprints + 1
        reprinted = ReceiptReprinted(
            document_id=receipt.generated.document_id,
            copy_number=copy_number,
            channel=handover.channel,
            reason_code=wanted.reason_code,
            reason_notes=wanted.reason_notes,
            policy_version=policy.policy_version,
            reprinted_by=handover.user_id,
            reprinted_at=now,
        )
        if handover.channel == "EMAIL":
            _require_issued(transaction, receipt)
            _require_address(transaction, receipt)
        if policy.terms.requires_elevation:
            # Last of all checks, for an approval serves once.
            approver = _approver(transaction, handover, wanted.elevation)
            reprinted = reprinted.model_copy(update={"approver": approver})
        transaction.append(RECEIPT.stream(handover.receipt_id), (reprinted,))
        if handover.channel == "EMAIL":
            _request(transaction, handover, receipt, copy_number)
        return _answer(transaction, handover, copy_number)

    return handle


def _request(transaction: Transaction, handover: Handover, receipt: Receipt, copy_number: int) -> None:
    """Has the worker send it, once its document is sealed. Raises `RECIPIENT_MISSING`."""
    _require_address(transaction, receipt)
    document_id = receipt.generated.document_id
    requested = ReceiptDeliveryRequested(
        document_id=document_id,
        delivery_id=new_delivery_id(receipt, handover.fresh_id),
        copy_number=copy_number,
        waits_for_seal=existing(transaction, document_id).status == "DRAFT",
        requested_by=handover.user_id,
        requested_at=transaction.stamp.at,
    )
    transaction.append(RECEIPT.stream(handover.receipt_id), (requested,))


def _require_address(transaction: Transaction, receipt: Receipt) -> None:
    account = paying_account(transaction, receipt)
    if account is None or account.email is None:
        raise DomainError("RECIPIENT_MISSING", "CRM has told of no e-mail address of this account.")


def _require_issued(transaction: Transaction, receipt: Receipt) -> None:
    if existing(transaction, receipt.generated.document_id).status != "ISSUED":
        raise DomainError("DOCUMENT_NOT_ISSUED", "A copy is sent once the receipt's document is sealed.")


def _approver(transaction: Transaction, handover: Handover, elevation: ElevationClaims | None) -> str:
    if elevation is None:
        raise elevation_missing()
    approver = use_elevation(
        transaction,
        elevation,
        purpose="REPRINT",
        target_id=handover.receipt_id,
        requester=handover.subject,
    )
    return approver.credential_id


def _answer(transaction: Transaction, handover: Handover, copy_number: int) -> Answer:
    receipt = transaction.state(RECEIPT, handover.receipt_id)
    assert receipt is not None, "it was handed over"
    email = receipt.last_email if handover.channel == "EMAIL" else None
    return Answer(
        200,
        {
            "receiptId": handover.receipt_id,
            "channel": handover.channel,
            "copyNumber": copy_number,
            "deliveryId": email and email[0],
            "deliveryStatus": receipt.delivery_status,
            "version": transaction.version(RECEIPT.stream(handover.receipt_id)),
        },
    )
