"""Vendors' bills as payables approves them and takes them back (BILL-DEC-013)."""

from dataclasses import dataclass
from typing import Any

from application.intake.intake import Reading, WithoutDocuments, WithoutFiles
from application.ledger import Transaction
from application.validation import parse
from domain.inbound.inbound import Effect
from domain.kernel.streams import StreamId
from domain.payables.bill import BILL, BillCancellation, BillData, approve, cancel


@dataclass(frozen=True)
class ToldBill(WithoutFiles, WithoutDocuments):
    """`payables.BILL_APPROVED` or `payables.BILL_CANCELLED`."""

    data: BillData | BillCancellation
    subjects: frozenset[str] = frozenset()

    @property
    def about(self) -> StreamId:
        """The bill."""
        return BILL.stream(self.data.bill_id)

    @property
    def streams(self) -> frozenset[StreamId]:
        """The bill."""
        return frozenset((self.about,))

    def take(self, transaction: Transaction) -> Effect:
        """Records it; a cancellation before the approval waits for that. Raises `SNAPSHOT_CONFLICT`."""
        bill = transaction.state(BILL, self.about.id)
        if isinstance(self.data, BillData):
            opened = approve(bill, self.data)
            transaction.append(self.about, opened)
            return "ACCEPTED" if opened else "DUPLICATE"
        transaction.append(self.about, cancelled := cancel(bill, self.data))
        if not cancelled:
            return "DUPLICATE"
        return "WAITING" if bill is None else "ACCEPTED"


def read_approved_bill(data: dict[str, Any], _: Reading) -> ToldBill:
    """Reads `payables.BILL_APPROVED`."""
    return ToldBill(parse(BillData, data, "data"))


def read_cancelled_bill(data: dict[str, Any], _: Reading) -> ToldBill:
    """Reads `payables.BILL_CANCELLED`."""
    return ToldBill(parse(BillCancellation, data, "data"))
