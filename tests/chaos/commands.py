"""Random commands of one client: valid, repeated, contradictory, out of order and malformed ones."""

import copy
import random
from collections.abc import Callable
from typing import Any

from tests.chaos.model import INBOUND, SERIES, Model, Request
from tests.chaos.orders import COMPLETED, DISPUTE, PAID, PAYOUT, REFUND

CURRENCIES = ("GBP", "EUR")
SHARED_PLATFORMS = ("chaos-one-ltd", "chaos-two-ltd")
"""Their series are what all clients contend for."""

KEYED_SHARE = 0.3
BATCHED_SHARE = 0.15
LONGEST_BATCH = 8

Event = dict[str, Any]


class Commands:
    """What a client does next: a function of its random numbers and of what it did before."""

    def __init__(self, name: str, chance: random.Random, model: Model) -> None:
        self._name = name
        self._chance = chance
        self._model = model
        self._count = 0
        self._orders: list[str] = []
        self._events: list[Event] = []
        self._series: list[dict[str, Any]] = []
        self._keyed: list[Request] = []
        self._kinds: tuple[tuple[int, Callable[[], Event]], ...] = (
            (30, self._new_order),
            (8, self._repeated_event),
            (5, self._known_order_under_another_event),
            (4, self._known_event_with_other_data),
            (4, self._known_order_with_another_snapshot),
            (4, self._new_order_with_a_known_snapshot),
            (4, self._wrong_sums),
            (4, self._malformed),
            (14, self._refund),
            (6, self._refund_too_large_or_in_another_currency),
            (10, self._refund_before_its_order),
            (4, self._known_refund_under_another_event),
            (3, self._known_refund_with_other_data),
            (10, self._completion),
            (10, self._payout),
            (8, self._dispute),
        )

    def next(self) -> Request:
        """The next command."""
        roll = self._chance.random()
        if roll < 0.06:
            return self._open_series()
        if roll < 0.09 and self._keyed:
            return self._known_key_for_another_body()
        if roll < 0.12 and self._keyed:
            return self._chance.choice(self._keyed)
        if roll < 0.15:
            return self._contested()
        body: Any = self._batch() if roll < 0.15 + BATCHED_SHARE else self._event()
        return self._keyed_perhaps(Request(INBOUND, body))

    def forget(self, event: Event) -> None:
        """Never speaks of an order again."""
        order_id = event["data"]["orderId"]
        self._events = [known for known in self._events if known["data"]["orderId"] != order_id]
        self._orders = [known for known in self._orders if known != order_id]

    def _batch(self) -> list[Event]:
        """Events of different orders, for those of one order may be decided in another order than sent."""
        batch: list[Event] = []
        used: set[str] = set()
        for _ in range(self._chance.randint(2, LONGEST_BATCH)):
            event = self._event()
            if used.isdisjoint(_ids(event)):
                used |= _ids(event)
                batch.append(event)
        return batch

    def _event(self) -> Event:
        weights, makers = zip(*self._kinds, strict=True)
        (make,) = self._chance.choices(makers, weights)
        event: Event = make()
        self._events.append(event)
        return event

    def _keyed_perhaps(self, request: Request) -> Request:
        if self._chance.random() >= KEYED_SHARE:
            return request
        keyed = Request(request.path, request.body, self._fresh("key"))
        self._keyed.append(keyed)
        return keyed

    def _known_key_for_another_body(self) -> Request:
        known = self._chance.choice(self._keyed)
        body = self._series_body() if known.path == SERIES else self._event()
        return Request(known.path, body, known.key)

    def _contested(self) -> Request:
        """The events of these orders are the same whoever makes them."""
        number = len(self._model.events) // 40
        order_id = f"contested-{number}"
        data = _order(order_id, f"snap-{order_id}", 5000 + number, "GBP", SHARED_PLATFORMS[0])
        return Request(INBOUND, _event(PAID, data, f"event-{order_id}"), contested=True)

    def _open_series(self) -> Request:
        if self._series and self._chance.random() < 0.5:
            body = copy.deepcopy(self._chance.choice(self._series))
            if self._chance.random() < 0.5:
                body["format"] = {"prefix": "Z-", "padding": self._chance.randint(1, 9), "yearlyReset": False}
        else:
            body = self._series_body()
            self._series.append(body)
        if self._chance.random() < 0.1:
            body = {**body, "docType": "POSTCARD"}
        return self._keyed_perhaps(Request(SERIES, body))

    def _series_body(self) -> dict[str, Any]:
        prefix = self._chance.choice(("A/", "B-", "C."))
        number_format = {"prefix": prefix, "padding": self._chance.randint(3, 8), "yearlyReset": False}
        issuer = self._fresh("issuer")
        return {"countryCode": "GB", "issuerEntityId": issuer, "docType": "RECEIPT", "format": number_format}

    def _new_order(self) -> Event:
        awaited = [order_id for order_id in self._orders if not self._is_paid(order_id)]
        known = awaited and self._chance.random() < 0.6
        return self._paid(self._chance.choice(awaited) if known else self._new_id())

    def _new_id(self) -> str:
        order_id = self._fresh("order")
        self._orders.append(order_id)
        return order_id

    def _paid(self, order_id: str, snapshot_id: str | None = None) -> Event:
        opened = [body["issuerEntityId"] for body in self._series]
        own = opened and self._chance.random() < 0.3
        platform = self._chance.choice(opened if own else SHARED_PLATFORMS)
        amount, currency = self._chance.randint(0, 20_000), self._chance.choice(CURRENCIES)
        data = _order(order_id, snapshot_id or self._fresh("snap"), amount, currency, platform)
        return _event(PAID, data, self._fresh("event"))

    def _repeated_event(self) -> Event:
        return copy.deepcopy(self._chance.choice(self._events)) if self._events else self._new_order()

    def _known(self, event_type: str) -> Event | None:
        """An event of that type that took effect, to say something else about."""
        known = [
            event
            for event in self._events
            if event["type"] == event_type
            and (inbound := self._model.events.get(event["id"])) is not None
            and inbound.data is not None
        ]
        return copy.deepcopy(self._chance.choice(known)) if known else None

    def _known_order_under_another_event(self) -> Event:
        if (event := self._known(PAID)) is None:
            return self._new_order()
        # What no document shows may differ.
        event["data"]["paidAt"] = "2026-05-05T05:05:05.000000Z"
        return {**event, "id": self._fresh("event")}

    def _known_event_with_other_data(self) -> Event:
        if (event := self._known(self._chance.choice((PAID, REFUND, DISPUTE, COMPLETED, PAYOUT)))) is None:
            return self._new_order()
        event["data"]["orderId"] = self._chance.choice((event["data"]["orderId"], self._fresh("order")))
        event["data"]["remark"] = self._fresh("remark")
        return event

    def _known_order_with_another_snapshot(self) -> Event:
        known = self._known(PAID)
        return self._paid(known["data"]["orderId"]) if known else self._new_order()

    def _new_order_with_a_known_snapshot(self) -> Event:
        if (event := self._known(PAID)) is None:
            return self._new_order()
        return self._paid(self._new_id(), event["data"]["orderFinancialSnapshot"]["snapshotId"])

    def _wrong_sums(self) -> Event:
        event = self._paid(self._new_id())
        event["data"]["orderFinancialSnapshot"]["buyerTotal"] += self._chance.randint(1, 9)
        return event

    def _malformed(self) -> Event:
        event = self._paid(self._fresh("order"))
        wrong = self._chance.choice(("12.5", 12.5, None, True))
        event["data"]["orderFinancialSnapshot"]["buyerTotal"] = wrong
        return event

    def _refund(self) -> Event:
        paid = [order_id for order_id in self._orders if self._is_paid(order_id)]
        if not paid:
            return self._new_order()
        order_id = self._chance.choice(paid)
        order = self._model.orders[order_id]
        return self._refund_of(order_id, self._chance.randint(0, order.left), order.currency)

    def _refund_too_large_or_in_another_currency(self) -> Event:
        event = self._refund()
        if event["type"] != REFUND:
            return event
        snapshot = event["data"]["refundSnapshot"]
        if self._chance.random() < 0.5:
            snapshot["currencyUomId"] = next(c for c in CURRENCIES if c != snapshot["currencyUomId"])
            return event
        more = self._chance.randint(20_000, 90_000)
        return {
            **event,
            "data": {**event["data"], "refundSnapshot": _snapshot(self._fresh("snap"), more, "GBP")},
        }

    def _refund_before_its_order(self) -> Event:
        awaited = [order_id for order_id in self._orders if not self._is_paid(order_id)]
        known = awaited and self._chance.random() < 0.5
        order_id = self._chance.choice(awaited) if known else self._new_id()
        return self._refund_of(order_id, self._chance.randint(0, 15_000), self._chance.choice(CURRENCIES))

    def _refund_of(self, order_id: str, amount: int, currency: str) -> Event:
        data = {"orderId": order_id, "refundId": self._fresh("refund"), "reason": "DAMAGED"}
        snapshot = _snapshot(self._fresh("snap"), amount, currency)
        return _event(REFUND, {**data, "refundSnapshot": snapshot}, self._fresh("event"))

    def _completion(self) -> Event:
        """Of any order, be it paid or completed or not."""
        data = {"orderId": self._any_order(), "payoutStatus": self._chance.choice(("PENDING", "SENT"))}
        return _event(COMPLETED, data, self._fresh("event"))

    def _payout(self) -> Event:
        data = {
            "orderId": self._any_order(),
            "payoutId": self._fresh("payout"),
            "escrowReleaseId": self._fresh("release"),
            "amount": self._chance.randint(0, 20_000),
            "currencyUomId": self._chance.choice(CURRENCIES),
            "sentAt": "2026-03-17T08:00:00.000000Z",
        }
        return _event(PAYOUT, data, self._fresh("event"))

    def _dispute(self) -> Event:
        data = {"orderId": self._any_order(), "disputeId": self._fresh("dispute"), "outcome": "SETTLED"}
        if self._chance.random() < 0.6:
            amount, currency = self._chance.randint(0, 15_000), self._chance.choice(CURRENCIES)
            data["refundSnapshot"] = _snapshot(self._fresh("snap"), amount, currency)
        return _event(DISPUTE, data, self._fresh("event"))

    def _any_order(self) -> str:
        return self._chance.choice(self._orders) if self._orders else self._new_id()

    def _known_refund_under_another_event(self) -> Event:
        event = self._known(REFUND)
        return {**event, "id": self._fresh("event")} if event else self._refund_before_its_order()

    def _known_refund_with_other_data(self) -> Event:
        if (event := self._known(REFUND)) is None:
            return self._refund_before_its_order()
        event["data"]["refundSnapshot"] = _snapshot(self._fresh("snap"), 77, "GBP")
        return {**event, "id": self._fresh("event")}

    def _is_paid(self, order_id: str) -> bool:
        order = self._model.orders.get(order_id)
        return order is not None and order.paid is not None

    def _fresh(self, what: str) -> str:
        self._count += 1
        return f"{self._name}-{what}-{self._count}"


