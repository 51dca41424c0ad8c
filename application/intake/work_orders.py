"""Work orders as Work Execution reports them."""

from dataclasses import dataclass
from typing import Any

from application.handlers.documents import PlannedDocument
from application.ledger import Transaction
from application.ports import Fingerprint
from application.validation import parse
from domain.inbound.inbound import Effect
from domain.invoicing.lines import check_scope
from domain.invoicing.work_order import WORK_ORDER, WorkOrderData, report, snapshot_content
from domain.kernel.claim import CLAIM, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class ReportedWorkOrder:
    """`workexec.WORK_ORDER_READY`. `fingerprint` is of what may never differ of the work order."""

    data: WorkOrderData
    fingerprint: str
    subjects: frozenset[str] = frozenset()
    planned: tuple[PlannedDocument, ...] = ()

    @property
    def about(self) -> StreamId:
        """The work order."""
        return WORK_ORDER.stream(self.data.work_order_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The work order and the claim to its snapshot's id."""
        return frozenset((self.about, self._claim))

    def take(self, transaction: Transaction) -> Effect:
        """Records it; what is billed never differs once it was told. Raises `SNAPSHOT_CONFLICT`."""
        check_scope(self.data.billable_scope_snapshot, "billableScopeSnapshot")
        facts = report(transaction.state(WORK_ORDER, self.about.id), self.data, self.fingerprint)
        if not facts:
            return "DUPLICATE"
        self._claim_snapshot(transaction)
        transaction.append(self.about, facts)
        return "ACCEPTED"

    @property
    def _claim(self) -> StreamId:
        return claim_stream("SNAPSHOT", self.data.billable_scope_snapshot.billable_scope_snapshot_id)

    def _claim_snapshot(self, transaction: Transaction) -> None:
        taken = transaction.state(CLAIM, self._claim.id)
        if taken is None:
            claim = ClaimTaken(
                purpose="SNAPSHOT",
                key=self.data.billable_scope_snapshot.billable_scope_snapshot_id,
                holder=self.data.work_order_id,
                fingerprint=self.fingerprint,
            )
            transaction.append(self._claim, (claim,))
        elif taken.fingerprint != self.fingerprint:
            raise DomainError("SNAPSHOT_CONFLICT", "This snapshot id was recorded with another snapshot.")


def read_work_order(data: dict[str, Any], fingerprint: Fingerprint) -> ReportedWorkOrder:
    """Reads `workexec.WORK_ORDER_READY`."""
    work_order = parse(WorkOrderData, data, "data")
    return ReportedWorkOrder(work_order, fingerprint(snapshot_content(work_order)))
