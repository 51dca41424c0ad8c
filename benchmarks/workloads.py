"""What clients do, as measurements repeat it: commands through the service's own objects and over HTTP."""

import asyncio
import json
import os
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from application.desk import Desk
from application.handlers.inbound import CloudEvent, read_fact, receive_fact
from application.handlers.number_series import open_number_series
from application.intake.intake import Reading
from application.ledger import Answer, Audit, Command, IdempotencyClaim, Transaction
from application.validation import parse
from benchmarks.harness import CALLERS, Ledger, system_of
from domain.kernel.streams import StreamId
from domain.numbering.series import NUMBER_SERIES, NumberFormat, assign_number, open_series
from interfaces.bootstrap import System
from tests.support.house import paid
from tests.support.snapshots import financial_snapshot

AUDIT = Audit(
    tenant_id="default",
    actor="orders-service",
    role="SYSTEM",
    operation="number-series.open",
    correlation_id="4bf92f3577b34da6a3ce929d0e0e4736",
)
FORMAT = NumberFormat(prefix="R-{year}-", padding=6, yearly_reset=True)

MakeCommand = Callable[[System], Command]


def fresh_claim() -> IdempotencyClaim:
    """An idempotency key that nobody has used."""
    return IdempotencyClaim(os.urandom(32), os.urandom(32))


def opening_a_series(_: System) -> Command:
    """One event in a stream of its own, with an idempotency row: the operation as HTTP runs it."""
    handler, stream = open_number_series("GB", f"issuer-{uuid4()}", "RECEIPT", FORMAT)
    return Command(AUDIT, handler, frozenset({stream}), idempotency=fresh_claim())


def three_events(_: System) -> Command:
    """A series opened with its first two numbers taken: three events with one idempotency row."""
    return _numbering(NUMBER_SERIES.stream(f"GB:issuer-{uuid4()}:RECEIPT"), 2)


def one_number(series: StreamId) -> MakeCommand:
    """The series' next number, with an idempotency row; the first opens the series."""
    return lambda _: _numbering(series, 1)


def reading(system: System) -> Reading:
    """How the system reads upstream events."""
    return Reading(system.fingerprint, Desk(system.policies, AUDIT.tenant_id))


def paying_an_order(system: System) -> Command:
    """A paid order of two lines with all it leads to: claimed, recorded, its receipt drafted and numbered."""
    fact = read_fact(parse(CloudEvent, paid(f"o-{uuid4()}")), reading(system))
    return Command(AUDIT, receive_fact(fact), fact.streams, subjects=fact.intake.subjects)


def five_line_order() -> dict[str, Any]:
    """The event of a paid order of five lines that nobody has sent; its sums are those of any paid order."""
    order_id = f"o-{uuid4()}"
    lines = [
        {
            "lineId": f"l-{number}",
            "kind": "GOODS",
            "description": f"Enamel kettle {number}",
            "quantity": "2",
            "unitAmount": 700,
            "amount": 1400,
            "taxCategory": "S",
        }
        for number in range(5)
    ]
    return paid(order_id, orderFinancialSnapshot=financial_snapshot(f"snap-{order_id}", lines=lines))


def _numbering(series: StreamId, numbers: int) -> Command:
    holder = str(uuid4())
    country, issuer, doc_type = series.id.split(":")

    def handle(transaction: Transaction) -> Answer:
        state = transaction.state(NUMBER_SERIES, series.id)
        if state is None:
            opened = open_series(
                None,
                country_code=country,
                issuer_entity_id=issuer,
                doc_type=doc_type,
                number_format=FORMAT,
                time_zone="Europe/London",
            )
            transaction.append(series, opened)
        for _ in range(numbers):
            state = transaction.state(NUMBER_SERIES, series.id)
            assert state is not None, "it was opened above"
            assigned = assign_number(state, "DOCUMENT", holder, transaction.stamp.at)
            transaction.append(series, (assigned,))
        return Answer(201, {"seriesId": series.id, "number": assigned.number, "documentId": holder})

    return Command(AUDIT, handle, frozenset({series}), idempotency=fresh_claim())


def commands_per_second(ledger: Ledger, make: MakeCommand, seconds: float, callers: int = CALLERS) -> float:
    """Commands that so many callers in one process are answered, each waiting for its answer."""
    return asyncio.run(_commands_per_second(ledger, make, seconds, callers))


async def _commands_per_second(ledger: Ledger, make: MakeCommand, seconds: float, callers: int) -> float:
    async with system_of(ledger) as system:
        await system.ledger.commit(make(system))
        answered = 0
        started = time.perf_counter()
        stop_at = started + seconds

        async def call() -> None:
            nonlocal answered
            while time.perf_counter() < stop_at:
                await system.ledger.commit(make(system))
                answered += 1

        await asyncio.gather(*(call() for _ in range(callers)))
        return answered / (time.perf_counter() - started)


def commit_one(ledger: Ledger, make: MakeCommand) -> int:
    """Commits a command; the position before it."""

    async def run() -> int:
        async with system_of(ledger) as system:
            before: int = await system.ledger.head_position()
            await system.ledger.commit(make(system))
        return before

    return asyncio.run(run())


def json_body(value: Any) -> bytes:
    """A request's body."""
    return json.dumps(value).encode()
