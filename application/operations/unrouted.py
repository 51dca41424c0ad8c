"""What no route leads to: what workers do of their own accord, and operators at the command line.

Its names stand in the audit trail beside those of the catalog, which lists what clients may ask for (S2,
AUDIT-8). It does no more than a command has called for, and looks at what is recorded before it does it.
"""

from dataclasses import asdict, dataclass
from typing import Any

from application.operations.documents import (
    CREDIT_DOCUMENT,
    ISSUE_DOCUMENT,
    REPLACE_DOCUMENT,
    RESEND_DOCUMENT,
)
from application.operations.fiscal_profiles import SET_FISCAL_PROFILE
from application.operations.inbound import RECEIVE_EVENTS
from application.operations.invoices import CREDIT_INVOICE, ISSUE_INVOICE, REBILL_INVOICE
from application.operations.operation import Classification
from application.operations.payables import EXECUTE_AP_PAYMENT
from application.operations.payments import NOTIFY_PAYMENT, PAY_INVOICE, REFUND_PAYMENT, VOID_PAYMENT
from application.operations.receipts import DELIVER_RECEIPT, REPRINT_RECEIPT


@dataclass(frozen=True)
class Repeating:
    """Why a repeat changes nothing.

    `source` is what identifies the act, `replay` what comes of a repeat, `inflight` of two at once.
    """

    source: str
    replay: str
    inflight: str


@dataclass(frozen=True)
class UnroutedOperation:
    """One thing that is recorded under a name of its own and that no client asks for.

    `caused_by` are the operations that it finishes or follows from, or the command that operators give.
    `audit_events` is what it may be recorded as; `redaction` names what it holds and no log, metric or error
    tells.
    """

    name: str
    summary: str
    caused_by: tuple[str, ...]
    success: str
    idempotency: Repeating
    audit_events: tuple[str, ...]
    classification: tuple[Classification, ...] = ()
    redaction: tuple[str, ...] = ()

    def row(self) -> dict[str, Any]:
        """The row as `billing operations --unrouted --json` prints it."""
        return {
            "name": self.name,
            "summary": self.summary,
            "causedBy": list(self.caused_by),
            "classification": list(self.classification),
            "idempotency": {"required": True, **asdict(self.idempotency)},
            "success": self.success,
            "audit": {"events": list(self.audit_events)},
            "redaction": list(self.redaction),
        }


_OUTSIDE: tuple[Classification, ...] = ("external_effect", "irreversible")

SETTLE_PAYMENT = UnroutedOperation(
    name="payments.settle",
    summary="Takes a customer's payment on that hangs, when it is due or its gateway sends a notice",
    caused_by=(PAY_INVOICE.name, VOID_PAYMENT.name, REFUND_PAYMENT.name, NOTIFY_PAYMENT.name),
    classification=_OUTSIDE,
    success="How the payment stands at its gateway is recorded, with all that it leads to",
    idempotency=Repeating(
        source="id of the payment and the step, the key at the gateway",
        replay="nothing: what is recorded is not asked for again, and how it stands is looked up first",
        inflight="both send the same key, and the ledger records one outcome",
    ),
    audit_events=(
        *("payment.authorized", "payment.captured", "payment.failed", "payment.deferred"),
        *("payment.voided", "payment.void-failed", "payment.void-deferred"),
        *("payment.refunded", "payment.refund-failed", "payment.refund-deferred"),
        *("payment.refund-returned", "payment.gateway-deferred"),
    ),
    redaction=("apiKey", "body"),
)

SETTLE_AP_PAYMENT = UnroutedOperation(
    name="ap-payments.settle",
    summary="Takes a payment to a vendor through the bank, when it is due or the bank sends a notice",
    caused_by=(EXECUTE_AP_PAYMENT.name, NOTIFY_PAYMENT.name),
    classification=_OUTSIDE,
    success="How the transfer stands at the bank is recorded; once it is settled, accounting is told",
    idempotency=Repeating(
        source="id of the payment and the step, the key at the bank",
        replay="nothing: a payment that has ended is left alone, and how it stands is looked up first",
        inflight="both send the same key, and the ledger records one outcome",
    ),
    audit_events=(
        *("ap-payment.gateway-awaited", "ap-payment.gateway-succeeded", "ap-payment.gl-post-awaited"),
        *("ap-payment.gateway-failed", "ap-payment.gateway-deferred"),
    ),
    redaction=("apiKey", "body"),
)

