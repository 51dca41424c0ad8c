"""Read models in memory: histories recorded by the real deciders, and the rows that folds make of them."""

import copy
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from application.handlers.billing_rules import upsert_rules
from application.handlers.documents import issue_document, record_failure
from application.handlers.fiscal_profiles import change_profile
from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.handlers.invoice_corrections import credit_invoice
from application.handlers.invoices import Asking, draft_invoice, issue_invoice, void_invoice
from application.ledger import Answer, Audit, Command, Handler, Transaction
from domain.accounts.credential import CREDENTIAL
from domain.accounts.fiscal_profile import OwnerType
from domain.documents.access import ArtifactDownloaded, DocumentDownloaded, access_stream
from domain.documents.delivery import (
    DeliveryBounced,
    DeliveryFailed,
    DeliveryStarted,
    DeliveryUnconfirmed,
    DocumentDelivered,
)
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DocumentLinked, DocumentRetryAsked
from domain.documents.keys import document_id, document_key
from domain.documents.order_facts import OrderPersonalDataErased
from domain.invoicing.invoice import INVOICE
from domain.invoicing.invoice_facts import InvoicePersonalDataErased
from domain.kernel.facts import Fact
from domain.kernel.privacy import RetentionClass
from domain.kernel.recorded import RecordedEvent
from domain.kernel.streams import StreamId
from domain.payables.ap_payment import AP_PAYMENT
from domain.payables.bill import BILL
from domain.receivables.payment import PAYMENT
from domain.receivables.receipt import RECEIPT
from domain.receivables.receipt_facts import ReceiptPersonalDataErased
from projections.projection import Key, Projection, Row, RowFold
from tests.support import credential_facts, payable_facts
from tests.support.account_facts import ACCOUNT_ID, account_data, an_upsert
from tests.support.artifact_facts import an_artifact
from tests.support.clocks import SetClock
from tests.support.delivery_facts import DELIVERY, a_resend, attempted
from tests.support.desks import DESK, READING
from tests.support.facts import (
    CORRECTS,
    NOON,
    blocked,
    issued,
    refund_data,
    replaced,
    stamped,
    voided,
)
from tests.support.fiscal_profile_facts import a_change, an_owner
from tests.support.invoicing_facts import (
    APPROVAL_ID,
    CREDIT_ID,
    INVOICE_ID,
    PARTY_ID,
    REBILL_ID,
    WORK_ORDER_ID,
    paid_in_part,
    taken_back,
)
from tests.support.memory_ledger import MemoryLedger
from tests.support.order_facts import completion_data, dispute_data
from tests.support.payment_facts import payment_examples
from tests.support.receipt_facts import PAYMENT_ID, RECEIPT_ID, receipt_examples
from tests.support.snapshots import order_data
from tests.support.work_orders import a_work_order

Rows = dict[str, dict[Key, Row]]
"""By table, by primary key."""


MANAGER = Asking("ana", None, frozenset(), None, DESK)
"""Who bills; what the answers show is not looked at."""


def receipt_id(order_id: str) -> str:
    """The id of the receipt of an order of the platform."""
    return document_id(document_key((order_id,), "RECEIPT", "platform-gb", 1))


