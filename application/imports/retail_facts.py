"""A shop's orders and refunds as the CloudEvents of the inbound door (contract §4).

Event ids come from invoice numbers alone: the same file gives the same ids, so a repeat is a duplicate, and
another file with the same invoice number is a conflict, never a second order.
"""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel import Locale

from application.imports.retail_refunds import Order, Refund
from application.imports.retail_rows import RetailFileError
from domain.kernel.facts import rfc3339

EVENT_SOURCE = "urn:billing:import:retail"
"""The CloudEvents `source` of every fact of this import."""

_LONDON = ZoneInfo("Europe/London")
_SELLER = {
    "partyId": "harbour-lane-gifts",
    "legalName": "Harbour Lane Gifts Ltd",
    "type": "B2B",
    "address": {"countryCode": "GB"},
}
_PLATFORM = {
    "partyId": "fernbridge-market",
    "legalName": "Fernbridge Market Ltd",
    "type": "B2B",
    "address": {"countryCode": "GB"},
}

# CLDR names some territories that ISO 3166-1 gives no code, or only a reserved or private one.
_NOT_ISO = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]
)
# What shops write where CLDR has another name; the first six are the contract's.
_SHOP_NAMES = {
    "eire": "IE",
    "usa": "US",
    "rsa": "ZA",
    "channel islands": "ZZ",
    "european community": "ZZ",
    "unspecified": "ZZ",
    "czech republic": "CZ",
    "hong kong": "HK",
    "macau": "MO",
    "turkey": "TR",
}


@lru_cache(maxsize=1)
def _country_codes() -> dict[str, str]:
    names = {
        name.casefold(): code
        for code, name in Locale("en").territories.items()
        if len(code) == 2 and code not in _NOT_ISO
    }
    return names | _SHOP_NAMES


def country_code(name: str, line_number: int) -> str:
    """ISO 3166-1 alpha-2 of a country's English name, ZZ for the names that mean no one country.

    Raises `RetailFileError` naming the line for a name nobody knows.
    """
    code = _country_codes().get(name.strip().casefold())
    if code is None:
        raise RetailFileError(f"Line {line_number}: {name[:40]!r} is not the name of a country.")
    return code


def event_id(fact: Order | Refund) -> str:
    """The CloudEvents id. Its parts are percent-encoded, so no two facts can share one."""
    if isinstance(fact, Order):
        return f"order/{_quoted(fact.order_id)}"
    return f"refund/{_quoted(fact.cancellation_no)}/{_quoted(fact.order.order_id)}"


def cloud_event(fact: Order | Refund) -> dict[str, Any]:
    """`orders.PAID_IN_ESCROW` for an order, `payments.REFUND_EXECUTED` for a refund."""
    if isinstance(fact, Order):
        moment, event_type, data = fact.paid_at, "orders.PAID_IN_ESCROW", _order_data(fact)
    else:
        moment = fact.pieces[0].row.sold_at
        event_type, data = "payments.REFUND_EXECUTED", _refund_data(fact)
    return {
        "specversion": "1.0",
        "id": event_id(fact),
        "source": EVENT_SOURCE,
        "type": event_type,
        "time": _utc(moment),
        "datacontenttype": "application/json",
        "data": data,
    }


def _order_data(order: Order) -> dict[str, Any]:
    lines = [
        _line(number, row.stock_code, row.description, row.quantity, row.unit_price, row.amount_minor)
        for number, row in enumerate(order.lines, start=1)
    ]
    return {
        "orderId": order.order_id,
        "countryCode": "GB",
        "paidAt": _utc(order.paid_at),
        "orderFinancialSnapshot": _snapshot(order, order.paid_at, lines, order.amount_minor),
        "orderPartySnapshot": {"buyer": _buyer(order), "seller": _SELLER, "platform": _PLATFORM},
        "references": {},
    }


def _refund_data(refund: Refund) -> dict[str, Any]:
    lines = [
        _line(
            number,
            piece.row.stock_code,
            piece.row.description,
            piece.quantity,
            piece.row.unit_price,
            piece.amount_minor,
        )
        for number, piece in enumerate(refund.pieces, start=1)
    ]
    moment = refund.pieces[0].row.sold_at
    return {
        "orderId": refund.order.order_id,
        "refundId": refund.refund_id,
        "reason": f"Cancellation {refund.cancellation_no}",
        "refundSnapshot": _snapshot(refund, moment, lines, refund.amount_minor),
    }


def _line(
    number: int, stock_code: str, description: str, quantity: Decimal, unit_price: Decimal, amount_minor: int
) -> dict[str, Any]:
    return {
        "lineId": str(number),
        "sku": stock_code,
        "kind": "GOODS",
        "description": description or stock_code,
        "quantity": _plain(quantity),
        "unitPrice": _plain(unit_price),
        "amount": amount_minor,
    }


def _snapshot(
    fact: Order | Refund, captured_at: datetime, lines: Iterable[dict[str, Any]], total_minor: int
) -> dict[str, Any]:
    # The snapshot's id hangs on the event's id and not on its content: a snapshot that differs under the
    # same invoice number has to be a conflict.
    return {
        "snapshotId": f"retail-{sha256(event_id(fact).encode()).hexdigest()[:32]}",
        "currencyUomId": "GBP",
        "capturedAt": _utc(captured_at),
        "lines": lines,
        "sellerCouponDiscount": 0,
        "itemsSubtotal": total_minor,
        "platformFeeBeforeCredits": 0,
        "feeCreditsApplied": 0,
        "platformFeeAfterCredits": 0,
        "opsFee": 0,
        "processingFee": 0,
        "sellerFees": [],
        "taxes": [],
        "buyerTotal": total_minor,
        "sellerNet": total_minor,
    }


def _buyer(order: Order) -> dict[str, Any]:
    # Every unknown buyer is a party of its own: strangers must not share a fiscal profile, nor be erased
    # together.
    known = bool(order.customer_id)
    return {
        "partyId": order.customer_id if known else f"anonymous-{order.order_id}",
        "legalName": f"Customer {order.customer_id}" if known else "Anonymous customer",
        "type": "B2C",
        "address": {"countryCode": order.country_code},
    }


@lru_cache(maxsize=1 << 16)
def _plain(value: Decimal) -> str:
    return format(abs(value).normalize(), "f")


@lru_cache(maxsize=1 << 10)
def _utc(london: datetime) -> str:
    return rfc3339(london.replace(tzinfo=_LONDON))


def _quoted(part: str) -> str:
    return quote(part, safe="")