def _ids(event: Event) -> set[str]:
    """What another event of the same batch must not share with it."""
    data = event["data"]
    snapshot = data.get("orderFinancialSnapshot") or data.get("refundSnapshot")
    return {event["id"], data["orderId"], *(() if snapshot is None else (snapshot["snapshotId"],))}


def _event(event_type: str, data: dict[str, Any], event_id: str) -> Event:
    envelope = {"specversion": "1.0", "source": "urn:chaos", "type": event_type}
    return {**envelope, "id": event_id, "data": data}


def _order(order_id: str, snapshot_id: str, amount: int, currency: str, platform: str) -> dict[str, Any]:
    parties = {
        role: {"partyId": party_id, "legalName": f"The {role}", "type": "B2B"}
        for role, party_id in (("buyer", "buyer-9"), ("seller", "seller-9"), ("platform", platform))
    }
    return {
        "orderId": order_id,
        "countryCode": "GB",
        "orderFinancialSnapshot": _snapshot(snapshot_id, amount, currency, fee=amount // 50, tax=amount // 5),
        "orderPartySnapshot": parties,
        "references": {},
    }


def _snapshot(snapshot_id: str, amount: int, currency: str, *, fee: int = 0, tax: int = 0) -> dict[str, Any]:
    """One line, a platform fee and a tax on the items, with totals that agree."""
    nothing = ("sellerCouponDiscount", "feeCreditsApplied", "opsFee", "processingFee")
    line = {"lineId": "l-1", "description": "Copper kettle", "quantity": "1", "amount": amount}
    vat = {"taxCode": "STD", "kind": "VAT", "appliesTo": "ITEMS", "mode": "ADDED", "rateBasisPoints": 2000}
    return {
        **dict.fromkeys(nothing, 0),
        "snapshotId": snapshot_id,
        "currencyUomId": currency,
        "capturedAt": "2026-03-14T09:26:50.000000Z",
        "lines": [{**line, "unitAmount": amount}],
        "itemsSubtotal": amount,
        "platformFeeBeforeCredits": fee,
        "platformFeeAfterCredits": fee,
        "sellerFees": [],
        "taxes": [{**vat, "baseAmount": amount, "amount": tax}] if tax else [],
        "buyerTotal": amount + fee + tax,
        "sellerNet": amount + tax,
    }
