"""Fills ledgers: by real commands where events must be readable, with copies where many are needed."""

import asyncio
import itertools
import json
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

from application.handlers.ap_payments import (
    execute_ap_payment,
    hold_ap_payment,
    settle_ap_payment,
    streams_of_payment,
)
from application.handlers.documents import issue_document
from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.handlers.invoices import Asking, draft_invoice, draft_streams, issue_invoice
from application.handlers.payment_outcomes import record_authorized, record_captured
from application.handlers.payments import PaymentWish, begin_payment
from application.ledger import Command, Handler
from application.validation import parse
from benchmarks import workloads
from benchmarks.harness import CALLERS, Ledger, system_of
from domain.documents.document import DOCUMENT
from domain.documents.document_facts import DocumentIssued, Retention
from domain.documents.seal import Seal
from domain.invoicing.invoice import INVOICE
from domain.kernel.streams import StreamId
from domain.payables.ap_payment_facts import Allocation, VendorPayment
from domain.receivables.payment import PAYMENT
from domain.receivables.payment_facts import KeyedRequest
from infrastructure.eventstore.recorder import LedgerRecorder
from infrastructure.eventstore.rows import SELECT_COLUMNS, EventRow, leaf_hash_of, row_from_columns
from infrastructure.readstore.tracking import hold_tracking, move_tracking
from interfaces.bootstrap import System
from projections.registry import PROJECTIONS
from tests.support.house import by_platform, cloud_event, paid
from tests.support.payable_facts import bill_data
from tests.support.work_orders import a_work_order, account_updated, an_account, work_order_ready

BATCH_EVENTS = 5_000
_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
EVENTS_PER_ORDER = 8
"""Received, claimed, paid, drafted, number assigned, numbered, issued; and the first opens its series."""
EVENTS_PER_INVOICE = 12
"""Account and work order received, claimed and told of; drafted, noted there, number assigned, issued; its
document drafted, numbered; and the first opens its series."""


EVENTS_PER_PAYMENTS = 33
"""An invoice's; its payment claimed, initiated, reserved, authorised, captured, applied; its receipt made,
the document drafted, number assigned, numbered. A bill received and approved; its payment claimed, initiated,
reserved, held, succeeded, to be posted, applied; and what opens series."""


def pay_orders(ledger: Ledger, count: int, *, platform: str = "platform-gb") -> None:
    """Paid orders with their receipts drafted, numbered and issued, by real commands; nothing is drawn."""

    async def pay(system: System, number: int) -> None:
        parties = by_platform(platform, f"buyer-{number % 2000}", f"seller-{number % 50}")
        for document_id in await _receive(system, paid(f"o-{uuid4()}", orderPartySnapshot=parties)):
            handler = issue_document(document_id, _issued(document_id))
            streams = frozenset({DOCUMENT.stream(document_id)})
            await system.ledger.commit(Command(workloads.AUDIT, handler, streams))

    asyncio.run(_by_many_callers(ledger, count, pay))


def invoice_work_orders(ledger: Ledger, count: int) -> None:
    """Work orders of accounts of their own, invoiced by real commands; documents are numbered, not issued."""

    async def invoice(system: System, _: int) -> None:
        await _invoiced(system)

    asyncio.run(_by_many_callers(ledger, count, invoice))


def pay_invoices_and_bills(ledger: Ledger, count: int) -> None:
    """So many invoices that are paid whole, and as many bills, by what a gateway has told; none is asked."""

    async def pay(system: System, number: int) -> None:
        invoice_id, total = await _invoiced(system)
        await _paid_by_customer(system, invoice_id, total)
        await _paid_to_vendor(system, f"vendor-{number % 50}")

    asyncio.run(_by_many_callers(ledger, count, pay))


async def _invoiced(system: System) -> tuple[str, int]:
    """The issued invoice of a work order of an account of its own, and what is due of it."""
    account = an_account()
    work_order = a_work_order(
        account["customerAccountId"],
        scope={"issuerEntityId": "garage-es"},
        artifactRefs=[_artifact_ref(), _artifact_ref()],
    )
    for event in (account_updated(account), work_order_ready(work_order)):
        await _receive(system, event)
    work_order_id, invoice_id = work_order["workOrderId"], str(uuid4())
    streams = draft_streams(work_order_id) | {INVOICE.stream(invoice_id)}
    await _commit(system, draft_invoice(work_order_id, invoice_id, _asking(system)), *streams)
    issued = await _commit(system, issue_invoice(invoice_id, 1, None, _asking(system)), *streams)
    return invoice_id, issued["balanceDue"]


