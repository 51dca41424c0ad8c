"""Discovery: closed lists with their codes and labels, which clients may keep (BILL-DEC-007)."""

from collections.abc import Sequence
from typing import Annotated, Any

import pydantic_core
from litestar import Response
from litestar.params import QueryParameter

from application.operations.meta import (
    LIST_DELIVERY_METHODS,
    LIST_GROUPING_STRATEGIES,
    LIST_PAYMENT_TERMS,
    LIST_PO_POLICIES,
    LIST_REASON_CODES,
)
from domain.accounts.choices import (
    DELIVERY_METHODS,
    GROUPING_STRATEGIES,
    PO_POLICIES,
    Choice,
    ReasonCategory,
    ReasonCode,
    reason_codes,
)
from domain.accounts.payment_terms import PAYMENT_TERMS, PaymentTerms
from domain.kernel.canonical import sha256_hex
from domain.kernel.facts import Value
from interfaces.http.etags import NOT_MODIFIED, IfNoneMatch, shown_unless_known
from interfaces.http.routes import route

CACHE_CONTROL = "private, max-age=3600"
"""The lists change with releases only."""


class Choices(Value):
    """Codes to choose from."""

    items: list[Choice]


class PaymentTermsList(Value):
    """Payment terms to choose from."""

    items: list[PaymentTerms]


class ReasonCodeList(Value):
    """Reasons to choose from."""

    items: list[ReasonCode]


@route(LIST_PAYMENT_TERMS, responses=NOT_MODIFIED)
async def list_payment_terms(if_none_match: IfNoneMatch = None) -> Response[PaymentTermsList]:
    """Payment terms; an invoice is due so many days after its issue, or at the end of that month."""
    return _list(PAYMENT_TERMS, if_none_match)


@route(LIST_DELIVERY_METHODS, responses=NOT_MODIFIED)
async def list_delivery_methods(if_none_match: IfNoneMatch = None) -> Response[Choices]:
    """Values of `invoiceDeliveryMethod`."""
    return _list(DELIVERY_METHODS, if_none_match)


@route(LIST_GROUPING_STRATEGIES, responses=NOT_MODIFIED)
async def list_grouping_strategies(if_none_match: IfNoneMatch = None) -> Response[Choices]:
    """Values of `invoiceGroupingStrategy`."""
    return _list(GROUPING_STRATEGIES, if_none_match)


@route(LIST_PO_POLICIES, responses=NOT_MODIFIED)
async def list_po_policies(if_none_match: IfNoneMatch = None) -> Response[Choices]:
    """Values of `poUniquenessScope`."""
    return _list(PO_POLICIES, if_none_match)


@route(LIST_REASON_CODES, responses=NOT_MODIFIED)
async def list_reason_codes(
    category: Annotated[ReasonCategory | None, QueryParameter(name="category")] = None,
    if_none_match: IfNoneMatch = None,
) -> Response[ReasonCodeList]:
    """Values of `reasonCode`, of one category or of all."""
    return _list(reason_codes(category), if_none_match)


def _list(choices: Sequence[Choice], if_none_match: str | None) -> Response[Any]:
    body = {"items": [choice.model_dump(mode="json", by_alias=True) for choice in choices]}
    tag = f'"{sha256_hex(pydantic_core.to_json(body))[:16]}"'
    return shown_unless_known(body, tag, if_none_match, cache_control=CACHE_CONTROL)


HANDLERS = (
    list_payment_terms,
    list_delivery_methods,
    list_grouping_strategies,
    list_po_policies,
    list_reason_codes,
)
