"""Upstream facts."""

from application.operations.operation import PARTIES, Idempotency, Operation

RECEIVE_EVENTS = Operation(
    name="inbound.receive-events",
    kind="command",
    method="POST",
    path="/v1/inbound/events",
    summary="Takes CloudEvents from upstream, one or a batch",
    permissions=frozenset({"billing:inbound:write"}),
    success="Each event is recorded with what it leads to, or was known; 202 while documents get issued",
    statuses=(200, 202),
    classification=("irreversible",),
    idempotency=Idempotency(
        required=True,
        source="source and id of the event",
        replay="DUPLICATE, with what the first led to",
        inflight="waits for the first",
    ),
    audit_event="inbound.received",
    redaction=(*PARTIES, "displayName", "billingContact", "billingAddress", "taxId"),
    errors=(
        "CARD_DATA_REFUSED",
        "EVENT_CONFLICT",
        "SNAPSHOT_CONFLICT",
        "SNAPSHOT_INCONSISTENT",
        "CURRENCY_MISMATCH",
        "REFUND_EXCEEDS_PAID",
        "PARTY_CONFLICT",
        "PAYMENT_NOT_POSTABLE",
        "IDEMPOTENCY_KEY_REUSED",
    ),
)
