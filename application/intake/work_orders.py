"""Work orders as Work Execution reports them."""

from dataclasses import dataclass, replace
from typing import Any

from application.intake.artifacts import SentArtifact, take_contents, with_contents
from application.intake.intake import ArtifactKeeper, Reading, WithoutDocuments
from application.ledger import Transaction
from application.validation import parse
from domain.inbound.inbound import Effect
from domain.invoicing.lines import check_scope
from domain.invoicing.work_order import (
    WORK_ORDER,
    ArtifactFile,
    WorkOrderData,
    receive_artifacts,
    report,
    snapshot_content,
)
from domain.kernel.claim import CLAIM, ClaimTaken, claim_stream
from domain.kernel.errors import DomainError
from domain.kernel.streams import StreamId


@dataclass(frozen=True)
class ReportedWorkOrder(WithoutDocuments):
    """`workexec.WORK_ORDER_READY`. `fingerprint` is of what may never differ of the work order.

    `sent` are the contents of artifacts that came by value, `files` where they are kept.
    """

    data: WorkOrderData
    fingerprint: str
    sent: tuple[SentArtifact, ...] = ()
    files: tuple[ArtifactFile, ...] = ()
    subjects: frozenset[str] = frozenset()

    @property
    def about(self) -> StreamId:
        """The work order."""
        return WORK_ORDER.stream(self.data.work_order_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The work order and the claim to its snapshot's id."""
        return frozenset((self.about, self._claim))

    async def with_files_kept(self, keeper: ArtifactKeeper) -> "ReportedWorkOrder":
        """The same, once the contents that came with it are in the vault."""
        return replace(self, files=await keeper.keep(self.data, self.sent)) if self.sent else self

    def take(self, transaction: Transaction) -> Effect:
        """Records it; what is billed never differs once it was told. Raises `SNAPSHOT_CONFLICT`."""
        check_scope(self.data.billable_scope_snapshot, "billableScopeSnapshot")
        known = transaction.state(WORK_ORDER, self.about.id)
        facts = (*report(known, self.data, self.fingerprint), *receive_artifacts(known, self.files))
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


def read_work_order(data: dict[str, Any], reading: Reading) -> ReportedWorkOrder:
    """Reads `workexec.WORK_ORDER_READY`."""
    without_contents, contents = take_contents(data)
    work_order, sent = with_contents(parse(WorkOrderData, without_contents, "data"), contents)
    return ReportedWorkOrder(work_order, reading.fingerprint(snapshot_content(work_order)), sent)
