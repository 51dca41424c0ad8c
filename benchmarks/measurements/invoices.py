"""Invoices of five lines, drafted and issued over HTTP: two commands each, one after the other."""

import asyncio
import json
import time
from typing import Any
from uuid import uuid4

from benchmarks import http_client, workloads
from benchmarks.harness import CALLERS, Api, Ledger
from projections.documents import DOCUMENT_TABLE
from projections.invoices import INVOICE_TABLE
from tests.support.house import BATCH_OF_EVENTS
from tests.support.work_orders import a_part, a_work_order, account_updated, an_account, work_order_ready

MOST_A_SECOND = 700
"""So many work orders wait for each second; a machine that invoices more has its turn cut short."""
EVENTS_A_BATCH = 250
WARM_UP = 64


def invoices_per_second(ledger: Ledger, seconds: float) -> float:
    """Invoices drafted and issued a second by one API worker, 32 connections; each is in the books after."""
    with ledger.serving() as api:
        waiting = _work_orders(api, WARM_UP + int(seconds * MOST_A_SECOND))
        asyncio.run(_invoice(api, waiting[:WARM_UP], for_seconds=60))
        rate = asyncio.run(_invoice(api, waiting[WARM_UP:], for_seconds=seconds))
    _require_numbered(ledger)
    return rate


def _work_orders(api: Api, count: int) -> list[str]:
    """Ids of work orders of five lines, completed and told of, of an account of their own."""
    account = an_account()
    orders = [
        a_work_order(account["customerAccountId"], scope={"lines": [a_part(str(line)) for line in range(5)]})
        for _ in range(count)
    ]
    events = [account_updated(account), *map(work_order_ready, orders)]
    with http_client.Client(api.port) as client:
        for start in range(0, len(events), EVENTS_A_BATCH):
            batch = workloads.json_body(events[start : start + EVENTS_A_BATCH])
            sent = http_client.request(
                "POST", "/v1/inbound/events", api.token, batch, Content_Type=BATCH_OF_EVENTS
            )
            answer = client.ask(sent)
            assert answer.status == 200, answer.body
    return [order["workOrderId"] for order in orders]


async def _invoice(api: Api, work_orders: list[str], *, for_seconds: float) -> float:
    """Drafts and issues until the time or the work orders have run out; invoices issued a second."""
    connections = [await http_client.Connection.open(api.port) for _ in range(CALLERS)]
    left = iter(work_orders)
    issued = 0
    started = time.perf_counter()

    async def clerk(connection: http_client.Connection) -> None:
        nonlocal issued
        for work_order_id in left:
            draft = await connection.ask(_post(api, "draft", {"workOrderId": work_order_id}))
            assert draft.status == 201, draft.body
            invoice_id = json.loads(draft.body)["invoiceId"]
            answer = await connection.ask(_post(api, f"{invoice_id}/issue", {"invoiceVersion": 1}))
            assert answer.status == 200, answer.body
            issued += 1
            if time.perf_counter() - started > for_seconds:
                return

    try:
        await asyncio.gather(*map(clerk, connections))
        return issued / (time.perf_counter() - started)
    finally:
        for connection in connections:
            connection.close()


def _post(api: Api, path: str, body: dict[str, Any]) -> bytes:
    return http_client.request(
        "POST",
        f"/v1/billing/invoices/{path}",
        api.token,
        workloads.json_body(body),
        Content_Type="application/json",
        Idempotency_Key=str(uuid4()),
    )


def _require_numbered(ledger: Ledger) -> None:
    """Fails unless every issued invoice has a number of its own, and its document the same one."""
    with ledger.projecting(), ledger.connect() as connection:
        counts = connection.execute(
            "SELECT count(*), count(DISTINCT (i.issuer_entity_id, i.invoice_number)), count(d.number)"
            f" FROM readmodel.{INVOICE_TABLE.name} AS i LEFT JOIN readmodel.{DOCUMENT_TABLE.name} AS d"
            " ON d.source_id = i.work_order_id AND d.number = i.invoice_number"
            " WHERE i.status = 'ISSUED'".encode()
        ).fetchone()
    assert counts is not None, "it counts"
    assert 0 < counts[0] == counts[1] == counts[2], f"invoices, numbers, documents: {counts}"