class History:
    """A ledger in memory to which things happen a second apart."""

    def __init__(self) -> None:
        self._clock = SetClock()
        self._ledger = MemoryLedger(self._clock)

    @property
    def events(self) -> list[RecordedEvent]:
        """Everything that was recorded."""
        return self._ledger.events

    async def pay(self, order_id: str, **changes: Any) -> None:
        """The order is paid; its receipt has a number."""
        await self._receive("orders.PAID_IN_ESCROW", order_data(order_id, **changes), f"paid/{order_id}")

    async def dispute(
        self, order_id: str, dispute_id: str, amount: int, snapshot_id: str | None = None
    ) -> None:
        """A dispute ends, with so much for the buyer."""
        data = dispute_data(dispute_id, amount, order_id)
        if snapshot_id is not None:
            data["refundSnapshot"]["snapshotId"] = snapshot_id
        event_id = f"e-{dispute_id}-{amount}"
        await self._receive("payments.DISPUTE_SAGA_COMPLETED", data, event_id)

    async def complete(self, order_id: str, **repeated: Any) -> None:
        """The order is completed; `repeated` replace parts of the order's data, which it then repeats."""
        order = order_data(order_id, **repeated) if repeated else {}
        data = {**order, **completion_data(order_id)}
        await self._receive("orders.COMPLETED", data, f"e-completed-{order_id}-{len(repeated)}")

    async def refund(self, order_id: str, refund_id: str, amount: int) -> None:
        """A part of the order is refunded."""
        snapshot_id = f"snap-{order_id}-{refund_id}-{amount}"
        data = refund_data(refund_id, amount, order_id=order_id, snapshotId=snapshot_id)
        await self._receive("payments.REFUND_EXECUTED", data, f"refund:{order_id}:{refund_id}:{amount}")

    async def set_rules(self, name: str, **changes: Any) -> None:
        """Somebody sets the billing rules of the account of that name."""
        upsert = an_upsert(name, **changes)
        await self._commit(upsert_rules(upsert))

    async def set_profile(self, owner_type: OwnerType, owner_id: str) -> None:
        """Somebody sets a fiscal profile for Mexico."""
        await self._commit(change_profile(a_change(an_owner(owner_type, owner_id))))

    async def crm_tells(self, account_id: str, party_id: str | None, **changes: Any) -> None:
        """CRM tells of an account."""
        data = account_data(account_id, party_id, **changes)
        await self._receive("crm.ACCOUNT_UPDATED", data, f"crm/{len(self.events)}")

    async def bill(self, account_id: str, work_order_id: str, invoice_id: str) -> None:
        """A work order of that account is invoiced; the invoice is paid in part, then credited."""
        work_order = a_work_order(
            account_id, work_order_id, approvalIds=[APPROVAL_ID], artifactRefs=[an_artifact()]
        )
        await self._receive("workexec.WORK_ORDER_READY", work_order, f"work-order/{work_order_id}")
        await self._commit(draft_invoice(work_order_id, invoice_id, MANAGER))
        await self._commit(issue_invoice(invoice_id, None, None, MANAGER))
        for fact in (paid_in_part(500), taken_back(200)):
            await self._commit(partial(_append, INVOICE.stream(invoice_id), fact))
        await self._commit(credit_invoice(invoice_id, f"credit-{invoice_id}", "ERROR", None, MANAGER))
        handed_out = ArtifactDownloaded(
            invoice_id=invoice_id, artifact_ref_id="approval-1", sha256="0" * 64, caller="ana", ip="192.0.2.9"
        )
        await self._commit(partial(_append, access_stream(invoice_id, self._clock.now()), handed_out))

    async def void_invoice(self, account_id: str, work_order_id: str, invoice_id: str) -> None:
        """Another work order's invoice is voided while it is a draft."""
        work_order = a_work_order(account_id, work_order_id)
        await self._receive("workexec.WORK_ORDER_READY", work_order, f"work-order/{work_order_id}")
        await self._commit(draft_invoice(work_order_id, invoice_id, MANAGER))
        await self._commit(void_invoice(invoice_id, "ERROR", None, None, MANAGER))

    async def issue(self, order_id: str) -> None:
        """The order's receipt is issued."""
        await self._commit(issue_document(receipt_id(order_id), issued()))

    async def void(self, order_id: str) -> None:
        """The order's receipt counts no more."""
        await self.append_to_receipt(order_id, voided())

    async def link(self, order_id: str) -> None:
        """The order's receipt is told of another document."""
        await self.append_to_receipt(order_id, DocumentLinked(linked_document=CORRECTS))

    async def append_to_receipt(self, order_id: str, fact: Fact) -> None:
        """This happens to the order's receipt."""
        await self.append(DOCUMENT.stream(receipt_id(order_id)), fact)

    async def append(self, stream: StreamId, fact: Fact) -> None:
        """This happens to that stream's thing."""
        await self._commit(partial(_append, stream, fact))

    async def fail(self, order_id: str, seconds: int = 60) -> None:
        """An attempt to issue the order's receipt fails; it is tried again after so many seconds."""
        retry_at = self._clock.now() + timedelta(seconds=seconds)
        await self._commit(record_failure(receipt_id(order_id), "vault_unavailable", retry_at))

    async def download(self, order_id: str, ip: str | None = None) -> None:
        """Somebody takes the receipt's PDF."""
        downloaded = DocumentDownloaded(
            document_id=receipt_id(order_id), caller="ana", file_format="PDF", ip=ip
        )

        def handle(transaction: Transaction) -> Answer:
            transaction.append(access_stream(downloaded.document_id, transaction.stamp.at), (downloaded,))
            return Answer(200, None)

        await self._commit(handle)

    async def send(self, order_id: str) -> None:
        """The receipt is sent again, by each way, and by e-mail in vain, perhaps, and at last."""
        document_id = receipt_id(order_id)
        stream = access_stream(document_id, self._clock.now())
        of = {"document_id": document_id}
        for fact in (
            *(a_resend(**of), a_resend("IN_APP", **of, delivery_id="5b1c1b44-0000-7000-8000-0000000000d2")),
            *(attempted(DeliveryStarted, **of), attempted(DeliveryFailed, **of, reason="mail_refused")),
            *(attempted(DeliveryUnconfirmed, 2, **of), attempted(DocumentDelivered, 2, **of)),
            DeliveryBounced(**{**dict(DELIVERY), **of}, reason="mailbox full"),
        ):
            await self._commit(partial(_append, stream, fact))

    async def hand_over_receipt(self) -> None:
        """A payment's receipt is sent in vain, comes back, is printed and copied; a refund adjusts it."""
        for fact in receipt_examples():
            if not isinstance(fact, ReceiptPersonalDataErased):
                await self.append(RECEIPT.stream(RECEIPT_ID), fact)

    async def approve(self) -> None:
        """Somebody gets a credential, another one, and approves with it."""
        stream = CREDENTIAL.stream(credential_facts.CREDENTIAL_ID)
        for fact in (credential_facts.added(), credential_facts.changed(), credential_facts.granted()):
            await self._commit(partial(_append, stream, fact))

    async def take_payments(self) -> None:
        """Customers' payments go every way that they can."""
        for fact in payment_examples():
            await self.append(PAYMENT.stream(PAYMENT_ID), fact)

    async def pay_vendors(self) -> None:
        """Bills come and go; a payment of one fails after long, another one succeeds, a third waits."""
        bill = BILL.stream(payable_facts.BILL_ID)
        for fact in payable_facts.life_of_a_bill():
            await self.append(bill, fact)
        for payment_id, facts in payable_facts.lives_of_payments().items():
            for fact in facts:
                await self.append(AP_PAYMENT.stream(payment_id), fact)

    async def erase(self, subject: str, retention_class: RetentionClass) -> None:
        """A key of a subject is destroyed, and every order and invoice that it sealed is told."""
        key_id = self._ledger.keys.erase(subject, retention_class)
        sealed = [event for event in self.events if key_id in {part.key_id for part in event.sealed_for}]
        facts = {
            "order": OrderPersonalDataErased,
            "invoice": InvoicePersonalDataErased,
            "receipt": ReceiptPersonalDataErased,
        }
        for stream in {event.stream for event in sealed if event.stream.type in facts}:
            erased = facts[stream.type](
                subject=subject,
                retention_class=retention_class,
                key_id=str(key_id),
                positions=tuple(event.position for event in sealed if event.stream == stream),
            )
            await self._commit(partial(_append, stream, erased))

    def read_again(self) -> list[RecordedEvent]:
        """Everything that was recorded, as whoever reads it now does."""
        return self._ledger.read_again()

    async def _receive(self, event_type: str, data: dict[str, Any], event_id: str) -> None:
        event = CloudEvent(specversion="1.0", id=event_id, source="urn:s", type=event_type, data=data)
        await self._commit(receive_fact(read_fact(event, READING)))

    async def _commit(self, handler: Handler) -> None:
        audit = Audit("default", "ana", "SYSTEM", "inbound.receive-events", "trace-1")
        await self._ledger.commit(Command(audit, handler))
        self._clock.move(1)