async def _paid_by_customer(system: System, invoice_id: str, amount: int) -> None:
    payment_id, asked = str(uuid4()), KeyedRequest(key_hash=os.urandom(32).hex(), request_hash="00" * 32)
    wish = PaymentWish(
        invoice_id, amount, "EUR", gateway="stripe", no_receipt=False, deliver=None, asked=asked
    )
    streams = (PAYMENT.stream(payment_id), INVOICE.stream(invoice_id))
    begun = begin_payment(wish, payment_id, _asking(system))
    await _commit(system, begun, *wish.streams(payment_id))
    await _commit(system, record_authorized(payment_id, f"pi_{payment_id}"), *streams)
    desk = workloads.reading(system).desk
    await _commit(system, record_captured(payment_id, str(uuid4()), desk), *streams)


async def _paid_to_vendor(system: System, vendor_id: str) -> None:
    bill = bill_data(billId=str(uuid4()), vendorId=vendor_id)
    await _receive(system, cloud_event("payables.BILL_APPROVED", bill, str(uuid4())))
    payment_id, total = str(uuid4()), bill["totalAmount"]
    allocations = (Allocation(bill_id=bill["billId"], applied_amount=total),)
    wanted = VendorPayment(
        vendor_id=vendor_id,
        gross_amount=total,
        currency_uom_id=bill["currencyUomId"],
        payment_ref=f"run/{payment_id}",
        allocations=allocations,
    )
    streams = streams_of_payment(payment_id, wanted)
    for handler in (
        execute_ap_payment(payment_id, wanted, "bank", frozenset()),
        hold_ap_payment(payment_id, f"tr_{payment_id}"),
        settle_ap_payment(payment_id),
    ):
        await _commit(system, handler, *streams)


def _asking(system: System) -> Asking:
    return Asking("ana", None, frozenset(), None, workloads.reading(system).desk)


async def _commit(system: System, handler: Handler, *streams: StreamId) -> Any:
    """What the command is answered with."""
    return (await system.ledger.commit(Command(workloads.AUDIT, handler, frozenset(streams)))).answer.body


async def _by_many_callers(
    ledger: Ledger, count: int, call: Callable[[System, int], Awaitable[None]]
) -> None:
    """Calls so often, counting, from as many callers as the bench has at once."""
    numbers = iter(range(count))
    async with system_of(ledger) as system:

        async def caller() -> None:
            for number in numbers:
                await call(system, number)

        await asyncio.gather(*(caller() for _ in range(CALLERS)))


async def _receive(system: System, event: dict[str, Any]) -> list[str]:
    """Takes an upstream event in; the ids of the documents that it calls for."""
    fact = read_fact(parse(CloudEvent, event), workloads.reading(system))
    command = Command(workloads.AUDIT, receive_fact(fact), fact.streams, subjects=fact.intake.subjects)
    outcome = (await system.ledger.commit(command)).answer.body
    return [document.document_id for document in outcome.documents]


def _artifact_ref() -> dict[str, Any]:
    return {
        "artifactRefId": str(uuid4()),
        "type": "ESTIMATE",
        "displayName": "Estimate",
        "contentType": "application/pdf",
        "sizeBytes": 40_000,
        "createdAt": "2026-03-14T11:00:00Z",
    }


def _issued(document_id: str) -> DocumentIssued:
    return DocumentIssued(
        pdf_name=f"documents/{document_id}/document.pdf",
        json_name=f"documents/{document_id}/document.json",
        seal=Seal(
            sha256_pdf=os.urandom(32).hex(),
            sha256_json=os.urandom(32).hex(),
            signature="c2lnbmF0dXJl" * 7,
            key_id="seal-1",
            algorithm="Ed25519",
        ),
        retention=Retention(retention_class="FISCAL", until=date(2036, 12, 31), mode="COMPLIANCE"),
    )


