"""Sending documents again, and recording how deliveries go."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from application.handlers.accounts import account_state
from application.ledger import Answer, Handler, Transaction
from domain.accounts.account import Account
from domain.accounts.fiscal_profile import FISCAL_PROFILE, ProfileOwner
from domain.documents.access import DOCUMENT_ACCESS, access_stream
from domain.documents.delivery import (
    RESEND_WINDOW,
    Delivery,
    DeliveryAttemptFact,
    DeliveryOf,
    DocumentResent,
    FailureReason,
    ResendChannel,
    bounce,
    deliver,
    fail,
    leave_open,
    resend,
    start,
)
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DocumentDrafted
from domain.documents.notices import notice_of, reader_of
from domain.documents.order_state import ORDER
from domain.documents.reader_address import reader_address
from domain.documents.visibility import DocumentScope
from domain.inbound.inbound import Effect
from domain.invoicing.invoice import INVOICE
from domain.kernel.claim import CLAIM, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError, not_found
from domain.kernel.streams import StreamId
from domain.receivables.receipt import RECEIPT, Receipt, told_of_receipt


def resend_document(
    document_id: str, delivery_id: str, channel: ResendChannel, scope: DocumentScope
) -> Handler:
    """Asks for an issued document to go out again: 202 by EMAIL, which the worker sends, 200 IN_APP.

    Raises `NOT_FOUND` for what is not in scope, `DOCUMENT_NOT_ISSUED`, `RECIPIENT_MISSING`, `RESEND_LIMIT`.
    """

    def handle(transaction: Transaction) -> Answer:
        document = transaction.state(DOCUMENT, document_id)
        if document is None or not scope.shows(
            buyer_id=document.drafted.buyer_id,
            seller_id=document.drafted.seller_id,
            audience=document.drafted.audience,
            country_code=document.drafted.country_code,
            was_issued=document.issued is not None,
        ):
            raise not_found("The document")
        if document.status != "ISSUED" or document.numbered is None:
            raise DomainError("DOCUMENT_NOT_ISSUED", "Only an issued document is sent again.")
        notice = notice_of(document.drafted, document.numbered.number)
        if notice is None or (channel == "EMAIL" and _address(transaction, document.drafted) is None):
            raise DomainError("RECIPIENT_MISSING", "There is nobody to send this document to in this way.")
        now = transaction.stamp.at
        resent = DocumentResent(
            document_id=document_id,
            delivery_id=delivery_id,
            channel=channel,
            resent_at=now,
            notice=notice,
        )
        facts = resend(_resends(transaction, document_id, now), resent)
        transaction.append(access_stream(document_id, now), facts)
        status, word = (202, "QUEUED") if channel == "EMAIL" else (200, "DELIVERED")
        body = {"deliveryId": delivery_id, "documentId": document_id, "channel": channel, "status": word}
        return Answer(status, body)

    return handle


def _resends(transaction: Transaction, document_id: str, now: datetime) -> list[datetime]:
    """When it was resent in this month and in that of a day ago."""
    months = {access_stream(document_id, at) for at in (now - RESEND_WINDOW, now)}
    states = (transaction.state(DOCUMENT_ACCESS, stream.id) for stream in sorted(months))
    return [time for month in states if month is not None for time in month.resends]


def _address(transaction: Transaction, drafted: DocumentDrafted) -> str | None:
    reference = drafted.content_ref
    source: Any
    if reference.stream_type == RECEIPT.name:
        receipt = transaction.state(RECEIPT, reference.stream_id)
        assert receipt is not None, "a document has a source"
        source = paying_account(transaction, receipt)
    else:
        source_type = ORDER if reference.stream_type == ORDER.name else INVOICE
        source = transaction.state(source_type, reference.stream_id)
    owner = profile_owner(drafted)
    profile = None if owner is None else transaction.state(FISCAL_PROFILE, owner.profile_id)
    return reader_address(drafted, source, profile)


def paying_account(transaction: Transaction, receipt: Receipt) -> Account | None:
    """The account whose payment a receipt confirms, as CRM tells of it now."""
    known = account_state(transaction, receipt.generated.customer_account_id)
    return None if known is None else known[1]


def profile_owner(drafted: DocumentDrafted) -> ProfileOwner | None:
    """Whose fiscal profile may say where the document's reader wants documents."""
    reader = reader_of(drafted)
    if reader is None or drafted.content_ref.stream_type != "order":
        return None
    return ProfileOwner(owner_type=reader[0], owner_id=reader[1], country_code=drafted.country_code)


