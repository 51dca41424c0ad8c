"""Open tasks: what waits for a person or a retry, its cause, and what resumes it (contract §6)."""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, cast
from urllib.parse import quote

from sqlalchemy import (
    BigInteger,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    false,
    or_,
    select,
    true,
)

from domain.accounts.fiscal_profile import FiscalProfileConfigured, ProfileOwner, missing_fields
from domain.documents.document_facts import (
    DocumentIssueFailed,
    DocumentReplaced,
    DocumentRetryAsked,
    DocumentVoided,
    MissingProfile,
)
from domain.documents.order_facts import (
    OrderCompleted,
    OrderCompletionParked,
    OrderDisputeCompleted,
    OrderDisputeParked,
    OrderRefunded,
    OrderRefundParked,
)
from domain.gateway_deferrals import GatewayDeferral
from domain.kernel.recorded import RecordedEvent
from domain.payables.ap_payment import AP_PAYMENT
from domain.payables.ap_payment_facts import ApPaymentGlAnswerParked
from domain.receivables.payment import PAYMENT
from domain.receivables.payment_facts import PaymentRefundReturned
from projections.delivery_tasks import (
    DELIVERY_ENDS,
    SENT_OR_ASKED_FOR_AGAIN,
    DeliveryTold,
    delivery_ended,
    delivery_task_id,
)
from projections.projection import Key, Projection, Query, Row, RowFold
from projections.task_rows import TASK_TABLE, opened

_task = TASK_TABLE.c
_RETRIED_BY_ITSELF = "The worker retries by itself; `billing work` must be running."
_CORRECTED_BY_SOMEBODY = (
    "Correct what the authority names, then POST /v1/documents/issue again, or void the document."
)
_PARKED_OF_ORDERS = {
    "order.refund-parked": (
        "REFUND_PARKED",
        "The refund sent again, corrected, as a new event with a new snapshotId.",
    ),
    "order.dispute-parked": (
        "DISPUTE_PARKED",
        "The dispute's end sent again, corrected, as a new event with a new snapshotId.",
    ),
    "order.completion-parked": (
        "COMPLETION_PARKED",
        "The completion sent again as a new event, with the order's own data or without any.",
    ),
}
_PROFILE_RESUMED_BY = "PUT /v1/fiscal-profiles/{owner_type}/{owner_id}?countryCode={country_code}"
_DELAYED = {PAYMENT.name: "PAYMENT_DELAYED", AP_PAYMENT.name: "AP_PAYMENT_DELAYED"}
_ASKED_AGAIN_BY_ITSELF = (
    "The worker asks the gateway again by itself; `billing work` must be running. "
    "See to the gateway, or to the payment there: it is known by its billingPaymentId."
)
_GIVEN_OTHERWISE = "The refund did not reach the customer, whose bank sent it back: give it in another way."
_SEEN_TO_BY_ACCOUNTING = "Accounting answered for a payment that failed: have the entry there reversed."


def _issue_failed(row: Row, event: RecordedEvent, task_id: str) -> Row | None:
    fact = cast(DocumentIssueFailed, event.fact)
    if fact.missing_profiles:
        return _profile_missing(row, event, task_id, fact.missing_profiles)
    return opened(
        row,
        event,
        task_id,
        type="DOCUMENT_PARKED",
        target_type="document",
        target_id=event.stream.id,
        cause=fact.reason,
        authority_code=fact.authority_code,
        attempts=fact.attempt,
        next_retry_at=fact.retry_at,
        resumed_by=_CORRECTED_BY_SOMEBODY if fact.retry_at is None else _RETRIED_BY_ITSELF,
    )


def _profile_missing(
    row: Row, event: RecordedEvent, task_id: str, missing_profiles: Iterable[MissingProfile]
) -> Row | None:
    """One task a profile, however many documents wait for it."""
    missing = next(each for each in missing_profiles if _profile_task_id(_owner(each)) == task_id)
    known = row["demanded_fields"] if row and row["is_open"] else []
    demanded = list(dict.fromkeys((*known, *missing.fields)))
    still_missing = list(dict.fromkeys((*(row["missing_fields"] if known else ()), *missing.fields)))
    owner = _owner(missing)
    return opened(
        row,
        event,
        task_id,
        type="PROFILE_INCOMPLETE",
        target_type="fiscal-profile",
        target_id=owner.profile_id,
        owner_type=owner.owner_type,
        owner_id=owner.owner_id,
        cause="issue_failed_profile_missing",
        demanded_fields=demanded,
        missing_fields=still_missing,
        resumed_by=_PROFILE_RESUMED_BY.format(
            owner_type=owner.owner_type,
            owner_id=quote(owner.owner_id, safe=""),
            country_code=owner.country_code,
        ),
    )