def fill_with_copies(ledger: Ledger, events: int) -> None:
    """Brings a ledger to so many events: an order's, over and over, each copy with ids of its own.

    What is sealed in a copy cannot be opened, for it is bound to the original's stream; the read models are
    told that they have seen the copies.
    """
    platform = f"p-{uuid4()}"
    first = head_of(ledger) + 1
    pay_orders(ledger, 1, platform=platform)
    originals = _rows(ledger, first)
    _append(ledger, _copies(originals, platform), events - head_of(ledger))
    with ledger.connect() as connection:
        for projection in PROJECTIONS:
            with connection.transaction():
                hold_tracking(connection, projection)
                move_tracking(connection, projection, head_of(ledger))
        connection.execute("VACUUM (ANALYZE) ledger.event")


def lengthen(ledger: Ledger, stream: StreamId, events: int) -> None:
    """Brings a stream to so many events by repeating its last one, numbers and versions counting on."""
    last = rows_of(ledger, stream)[-1]
    _append(ledger, _continued(last), events - last.originator_version)


def _continued(last: EventRow) -> Iterator[EventRow]:
    content = json.loads(last.state)
    counts = "sequence" in content
    for version in itertools.count(last.originator_version + 1):
        state = last.state
        if counts:
            content["sequence"] += 1
            content["number"] = f"R-{content['year']}-{content['sequence']:06d}"
            state = json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
        yield replace(last, originator_version=version, state=state)


def _copies(originals: list[EventRow], platform: str) -> Iterator[EventRow]:
    """Copies of the rows for ever, every id that makes them unique exchanged for a fresh one."""
    order = next(row.stream.id for row in originals if row.stream.type == "order")
    others = {row.stream.id for row in originals if _UUID.fullmatch(row.stream.id)}
    while True:
        fresh = {order: f"o-{uuid4()}", platform: f"p-{uuid4()}", **{name: str(uuid4()) for name in others}}
        in_bytes = [(old.encode(), new.encode()) for old, new in fresh.items()]
        transaction = uuid4()
        for row in originals:
            state, stream = row.state, str(row.originator_id)
            for old, new in in_bytes:
                state = state.replace(old, new)
            for old_text, new_text in fresh.items():
                stream = stream.replace(old_text, new_text)
            yield replace(row, state=state, originator_id=stream, transaction_id=transaction)


def _append(ledger: Ledger, rows: Iterator[EventRow], count: int) -> None:
    """Appends rows behind the head in large batches, with the leaf hashes of their new places."""
    with ledger.connect() as connection:
        recorder = LedgerRecorder(connection)
        while count > 0:
            taken = list(itertools.islice(rows, min(count, BATCH_EVENTS)))
            connection.execute("BEGIN")
            locked = connection.execute("SELECT * FROM ledger.lock_head()").fetchone()
            assert locked is not None, "a ledger has a head"
            head, revision, recorded_at = locked
            placed = (
                replace(row, id=position, recorded_at=recorded_at)
                for position, row in enumerate(taken, start=head + 1)
            )
            recorder.insert_events(
                [replace(row, leaf_hash=leaf_hash_of(row)) for row in placed], revision=revision
            )
            count -= len(taken)


def _rows(ledger: Ledger, first_position: int) -> list[EventRow]:
    return _selected(ledger, "position >= %s ORDER BY position", first_position)


def rows_of(ledger: Ledger, stream: StreamId) -> list[EventRow]:
    """A stream's stored rows, oldest first."""
    return _selected(ledger, "(stream_type, stream_id) = (%s, %s) ORDER BY version", *stream)


def _selected(ledger: Ledger, which: str, *parameters: Any) -> list[EventRow]:
    statement = f"SELECT {SELECT_COLUMNS} FROM ledger.event WHERE {which}"
    with ledger.connect() as connection:
        found = connection.execute(statement.encode(), parameters).fetchall()
    return [row_from_columns(columns) for columns in found]


def head_of(ledger: Ledger) -> int:
    """The last committed position."""
    with ledger.connect() as connection:
        row = connection.execute("SELECT position FROM ledger.event_head").fetchone()
    assert row is not None, "a ledger has a head"
    return int(row[0])
