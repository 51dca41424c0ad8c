"""Invoices now and in the past, by id, by work order and in lists (contract §5)."""

from collections.abc import Collection
from typing import Annotated, Any

from litestar import Response
from litestar.params import PathParameter, QueryParameter

from application.invoice_detail import DocumentOfInvoice, Surroundings, document_of_invoice, invoice_detail
from application.operations.invoices import GET_INVOICE, GET_INVOICE_BY_WORK_ORDER, LIST_INVOICES
from application.operations.operation import Operation
from application.past import Moment, Then, states_at
from domain.accounts.account import ACCOUNT, Account
from domain.accounts.billing_rules import BILLING_RULES, effective_rules
from domain.accounts.policies import DEFAULT, POLICY, effective_issuance_policy, policy_id
from domain.documents.document import DOCUMENT
from domain.invoicing.invoice import INVOICE, Invoice, InvoiceStatus
from domain.invoicing.work_order import WORK_ORDER, WorkOrder
from domain.kernel.errors import not_found
from domain.kernel.streams import StreamId
from interfaces.http.accounts import require_reach
from interfaces.http.answers.invoices import InvoiceDetailAnswer, InvoicePage, invoice_item
from interfaces.http.etags import etag
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.reading import (
    MAX_POSITION,
    AsOf,
    AsOfPosition,
    Cursor,
    InvoiceId,
    Limit,
    MinPosition,
    moment_to_show,
    page,
    position_cursor,
    read,
    shown,
)
from interfaces.http.routes import route
from projections.accounts import select_account_names
from projections.invoices import select_invoices

WorkOrderId = Annotated[str, PathParameter(name="workOrderId")]


@route(GET_INVOICE)
async def get_invoice(
    request: AnyRequest,
    invoice_id: InvoiceId,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    min_position: MinPosition = None,
) -> Response[InvoiceDetailAnswer]:
    """One invoice, now or in the past."""
    moment, head = await moment_to_show(request, as_of, as_of_position, min_position)
    return await _detail(request, GET_INVOICE, invoice_id, moment, head)


@route(GET_INVOICE_BY_WORK_ORDER)
async def get_invoice_by_work_order(
    request: AnyRequest,
    work_order_id: WorkOrderId,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    min_position: MinPosition = None,
) -> Response[InvoiceDetailAnswer]:
    """The invoice that counts for a work order."""
    moment, head = await moment_to_show(request, as_of, as_of_position, min_position)
    stream = WORK_ORDER.stream(work_order_id.lower())
    work_order: WorkOrder | None = (await _states(request, {stream}, moment)).get(stream)
    if work_order is None or work_order.primary_invoice_id is None:
        raise not_found("An invoice of this work order")
    return await _detail(request, GET_INVOICE_BY_WORK_ORDER, work_order.primary_invoice_id, moment, head)


@route(LIST_INVOICES)
async def list_invoices(
    request: AnyRequest,
    account_id: Annotated[str | None, QueryParameter(name="accountId", max_length=64)] = None,
    status: Annotated[InvoiceStatus | None, QueryParameter(name="status")] = None,
    work_order_id: Annotated[str | None, QueryParameter(name="workOrderId", max_length=64)] = None,
    issuer_entity_id: Annotated[str | None, QueryParameter(name="issuerEntityId", max_length=64)] = None,
    country_code: Annotated[str | None, QueryParameter(name="countryCode", pattern="^[A-Z]{2}$")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
    min_position: MinPosition = None,
) -> Response[InvoicePage]:
    """Invoices of the accounts within reach, newest first."""
    granted = caller_of(request).claims.account_ids
    wanted = None if account_id is None else [account_id]
    names: list[set[str]] = []
    for asked in (wanted, None if granted is None else sorted(granted)):
        if asked is not None:
            found = await read(request, LIST_INVOICES, min_position, select_account_names(asked))
            names.append({row["name"] for row in found.results[0]})
    accounts = sorted(set.intersection(*names)) if names else None
    filters = {
        "status": status,
        "workOrderId": work_order_id and work_order_id.lower(),
        "issuerEntityId": issuer_entity_id,
        "countryCode": country_code,
    }
    before = position_cursor(cursor) or MAX_POSITION
    statement = select_invoices(filters, accounts, before, limit + 1)
    found = await read(request, LIST_INVOICES, min_position, statement)
    items, next_cursor = page(found.results[0], limit, invoice_item, lambda row: row["drafted_position"])
    return shown(InvoicePage(items=items, next_cursor=next_cursor), found.position)


async def _detail(
    request: AnyRequest, operation: Operation, invoice_id: str, moment: Moment, head: int
) -> Response[Any]:
    stream = INVOICE.stream(invoice_id)
    then = (await _then(request, {stream}, moment)).get(stream)
    if then is None:
        raise not_found("The invoice")
    invoice: Invoice = then.state
    account_id = invoice.drafted.customer_account_id
    await require_reach(request, operation, account_id, "The invoice")
    around = await _surroundings(request, account_id, moment) if invoice.issued is None else None
    documents = await _documents(request, invoice, moment)
    body = invoice_detail(invoice_id, invoice, around, documents, caller_of(request).permissions)
    # The past is told by the invoice's own last event, as everywhere.
    position = head if moment.position == head else then.position
    return shown(body, position, headers={"ETag": etag(then.version)})


async def _surroundings(request: AnyRequest, account_id: str, moment: Moment) -> Surroundings:
    stream = ACCOUNT.stream(account_id)
    account: Account | None = (await _states(request, {stream}, moment)).get(stream)
    if account is not None and account.alias_of is not None:
        return await _surroundings(request, account.alias_of, moment)
    rules = BILLING_RULES.stream(account_id)
    policy, default = (POLICY.stream(policy_id("issuance", of)) for of in (account_id, DEFAULT))
    states = await _states(request, {rules, policy, default}, moment)
    return Surroundings(
        account,
        effective_rules(states.get(rules), account),
        effective_issuance_policy(states.get(policy), states.get(default)),
    )


async def _documents(request: AnyRequest, invoice: Invoice, moment: Moment) -> tuple[DocumentOfInvoice, ...]:
    streams = [DOCUMENT.stream(document_id) for document_id in invoice.document_ids]
    states = await _states(request, streams, moment)
    return tuple(document_of_invoice(stream.id, states[stream]) for stream in streams)


async def _then(request: AnyRequest, streams: Collection[StreamId], moment: Moment) -> dict[StreamId, Then]:
    system = system_of(request)
    return await states_at(system.ledger, system.registry, streams, moment)


async def _states(request: AnyRequest, streams: Collection[StreamId], moment: Moment) -> dict[StreamId, Any]:
    return {stream: then.state for stream, then in (await _then(request, streams, moment)).items()}


HANDLERS = (get_invoice, get_invoice_by_work_order, list_invoices)