def begin_delivery(stream: StreamId, of: DeliveryOf, *, repeatable: bool) -> Handler:
    """Begins an attempt that is due, or goes on with one: its number, or null where there is none to make.

    A document that was voided or replaced meanwhile goes nowhere.
    """

    def handle(transaction: Transaction) -> Answer:
        now = transaction.stamp.at
        before = _delivery(transaction, stream, of)
        document = transaction.state(DOCUMENT, of.document_id)
        under_way = before is not None and before.status == "STARTED"
        if not under_way and (document is None or document.status != "ISSUED"):
            _append(transaction, stream, fail(before, of, now, "withdrawn", again=False))
            return Answer(200, {"attempt": None})
        _append(transaction, stream, start(before, of, now, repeatable=repeatable))
        _claim(transaction, stream, of)
        after = _delivery(transaction, stream, of)
        starts = after is not None and after.status == "STARTED"
        return Answer(200, {"attempt": after.attempt if after is not None and starts else None})

    return handle


def record_delivered(stream: StreamId, of: DeliveryOf, attempt: int) -> Handler:
    """Records that an attempt reached its end."""

    def handle(transaction: Transaction) -> Answer:
        _append(transaction, stream, deliver(_delivery(transaction, stream, of), of, attempt))
        return Answer(200, None)

    return handle


def record_not_delivered(
    stream: StreamId, of: DeliveryOf, reason: FailureReason, *, again: bool, reply_code: int | None = None
) -> Handler:
    """Records that nothing went out."""

    def handle(transaction: Transaction) -> Answer:
        before = _delivery(transaction, stream, of)
        facts = fail(before, of, transaction.stamp.at, reason, again=again, reply_code=reply_code)
        _append(transaction, stream, facts)
        return Answer(200, None)

    return handle


def record_unconfirmed(stream: StreamId, of: DeliveryOf, attempt: int) -> Handler:
    """Records that nobody knows how an attempt ended."""

    def handle(transaction: Transaction) -> Answer:
        _append(transaction, stream, leave_open(_delivery(transaction, stream, of), of, attempt))
        return Answer(200, None)

    return handle


def bounce_delivery(transaction: Transaction, delivery_id: str, reason: str) -> Effect:
    """Records that an e-mail came back. Raises `NOT_FOUND` for a delivery that never left this house."""
    claim = transaction.state(CLAIM, claim_stream("DELIVERY", delivery_id).id)
    if claim is None:
        raise not_found("The delivery")
    stream = StreamId(*claim.holder.split("/", 1))
    document_id = _document_of(transaction, stream)
    of = DeliveryOf(document_id=document_id, delivery_id=delivery_id, channel="EMAIL")
    facts = bounce(_delivery(transaction, stream, of), of, reason)
    _append(transaction, stream, facts)
    return "ACCEPTED" if facts else "DUPLICATE"


def _delivery(transaction: Transaction, stream: StreamId, of: DeliveryOf) -> Delivery | None:
    if stream.type == RECEIPT.name:
        receipt = transaction.state(RECEIPT, stream.id)
        email = None if receipt is None else receipt.emails.get(of.delivery_id)
        return None if email is None else email.delivery
    month = transaction.state(DOCUMENT_ACCESS, stream.id)
    return None if month is None else month.deliveries.get(of.delivery_id)


def _document_of(transaction: Transaction, stream: StreamId) -> str:
    """What went out by a delivery that is recorded there."""
    if stream.type != RECEIPT.name:
        return stream.id.partition("/")[0]
    receipt = transaction.state(RECEIPT, stream.id)
    assert receipt is not None, "it was sent"
    return receipt.generated.document_id


def _append(transaction: Transaction, stream: StreamId, facts: Iterable[DeliveryAttemptFact]) -> None:
    """Of a receipt's delivery its own history tells, of any other that of the document's accesses."""
    transaction.append(stream, told_of_receipt(facts) if stream.type == RECEIPT.name else facts)


def _claim(transaction: Transaction, stream: StreamId, of: DeliveryOf) -> None:
    """Lets an e-mail that comes back, named by its delivery alone, find where that is recorded."""
    claim = claim_stream("DELIVERY", of.delivery_id)
    if of.channel == "EMAIL" and transaction.state(CLAIM, claim.id) is None:
        taken = ClaimTaken(
            purpose="DELIVERY",
            key=of.delivery_id,
            holder=f"{stream.type}/{stream.id}",
            fingerprint="",
        )
        transaction.append(claim, (taken,))
