"""A work order as Work Execution reports it, and the invoices drafted for it (BILL-DEC-002, contract §4).

Commands: report, receive artifacts, note a draft. Its BillableScopeSnapshot never differs once reported;
status, approvals and references may, until an invoice freezes them. It has one primary invoice, the last that
was drafted.
"""

from typing import Annotated, Any, assert_never

from pydantic import Field, StringConstraints

from domain.invoicing.lines import BillableScopeSnapshot
from domain.kernel.errors import DomainError
from domain.kernel.facts import Fact, Identifier, Utc, Uuid, Value
from domain.kernel.streams import EventType, StreamType
from domain.upstream import Code, Description, SnapshotValue

COMPLETED = "COMPLETED"
MOST_REFERENCES = 200

_Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class ArtifactRef(SnapshotValue):
    """A file that belongs to the work order: an estimate, an approval's signature. Billing only refers to it.

    `uri` says where upstream keeps it; a file that came with the event itself is in the vault, by `sha256`.
    """

    artifact_ref_id: Identifier
    type: Code
    display_name: Description
    content_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-zA-Z0-9.+-]{1,100}$")]
    size_bytes: Annotated[int, Field(strict=True, ge=0)]
    created_at: Utc
    sha256: _Sha256 | None = None
    uri: Annotated[str, StringConstraints(max_length=2000)] | None = None


class WorkOrderData(SnapshotValue):
    """A work order as `workexec.WORK_ORDER_READY` brings it."""

    work_order_id: Uuid
    customer_account_id: Uuid
    work_order_status: Code
    invoice_ready: Annotated[bool, Field(strict=True)]
    vehicle_id: Identifier | None = None
    billable_scope_snapshot: BillableScopeSnapshot
    estimate_id: Uuid | None = None
    estimate_version_id: Uuid | None = None
    approval_ids: Annotated[tuple[Uuid, ...], Field(max_length=MOST_REFERENCES)] = ()
    artifact_refs: Annotated[tuple[ArtifactRef, ...], Field(max_length=MOST_REFERENCES)] = ()


class WorkOrderReported(Fact):
    """Work Execution told how the work order stands.

    `snapshot_fingerprint` is the keyed hash of what may never differ again.
    """

    work_order: WorkOrderData
    snapshot_fingerprint: str


class ArtifactFile(Value):
    """Where the vault keeps the content of an artifact that came by value (BILL-DEC-005).

    `sealed_under` is the id of the customer's key, without which it does not open; None where there was none.
    """

    artifact_ref_id: Identifier
    sha256: _Sha256
    vault_name: str
    sealed_under: str | None = None


class WorkOrderArtifactReceived(Fact):
    """The content of one of its artifacts came with an event: its hash is here, its bytes in the vault."""

    file: ArtifactFile


class WorkOrderInvoiceDrafted(Fact):
    """An invoice was drafted; it is the work order's primary one from now on."""

    invoice_id: str


class WorkOrder(Value):
    """A work order's state."""

    data: WorkOrderData
    snapshot_fingerprint: str
    invoice_ids: tuple[str, ...] = ()
    files: tuple[ArtifactFile, ...] = ()

    @property
    def primary_invoice_id(self) -> str | None:
        """The invoice that counts."""
        return self.invoice_ids[-1] if self.invoice_ids else None

    def file_of(self, ref: ArtifactRef) -> ArtifactFile | None:
        """The content that this reference means: of its hash, whatever came under the same id later."""
        same = (file for file in self.files if file.artifact_ref_id == ref.artifact_ref_id)
        return next((file for file in same if file.sha256 == ref.sha256), None)


def snapshot_content(data: WorkOrderData) -> dict[str, Any]:
    """What may never differ of a work order: whose it is and what is billed."""
    return data.model_dump(
        mode="json",
        by_alias=True,
        exclude_none=True,
        include={"work_order_id", "customer_account_id", "vehicle_id", "billable_scope_snapshot"},
    )


def report(
    work_order: WorkOrder | None, data: WorkOrderData, snapshot_fingerprint: str
) -> tuple[WorkOrderReported, ...]:
    """Records what is told; the same again: (). Raises `SNAPSHOT_CONFLICT` for another snapshot."""
    if work_order is not None and work_order.snapshot_fingerprint != snapshot_fingerprint:
        raise DomainError("SNAPSHOT_CONFLICT", "This work order was recorded with another snapshot.")
    if work_order is not None and work_order.data == data:
        return ()
    return (WorkOrderReported(work_order=data, snapshot_fingerprint=snapshot_fingerprint),)


def receive_artifacts(
    work_order: WorkOrder | None, files: tuple[ArtifactFile, ...]
) -> tuple[WorkOrderArtifactReceived, ...]:
    """Records the contents that came; () for those that came before."""
    known = {(file.artifact_ref_id, file.sha256) for file in (work_order.files if work_order else ())}
    fresh = (file for file in files if (file.artifact_ref_id, file.sha256) not in known)
    return tuple(WorkOrderArtifactReceived(file=file) for file in fresh)


def require_ready(work_order: WorkOrder) -> WorkOrder:
    """The work order, if an invoice of it may be drafted. Raises `WORK_ORDER_NOT_READY`."""
    if work_order.data.work_order_status != COMPLETED:
        raise _not_ready("WORK_ORDER_NOT_COMPLETED", "The work order is not completed.")
    if not work_order.data.invoice_ready:
        raise _not_ready("WORK_ORDER_NOT_INVOICE_READY", "The work order is not marked ready for invoicing.")
    return work_order


def _not_ready(reason_code: str, message: str) -> DomainError:
    return DomainError("WORK_ORDER_NOT_READY", message, reason_code=reason_code)


WorkOrderFact = WorkOrderReported | WorkOrderArtifactReceived | WorkOrderInvoiceDrafted


def _evolve(work_order: WorkOrder | None, fact: WorkOrderFact) -> WorkOrder:
    match fact:
        case WorkOrderReported():
            return WorkOrder(
                data=fact.work_order,
                snapshot_fingerprint=fact.snapshot_fingerprint,
                invoice_ids=() if work_order is None else work_order.invoice_ids,
                files=() if work_order is None else work_order.files,
            )
        case WorkOrderArtifactReceived():
            assert work_order is not None, "a content comes with the report of its work order"
            return work_order.model_copy(update={"files": (*work_order.files, fact.file)})
        case WorkOrderInvoiceDrafted():
            assert work_order is not None, "an invoice is drafted for a work order that was told of"
            return work_order.model_copy(update={"invoice_ids": (*work_order.invoice_ids, fact.invoice_id)})
        case _:
            assert_never(fact)


WORK_ORDER: StreamType[WorkOrder] = StreamType(
    "work-order",
    (
        EventType("work-order.reported", WorkOrderReported),
        EventType("work-order.artifact-received", WorkOrderArtifactReceived),
        EventType("work-order.invoice-drafted", WorkOrderInvoiceDrafted),
    ),
    _evolve,
)
