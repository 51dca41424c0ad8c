"""Every call that leaves the house, a row each: what for, under which key, and what if no answer comes.

The rows stand where the adapters are, so that they tell the numbers that these go by. No module may use a
network client without a row here (`tests/architecture/test_external_calls.py`; S2, contract §8).
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from application.due_documents import LONGEST_RETRY_SECONDS
from application.operations.artifacts import DOWNLOAD_ARTIFACT
from application.operations.documents import DELIVER_DOCUMENT, ISSUE_NUMBERED_DOCUMENT, RESEND_DOCUMENT
from application.operations.operation import Classification
from application.operations.payables import EXECUTE_AP_PAYMENT, SETTLE_AP_PAYMENT
from application.operations.payments import (
    NOTIFY_PAYMENT,
    PAY_INVOICE,
    REFUND_PAYMENT,
    SETTLE_PAYMENT,
    VOID_PAYMENT,
)
from application.operations.receipts import DELIVER_RECEIPT, REPRINT_RECEIPT
from domain.documents.delivery import MOST_ATTEMPTS
from domain.fiscal.countries.simulated.driver import STAMP_TIMEOUT_SECONDS
from infrastructure import artifact_source, identity
from infrastructure.gateways import bank_transfers, stripe, transport
from infrastructure.mail import folders, smtp
from infrastructure.outbox import delivery, schedule
from infrastructure.stamping import http_authority

RELAY = "the outbox relay"
"""The worker that tells subscribers of outbound facts; it records nothing in the ledger."""

ANY_OPERATION = "every operation with a bearer token"


@dataclass(frozen=True)
class OutsideIdempotency:
    """How a repeat is kept from taking effect twice.

    `key` is what the other side knows the act by, and how it is derived; `replay` what it answers to a
    repeat; `inflight` what keeps two of them from going out at once.
    """

    key: str
    replay: str
    inflight: str


NOTHING_CHANGES = OutsideIdempotency(key="none", replay="asked anew", inflight="none")
"""Of a call that only reads."""


@dataclass(frozen=True)
class ExternalCall:
    """One kind of call to somebody else.

    `adapters` are the modules that make it, `caused_by` the operations, or the worker, that it is made for.
    `success` says what counts as one, `audit_event` where that is recorded. `redaction` names what the call
    holds and no log, metric or error tells.
    """

    name: str
    adapters: tuple[str, ...]
    caused_by: tuple[str, ...]
    classification: tuple[Classification, ...]
    idempotency: OutsideIdempotency
    success: str
    audit_event: str | None
    timeout: str
    retries: str
    fallback: str
    redaction: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """The row as `billing operations --external --json` prints it."""
        return {
            "name": self.name,
            "adapters": list(self.adapters),
            "causedBy": list(self.caused_by),
            "classification": list(self.classification),
            "idempotency": asdict(self.idempotency),
            "success": self.success,
            "audit": {"event": self.audit_event},
            "timeout": self.timeout,
            "retries": self.retries,
            "fallback": self.fallback,
            "redaction": list(self.redaction),
        }


_STAMP = ExternalCall(
    name="authority.stamp",
    adapters=(http_authority.__name__,),
    caused_by=(ISSUE_NUMBERED_DOCUMENT,),
    classification=("external_effect", "irreversible"),
    idempotency=OutsideIdempotency(
        key="the document's id, in the address",
        replay="409, and the stamp that it has is looked up",
        inflight="one worker asks for a document at a time",
    ),
    success="The authority's stamp is of the content that was sent, and its file is in the vault",
    audit_event="document.stamped",
    timeout=f"{http_authority.CONNECT_SECONDS:g} s to connect; {STAMP_TIMEOUT_SECONDS} s in all",
    retries=f"without end, waits growing fourfold from 1 s to {LONGEST_RETRY_SECONDS} s; none once refused",
    fallback="the document is parked with a task and keeps its number; others go on",
    redaction=("content",),
)

_MAIL = ExternalCall(
    name="mail.send",
    adapters=(smtp.__name__, folders.__name__),
    caused_by=(RESEND_DOCUMENT.name, DELIVER_DOCUMENT),
    classification=("external_effect", "irreversible"),
    idempotency=OutsideIdempotency(
        key="Message-ID, the delivery's id (folder: the file's name)",
        replay="SMTP: never repeated where it may have been taken; folder: the file that there is",
        inflight="the attempt is recorded before it is made, by the only process that delivers",
    ),
    success="The server answers the message with 2xx, or the file is in the folder",
    audit_event="document-access.delivered",
    timeout=f"{smtp.TIMEOUT_SECONDS:g} s for each step of the conversation",
    retries=f"{MOST_ATTEMPTS} attempts within hours where it certainly did not go out; none after 5xx",
    fallback="a task: DELIVERY_FAILED, or DELIVERY_UNCONFIRMED where nobody knows",
    redaction=("recipient", "message", "link", "password"),
)

_RECEIPT_MAIL = replace(
    _MAIL,
    name="mail.send-receipt",
    caused_by=(PAY_INVOICE.name, DELIVER_RECEIPT.name, REPRINT_RECEIPT.name),
    audit_event="receipt.delivery-sent",
)

_LETTER = ExternalCall(
    name="post.lay-in",
    adapters=(folders.__name__,),
    caused_by=(DELIVER_DOCUMENT,),
    classification=("external_effect",),
    idempotency=OutsideIdempotency(
        key="the file's name: number and id of the document",
        replay="the file that there is",
        inflight="the attempt is recorded before it is made, by the only process that delivers",
    ),
    success="The letter is in the print room's folder, on disk",
    audit_event="document-access.delivered",
    timeout="none: it is a disk of ours",
    retries=f"{MOST_ATTEMPTS} attempts within hours",
    fallback="a task: DELIVERY_FAILED",
    redaction=("recipient", "content"),
)

_WEBHOOK = ExternalCall(
    name="webhooks.post",
    adapters=(delivery.__name__,),
    caused_by=(RELAY,),
    classification=("external_effect",),
    idempotency=OutsideIdempotency(
        key="webhook-id, derived from the event's stream and version",
        replay="receivers know the id; they are told at least once",
        inflight="one process has a subscriber's turn",
    ),
    success="The receiver answers 2xx",
    audit_event=None,
    timeout=f"{delivery.CONNECT_SECONDS:g} s to connect, {delivery.ATTEMPT_SECONDS:g} s in all",
    retries=(
        f"waits doubling from {schedule.FIRST_WAIT.seconds} s to {schedule.LONGEST_WAIT.seconds} s, until"
        " BILLING_WEBHOOK_GIVE_UP_HOURS are over"
    ),
    fallback="a dead letter, which `billing webhooks retry` sends again; other subscribers go on",
    redaction=("address", "secret", "body"),
)

_ARTIFACT = ExternalCall(
    name="artifacts.fetch",
    adapters=(artifact_source.__name__,),
    caused_by=(DOWNLOAD_ARTIFACT.name,),
    classification=(),
    idempotency=NOTHING_CHANGES,
    success="200 with the bytes whose size and hash upstream told",
    audit_event="document-access.artifact-downloaded",
    timeout=f"{artifact_source.CONNECT_SECONDS:g} s to connect, {artifact_source.FETCH_SECONDS:g} s in all",
    retries="none: the caller asks again",
    fallback="503 ARTIFACT_SOURCE_UNAVAILABLE with Retry-After",
    redaction=("uri",),
)

_JWKS = ExternalCall(
    name="identity.fetch-keys",
    adapters=(identity.__name__,),
    caused_by=(ANY_OPERATION,),
    classification=(),
    idempotency=NOTHING_CHANGES,
    success="A key set that can be read",
    audit_event=None,
    timeout=f"{identity.JWKS_TIMEOUT_SECONDS:g} s",
    retries=f"with the next token, {identity.JWKS_PAUSE_SECONDS} s later at the earliest",
    fallback=f"keys fetched before serve for {identity.JWKS_STALE_SECONDS} s, then 503 SERVICE_UNAVAILABLE",
    redaction=("token",),
)

_STRIPE = (stripe.__name__, transport.__name__)
_BANK = (bank_transfers.__name__, transport.__name__)
_ONCE_A_STATE = "no key: the other side does it once for a reference, and tells when it was done"


def _gateway_call(
    name: str, adapters: tuple[str, ...], caused_by: tuple[str, ...], key: str, success: str, event: str
) -> ExternalCall:
    """A step of a payment. The intent is recorded before, under the lock of the ledger; the outcome after."""
    return ExternalCall(
        name=name,
        adapters=adapters,
        caused_by=caused_by,
        classification=("external_effect", "irreversible"),
        idempotency=OutsideIdempotency(
            key=key,
            replay="the same payment or refund as it stands now",
            inflight="409 IDEMPOTENCY_IN_FLIGHT to clients; two processes at one step send the same key",
        ),
        success=success,
        audit_event=event,
        timeout=f"{transport.CONNECT_SECONDS:g} s to connect, BILLING_GATEWAY_TIMEOUT_SECONDS for the step",
        retries="by the worker that settles payments, which looks up what became of the step first",
        fallback=(
            "certainly not taken: 503 with Retry-After, the payment has FAILED; unknown: 202, it is PENDING,"
            " its amount stays reserved and the worker asks on"
        ),
        redaction=("paymentMethodToken", "apiKey", "body"),
    )


def _gateway_look_up(name: str, adapters: tuple[str, ...], caused_by: tuple[str, ...]) -> ExternalCall:
    return ExternalCall(
        name=name,
        adapters=adapters,
        caused_by=caused_by,
        classification=(),
        idempotency=NOTHING_CHANGES,
        success="How the payment stands, or that there certainly is none, once a look-up cannot miss it",
        audit_event=None,
        timeout=f"{transport.CONNECT_SECONDS:g} s to connect, BILLING_GATEWAY_TIMEOUT_SECONDS for the step",
        retries="by the worker that settles payments",
        fallback="the payment stays as it is",
        redaction=("apiKey", "body"),
    )


_GATEWAY_CALLS = (
    _gateway_call(
        "stripe.authorize",
        _STRIPE,
        (PAY_INVOICE.name,),
        "Idempotency-Key and metadata, PAYMENT:authorize",
        "The intent waits for its capture; no money has moved",
        "payment.authorized",
    ),
    _gateway_call(
        "stripe.capture",
        _STRIPE,
        (PAY_INVOICE.name, SETTLE_PAYMENT),
        _ONCE_A_STATE,
        "The charge is captured: the intent has succeeded",
        "payment.captured",
    ),
    _gateway_call(
        "stripe.void",
        _STRIPE,
        (VOID_PAYMENT.name, SETTLE_PAYMENT),
        "PAYMENT:void on the refund of a captured one; a cancellation happens once",
        "The intent is cancelled, or all of it refunded",
        "payment.voided",
    ),
    _gateway_call(
        "stripe.refund",
        _STRIPE,
        (REFUND_PAYMENT.name, SETTLE_PAYMENT),
        "Idempotency-Key and metadata, PAYMENT:refund and the refund's id; it is looked for before",
        "The refund has succeeded at Stripe",
        "payment.refunded",
    ),
    _gateway_look_up("stripe.look-up", _STRIPE, (SETTLE_PAYMENT, NOTIFY_PAYMENT.name)),
    _gateway_call(
        "bank.create-transfer",
        _BANK,
        (EXECUTE_AP_PAYMENT.name, SETTLE_AP_PAYMENT),
        "Idempotency-Key and the transfer's key, PAYMENT:authorize",
        "The transfer is created; no money has moved",
        "ap-payment.gateway-awaited",
    ),
    _gateway_call(
        "bank.release-transfer",
        _BANK,
        (EXECUTE_AP_PAYMENT.name, SETTLE_AP_PAYMENT),
        _ONCE_A_STATE,
        "The transfer is settled",
        "ap-payment.gateway-succeeded",
    ),
    _gateway_look_up("bank.look-up", _BANK, (SETTLE_AP_PAYMENT, NOTIFY_PAYMENT.name)),
)

EXTERNAL_CALLS = (*_GATEWAY_CALLS, _STAMP, _MAIL, _RECEIPT_MAIL, _LETTER, _WEBHOOK, _ARTIFACT, _JWKS)
"""In the order of what they can do."""
