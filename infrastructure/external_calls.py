"""Every call that leaves the house, a row each: what for, under which key, and what if no answer comes.

The rows stand where the adapters are, so that they tell the numbers that these go by. No module may use a
network client without a row here (`tests/architecture/test_external_calls.py`; S2, contract §8).
"""

from dataclasses import asdict, dataclass, replace
from typing import Any

from application.due_documents import LONGEST_RETRY_SECONDS
from application.operations.artifacts import DOWNLOAD_ARTIFACT
from application.operations.operation import Classification
from application.operations.payments import PAY_INVOICE, REFUND_PAYMENT, VOID_PAYMENT
from application.operations.unrouted import (
    DELIVER_DOCUMENT,
    ISSUE_NUMBERED_DOCUMENT,
    SETTLE_AP_PAYMENT,
    SETTLE_PAYMENT,
)
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

    `adapters` are the modules that make it, `caused_by` the operations in which it is made, or the relay.
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
    caused_by=(ISSUE_NUMBERED_DOCUMENT.name,),
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
    caused_by=(DELIVER_DOCUMENT.name,),
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
    audit_event="receipt.delivery-sent",
)

_LETTER = ExternalCall(
    name="post.lay-in",
    adapters=(folders.__name__,),
    caused_by=(DELIVER_DOCUMENT.name,),
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
_STEP_TIMEOUT = f"{transport.CONNECT_SECONDS:g} s to connect, BILLING_GATEWAY_TIMEOUT_SECONDS for the step"
_SAME_KEY = "two processes at one step send the same key"
_ONCE = "the gateway takes the step once, whoever asks for it"
_IN_FLIGHT = f"409 IDEMPOTENCY_IN_FLIGHT to the client; {_SAME_KEY}"
_LOOKED_UP_FIRST = "by the worker, less and less often, which looks up first what became of the step"
_AS_IT_WAS = "certainly not taken: 503 with Retry-After, and the payment stands as it was"
_STAYS_PENDING = "it is PENDING, its amount stays reserved and the worker asks on"
_BANK_IS_AWAITED = (
    "certainly not taken, or unknown: the payment stays as it is with what it reserves, the worker asks on,"
    " and in the end a task says so (AP_PAYMENT_DELAYED); nobody waits for it meanwhile"
)
_NOT_TOLD = ("apiKey", "body")


def _gateway_step(
    name: str,
    adapters: tuple[str, ...],
    *caused_by: str,
    key: str,
    replay: str,
    success: str,
    event: str,
    fallback: str,
    inflight: str = _IN_FLIGHT,
    retries: str = _LOOKED_UP_FIRST,
    redaction: tuple[str, ...] = _NOT_TOLD,
) -> ExternalCall:
    """A step of a payment. The intent is recorded before, under the lock of the ledger; the outcome after."""
    return ExternalCall(
        name=name,
        adapters=adapters,
        caused_by=caused_by,
        classification=("external_effect", "irreversible"),
        idempotency=OutsideIdempotency(key=key, replay=replay, inflight=inflight),
        success=success,
        audit_event=event,
        timeout=_STEP_TIMEOUT,
        retries=retries,
        fallback=fallback,
        redaction=redaction,
    )


def _gateway_look_up(name: str, adapters: tuple[str, ...], *caused_by: str, retries: str) -> ExternalCall:
    return ExternalCall(
        name=name,
        adapters=adapters,
        caused_by=caused_by,
        classification=(),
        idempotency=NOTHING_CHANGES,
        success="How the payment stands, or that there certainly is none, once a look-up cannot miss it",
        audit_event=None,
        timeout=_STEP_TIMEOUT,
        retries=retries,
        fallback="the payment stays as it is",
        redaction=_NOT_TOLD,
    )


_GATEWAY_CALLS = (
    _gateway_step(
        "stripe.authorize",
        _STRIPE,
        PAY_INVOICE.name,
        key="PAYMENT:authorize, as Idempotency-Key and in the metadata",
        replay="the same intent as it stands now",
        inflight="409 IDEMPOTENCY_IN_FLIGHT to the client; nobody but the process that was asked authorises",
        success="The intent waits for its capture; no money has moved",
        event="payment.authorized",
        retries="none, for what it is paid with is kept nowhere: the worker looks up what became of it",
        fallback=(
            "certainly not taken: 503 with Retry-After, and the payment has FAILED; unknown: 202,"
            f" {_STAYS_PENDING}"
        ),
        redaction=("paymentMethodToken", *_NOT_TOLD),
    ),
    _gateway_step(
        "stripe.capture",
        _STRIPE,
        *(PAY_INVOICE.name, SETTLE_PAYMENT.name),
        key="none: Stripe captures an intent once",
        inflight=_ONCE,
        replay="the intent as it stands now",
        success="The charge is captured: the intent has succeeded",
        event="payment.captured",
        fallback=f"certainly not taken, or unknown: 202, {_STAYS_PENDING}, for the money is held ready",
    ),
    _gateway_step(
        "stripe.void",
        _STRIPE,
        *(VOID_PAYMENT.name, SETTLE_PAYMENT.name),
        key="PAYMENT:void, as Idempotency-Key and in the metadata; Stripe cancels what is not captured once",
        replay="the intent as it stands now, cancelled or refunded once",
        success="The intent is cancelled, or all of it refunded",
        event="payment.voided",
        fallback=f"{_AS_IT_WAS}; unknown: 202, the void is under way and the worker asks on",
    ),
    _gateway_step(
        "stripe.refund",
        _STRIPE,
        *(REFUND_PAYMENT.name, SETTLE_PAYMENT.name),
        key="PAYMENT:refund and the refund's id, as Idempotency-Key and in the metadata; looked for before",
        replay="the same refund as it stands now",
        success="The refund has succeeded at Stripe",
        event="payment.refunded",
        fallback=f"{_AS_IT_WAS}; unknown: 202, the refund is under way and the worker asks on",
    ),
    _gateway_look_up(
        "stripe.look-up",
        _STRIPE,
        *(PAY_INVOICE.name, VOID_PAYMENT.name, REFUND_PAYMENT.name, SETTLE_PAYMENT.name),
        retries="with the step that it belongs to, and by the worker that settles payments",
    ),
    _gateway_step(
        "bank.create-transfer",
        _BANK,
        SETTLE_AP_PAYMENT.name,
        key="PAYMENT:authorize, as Idempotency-Key and as the transfer's own key",
        replay="the same transfer as it stands now",
        inflight=_SAME_KEY,
        success="The transfer is created; no money has moved",
        event="ap-payment.gateway-awaited",
        fallback=_BANK_IS_AWAITED,
    ),
    _gateway_step(
        "bank.release-transfer",
        _BANK,
        SETTLE_AP_PAYMENT.name,
        key="none: the bank releases a transfer once",
        replay="the transfer as it stands now",
        inflight=_ONCE,
        success="The transfer is settled",
        event="ap-payment.gateway-succeeded",
        fallback=_BANK_IS_AWAITED,
    ),
    _gateway_step(
        "bank.cancel-transfer",
        _BANK,
        SETTLE_AP_PAYMENT.name,
        key="none: the bank cancels a transfer once",
        replay="the transfer as it stands now",
        inflight=_ONCE,
        success="The transfer is cancelled, of which the bank had refused the release",
        event="ap-payment.gateway-failed",
        fallback=_BANK_IS_AWAITED,
    ),
    _gateway_look_up(
        "bank.look-up", _BANK, SETTLE_AP_PAYMENT.name, retries="by the worker that has vendors paid"
    ),
)

EXTERNAL_CALLS = (*_GATEWAY_CALLS, _STAMP, _MAIL, _RECEIPT_MAIL, _LETTER, _WEBHOOK, _ARTIFACT, _JWKS)
"""In the order of what they can do."""