def _profile_configured(row: Row, event: RecordedEvent, _: str) -> Row | None:
    if not row:
        return None
    content = cast(FiscalProfileConfigured, event.fact).content
    still_missing = list(missing_fields(content, row["demanded_fields"]))
    return row | {"missing_fields": still_missing, "is_open": row["is_open"] and bool(still_missing)}


def _retry_asked(row: Row, event: RecordedEvent, _: str) -> Row | None:
    if not row:
        return None
    at = cast(DocumentRetryAsked, event.fact).retry_at
    return row | {"next_retry_at": at, "resumed_by": _RETRIED_BY_ITSELF}


def _order_parked(row: Row, event: RecordedEvent, task_id: str) -> Row:
    """Something of an order had waited for it, and proved invalid when it came."""
    fact = cast(OrderRefundParked | OrderDisputeParked | OrderCompletionParked, event.fact)
    task_type, resumed_by = _PARKED_OF_ORDERS[event.name]
    return opened(
        row,
        event,
        task_id,
        type=task_type,
        target_type="order",
        target_id=event.stream.id,
        cause=fact.code,
        resumed_by=resumed_by,
    )


def _gateway_deferred(row: Row, event: RecordedEvent, task_id: str) -> Row | None:
    """That the gateway has to be asked again is somebody's task once it has been so for long."""
    fact = cast(GatewayDeferral, event.fact)
    if not fact.is_overdue:
        return row or None
    return opened(
        row,
        event,
        task_id,
        type=_DELAYED[event.stream.type],
        target_type=event.stream.type,
        target_id=event.stream.id,
        cause=f"gateway_{fact.reason.lower()}",
        attempts=fact.attempt,
        next_retry_at=fact.retry_at,
        resumed_by=_ASKED_AGAIN_BY_ITSELF,
    )


def _refund_returned(row: Row, event: RecordedEvent, task_id: str) -> Row:
    fact = cast(PaymentRefundReturned, event.fact)
    return opened(
        row,
        event,
        task_id,
        type="REFUND_RETURNED",
        target_type=event.stream.type,
        target_id=event.stream.id,
        cause="refund_returned",
        authority_code=fact.code,
        resumed_by=_GIVEN_OTHERWISE,
    )


def _gl_answer_parked(row: Row, event: RecordedEvent, task_id: str) -> Row:
    return opened(
        row,
        event,
        task_id,
        type="GL_ANSWER_PARKED",
        target_type="ap-payment",
        target_id=event.stream.id,
        cause="PAYMENT_NOT_POSTABLE",
        resumed_by=_SEEN_TO_BY_ACCOUNTING,
    )


_TOLD_OF_PAYMENTS = ("authorized", "captured", "failed", "voided", "void-failed", "refunded", "refund-failed")
"""What a gateway tells at last, of one step or another; a payment takes them one at a time."""


def _done(row: Row, _: RecordedEvent, __: str) -> Row | None:
    return row | {"is_open": False, "next_retry_at": None} if row else None