RESUME_DOCUMENT = UnroutedOperation(
    name="documents.resume",
    summary="Gives a blocked document its number, once somebody has completed the profile that it lacked",
    caused_by=(SET_FISCAL_PROFILE.name,),
    classification=("irreversible",),
    success="The document has its number, or what it still lacks is on record",
    idempotency=Repeating(
        source="id of the document, and whether it is blocked",
        replay="nothing: a document that has its number is left alone",
        inflight="the ledger lets one number it; the other finds that done",
    ),
    audit_events=("document.numbered", "document.issue-failed"),
)

ISSUE_NUMBERED_DOCUMENT = UnroutedOperation(
    name="documents.issue-numbered",
    summary="Has a numbered document stamped where its country asks for that, draws, seals and stores it",
    caused_by=(
        *(RECEIVE_EVENTS.name, ISSUE_DOCUMENT.name, REPLACE_DOCUMENT.name, CREDIT_DOCUMENT.name),
        *(ISSUE_INVOICE.name, CREDIT_INVOICE.name, REBILL_INVOICE.name),
        *(PAY_INVOICE.name, REFUND_PAYMENT.name, SETTLE_PAYMENT.name, RESUME_DOCUMENT.name),
    ),
    classification=_OUTSIDE,
    success="The files are in the vault and their hashes and seal are recorded: the document is issued",
    idempotency=Repeating(
        source="id of the document, which the authority and the vault know it by",
        replay="nothing: an issued document is left alone, its stamp and its files are those that there are",
        inflight="one worker has a document; the same bytes come of it whoever draws them",
    ),
    audit_events=("document.stamped", "document.issued", "document.issue-failed"),
    redaction=("content",),
)

DELIVER_DOCUMENT = UnroutedOperation(
    name="documents.deliver",
    summary="Brings an issued document, or a payment's receipt, to its reader by e-mail or letter",
    caused_by=(
        *(RESEND_DOCUMENT.name, ISSUE_NUMBERED_DOCUMENT.name),
        *(PAY_INVOICE.name, SETTLE_PAYMENT.name, DELIVER_RECEIPT.name, REPRINT_RECEIPT.name),
    ),
    classification=_OUTSIDE,
    success="The mail server has taken the message, or the letter is in the print room's folder",
    idempotency=Repeating(
        source="id of the delivery, and the attempt",
        replay="nothing: what went out, or may have gone out, is not sent again",
        inflight="one process delivers, and records each attempt before it makes it",
    ),
    audit_events=(
        "document-access.delivery-started",
        "document-access.delivered",
        "document-access.delivery-failed",
        "document-access.delivery-unconfirmed",
        "receipt.delivery-started",
        "receipt.delivery-sent",
        "receipt.delivery-failed",
        "receipt.delivery-unconfirmed",
    ),
    redaction=("recipient", "message", "link", "content"),
)

ERASE_SUBJECT = UnroutedOperation(
    name="privacy.erase-subject",
    summary="Tells each stream that held a person's data that the key of it is destroyed",
    caused_by=("billing keys erase",),
    classification=("irreversible",),
    success="Every stream that held something sealed under the key has been told",
    idempotency=Repeating(
        source="id of the destroyed key, and the stream",
        replay="nothing: a stream is told of a key once",
        inflight="the second waits for the first",
    ),
    audit_events=(
        *("account.personal-data-erased", "credential.personal-data-erased"),
        *("document-access.personal-data-erased", "fiscal-profile.personal-data-erased"),
        *("invoice.personal-data-erased", "order.personal-data-erased", "receipt.personal-data-erased"),
    ),
)

DISABLE_CREDENTIAL = UnroutedOperation(
    name="auth.disable-credential",
    summary="Ends an approver's credential and voids the tokens that it gave",
    caused_by=("billing credential disable",),
    success="The credential approves nothing from now on",
    idempotency=Repeating(
        source="id of the credential, and whether it is enabled",
        replay="nothing: it is disabled already",
        inflight="the second waits for the first",
    ),
    audit_events=("credential.disabled",),
    redaction=("username",),
)

UNROUTED_OPERATIONS = (
    *(ISSUE_NUMBERED_DOCUMENT, RESUME_DOCUMENT, DELIVER_DOCUMENT),
    *(SETTLE_PAYMENT, SETTLE_AP_PAYMENT),
    *(ERASE_SUBJECT, DISABLE_CREDENTIAL),
)
"""By what they are about: documents, payments, persons."""