def _append(stream: StreamId, fact: Fact, transaction: Transaction) -> Answer:
    transaction.append(stream, (fact,))
    return Answer(200, None)


def folded(projection: Projection, events: Iterable[RecordedEvent], rows: Rows | None = None) -> Rows:
    """The rows after one batch, as the runner folds it; what was given stays as it is."""
    after = copy.deepcopy(rows) if rows is not None else {}
    known = [event for event in events if event.name in projection.event_names]
    for row_fold in projection.row_folds:
        table = after.setdefault(row_fold.table.name, {})
        for event in known:
            fold_into(table, row_fold, event)
    return after


def fold_into(table: dict[Key, Row], row_fold: RowFold, event: RecordedEvent) -> None:
    """Makes one table's rows those after an event."""
    for key in row_fold.keys(event):
        row = row_fold.fold(table.get(key), event, key)
        if row is not None:
            table[key] = row
        else:
            table.pop(key, None)


def in_batches(projection: Projection, events: Sequence[RecordedEvent], ends: Iterable[int]) -> Rows:
    """The rows after several batches, which end before these indexes."""
    rows: Rows = {}
    start = 0
    for end in (*sorted(ends), len(events)):
        rows = folded(projection, events[start:end], rows)
        start = end
    return rows


async def busy_history() -> History:
    """Orders of two countries, refunds, failures, downloads, an approval, a profile, invoices, erasures."""
    history = History()
    await history.refund("o-1", "r-early", 100)
    await history.refund("o-2", "r-beyond", 9000)
    await history.dispute("o-2", "d-beyond", 9000)
    await history.complete("o-2", countryCode="IE")
    for order_id in ("o-1", "o-2"):
        await history.pay(order_id)
    await history.fail("o-1", 1)
    await history.pay("o-3", countryCode="IE")
    await history.fail("o-1", 4)
    for order_id in ("o-1", "o-3"):
        await history.issue(order_id)
    await history.download("o-1", "192.0.2.7")
    await history.fail("o-2")
    await history.download("o-1")
    await history.refund("o-3", "r-late", 200)
    await history.dispute("o-3", "d-late", 100)
    await history.complete("o-3")
    await history.erase("party:buyer-17", "CONTACT")
    await history.erase("party:buyer-17", "FISCAL")
    await history.pay("o-4")
    await history.link("o-3")
    await history.void("o-3")
    for fact in (stamped(), blocked(), DocumentRetryAsked(retry_at=NOON), replaced()):
        await history.append_to_receipt("o-2", fact)
    await history.send("o-1")
    await history.void("o-4")
    await history.set_rules("12345")
    await history.crm_tells(ACCOUNT_ID, "12345")
    await history.crm_tells(ACCOUNT_ID, "67890")
    await history.approve()
    await history.set_profile("SELLER", "seller-4")
    await history.bill(ACCOUNT_ID, WORK_ORDER_ID, INVOICE_ID)
    await history.void_invoice(ACCOUNT_ID, REBILL_ID, CREDIT_ID)
    await history.erase("party:67890", "FISCAL")
    await history.hand_over_receipt()
    await history.take_payments()
    await history.pay_vendors()
    await history.erase(f"party:{PARTY_ID}", "FISCAL")
    return history