def _keys(event: RecordedEvent) -> Iterable[Key]:
    match event.fact:
        case OrderRefundParked(refund_id=refund_id):
            return ((_order_task_id("refund", event, refund_id),),)
        case OrderRefunded(refund=refund):
            return ((_order_task_id("refund", event, refund.refund_id),),)
        case OrderDisputeParked(dispute_id=dispute_id):
            return ((_order_task_id("dispute", event, dispute_id),),)
        case OrderDisputeCompleted(dispute=dispute):
            return ((_order_task_id("dispute", event, dispute.dispute_id),),)
        case OrderCompletionParked() | OrderCompleted():
            return ((_order_task_id("completion", event, ""),),)
        case DocumentIssueFailed(missing_profiles=missing) if missing:
            return [(name,) for name in dict.fromkeys(_profile_task_id(_owner(each)) for each in missing)]
        case FiscalProfileConfigured(content=content):
            return ((_profile_task_id(content.owner),),)
        case fact if isinstance(fact, DeliveryTold):
            return ((delivery_task_id(fact.document_id),),)
        case PaymentRefundReturned(refund_id=refund_id):
            return ((f"refund-returned:{event.stream.id}/{refund_id}",),)
        case ApPaymentGlAnswerParked():
            return ((f"gl-answer:{event.stream.id}",),)
        case DocumentVoided() | DocumentReplaced():
            return ((f"document:{event.stream.id}",), (delivery_task_id(event.stream.id),))
        case _:
            return ((f"{event.stream.type}:{event.stream.id}",),)


def _owner(missing: MissingProfile) -> ProfileOwner:
    return ProfileOwner(
        owner_type=missing.owner_type, owner_id=missing.owner_id, country_code=missing.country_code
    )


def _profile_task_id(owner: ProfileOwner) -> str:
    return f"profile:{owner.profile_id}"


def _order_task_id(kind: str, event: RecordedEvent, cause_id: str) -> str:
    """Parts percent-encoded, for upstream's ids may hold slashes."""
    return f"{kind}:{quote(event.stream.id, safe='')}/{quote(cause_id, safe='')}"


_FOLDS: Mapping[str, Callable[[Row, RecordedEvent, str], Row | None]] = {
    "document.issue-failed": _issue_failed,
    "document.retry-asked": _retry_asked,
    **dict.fromkeys(("document.issued", "document.voided", "document.replaced"), _done),
    "fiscal-profile.configured": _profile_configured,
    **dict.fromkeys(DELIVERY_ENDS, delivery_ended),
    **dict.fromkeys(SENT_OR_ASKED_FOR_AGAIN, _done),
    **dict.fromkeys(("payment.gateway-deferred", "ap-payment.gateway-deferred"), _gateway_deferred),
    **dict.fromkeys((f"payment.{told}" for told in _TOLD_OF_PAYMENTS), _done),
    **dict.fromkeys((f"ap-payment.gateway-{told}" for told in ("awaited", "succeeded", "failed")), _done),
    "payment.refund-returned": _refund_returned,
    "ap-payment.gl-answer-parked": _gl_answer_parked,
    **dict.fromkeys(_PARKED_OF_ORDERS, _order_parked),
    **dict.fromkeys(("order.refund-executed", "order.dispute-completed", "order.completed"), _done),
}


def _fold(row: Row | None, event: RecordedEvent, key: Key) -> Row | None:
    return _FOLDS[event.name](row if row is not None else {}, event, key[0])


TASKS = Projection(
    name="tasks",
    event_names=frozenset(_FOLDS),
    row_folds=(RowFold(TASK_TABLE, _keys, _fold),),
    version=3,
)


def select_open_tasks(owners: Mapping[str, str] | None, after_position: int, limit: int) -> Query:
    """Open tasks, oldest first, behind a cursor's position.

    `owners` are ids by type (BUYER, SELLER), whose own tasks they are; None for everybody's.
    """
    parameters: dict[str, Any] = {f"own_{kind}": name for kind, name in (owners or {}).items()}
    statement = _list(owners is None, frozenset(parameters))
    return Query(statement, {**parameters, "after_position": after_position, "limit": limit}, one_plan=False)


@lru_cache(maxsize=16)
def _list(everybodys: bool, names: frozenset[str]) -> Select[Any]:
    """The statement for the parameters of these names."""
    owned = [
        and_(_task.owner_type == kind, _task.owner_id == bindparam(f"own_{kind}", type_=Text))
        for kind in ("BUYER", "SELLER")
        if f"own_{kind}" in names
    ]
    behind = _task.position > bindparam("after_position", type_=BigInteger)
    shown = or_(true() if everybodys else false(), *owned)
    limit = bindparam("limit", type_=Integer)
    return (
        select(TASK_TABLE).where(_task.is_open == true(), behind, shown).order_by(_task.position).limit(limit)
    )
