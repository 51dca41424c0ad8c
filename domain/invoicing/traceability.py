"""Where an invoice comes from: upstream's names, frozen in its draft (BILL-DEC-004)."""

from domain.invoicing.work_order import ArtifactRef, WorkOrderData
from domain.kernel.facts import Value


class TraceabilitySnapshot(Value):
    """The canonical names; optional ones are there as far as upstream gave them."""

    source_work_order_id: str
    source_billable_scope_snapshot_id: str
    source_schema_version: str
    source_estimate_id: str | None = None
    source_estimate_version_id: str | None = None
    source_approval_ids: tuple[str, ...] = ()
    artifact_refs: tuple[ArtifactRef, ...] = ()


def traceability_of(work_order: WorkOrderData) -> TraceabilitySnapshot:
    """The snapshot of a work order as it stands."""
    scope = work_order.billable_scope_snapshot
    return TraceabilitySnapshot(
        source_work_order_id=work_order.work_order_id,
        source_billable_scope_snapshot_id=scope.billable_scope_snapshot_id,
        source_schema_version=scope.schema_version,
        source_estimate_id=work_order.estimate_id,
        source_estimate_version_id=work_order.estimate_version_id,
        source_approval_ids=work_order.approval_ids,
        artifact_refs=work_order.artifact_refs,
    )
