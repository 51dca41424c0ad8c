"""The import's rules once more, written the slow and obvious way: every cancelled line searches every order.

Shares nothing with the code under test: it reads with `DictReader`, counts in fractions, and works out what
is left of an order afresh from the refunds so far.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from fractions import Fraction
from typing import Any


def pence(quantity: Fraction, price: Fraction) -> int:
    return int(abs(quantity * price) * 100 + Fraction(1, 2))


def slow_report(lines: Iterable[str]) -> dict[str, Any]:
    rows = list(csv.DictReader(lines))
    refused: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    orders: dict[str, dict[str, Any]] = {}
    cancelled = []
    for place, row in enumerate(rows):
        number, quantity, price = row["InvoiceNo"], Fraction(row["Quantity"]), Fraction(row["UnitPrice"])
        amount = pence(quantity, price)
        reasons = [
            ("ADJUSTMENT", number[0] == "A"),
            ("NEGATIVE_QUANTITY", quantity < 0 and number[0] != "C"),
            ("NO_PRICE", price <= 0),
        ]
        reason = next((name for name, applies in reasons if applies), None)
        if reason:
            refused[reason][0] += 1
            refused[reason][1] += amount
        elif number[0] == "C":
            cancelled.append((row, quantity, price))
        else:
            new = {"when": (row["InvoiceDate"], place), "who": row["CustomerID"], "items": [], "paid": 0}
            order = orders.setdefault(number, new)
            order["items"].append((row["StockCode"], quantity))
            order["paid"] += amount

    orders_of = defaultdict(list)
    for number in sorted(orders, key=lambda number: orders[number]["when"], reverse=True):
        orders_of[orders[number]["who"]].append(number)
    refunds: list[tuple[str, str, str, Fraction, int]] = []
    refunded_lines = 0
    for row, quantity, price in cancelled:
        sku, wanted = row["StockCode"], -quantity
        plan: list[tuple[str, Fraction, int]] = []
        for number in orders_of[row["CustomerID"]] if row["CustomerID"] else []:
            if orders[number]["when"][0] < row["InvoiceDate"] and wanted > 0:
                sold = sum(count for code, count in orders[number]["items"] if code == sku)
                back = sum(count for _, to, code, count, _ in refunds if (to, code) == (number, sku))
                taken = min(sold - back, wanted)
                if taken > 0:
                    before, wanted = -quantity - wanted, wanted - taken
                    piece = pence(before + taken, price) - pence(before, price)
                    plan.append((number, taken, piece))
        given = Counter({number: 0 for number, _, _ in plan})
        for _, to, _, _, amount in refunds:
            if to in given:
                given[to] += amount
        if wanted != 0 or not plan:
            reason = "NO_ORIGINAL_ORDER"
        elif any(given[number] + piece > orders[number]["paid"] for number, _, piece in plan):
            reason = "REFUND_EXCEEDS_PAID"
        else:
            reason = None
            refunded_lines += 1
            refunds += [(row["InvoiceNo"], number, sku, taken, piece) for number, taken, piece in plan]
        if reason:
            refused[reason][0] += 1
            refused[reason][1] += pence(quantity, price)

    return {
        "rows": len(rows),
        "orders": {
            "count": len(orders),
            "lines": sum(len(order["items"]) for order in orders.values()),
            "amount": sum(order["paid"] for order in orders.values()),
        },
        "refunds": {
            "count": len({refund[:2] for refund in refunds}),
            "lines": refunded_lines,
            "amount": sum(refund[4] for refund in refunds),
        },
        "refused": {name: {"rows": n, "amount": amount} for name, (n, amount) in sorted(refused.items())},
        "pieces": sorted((f"{c}-{order}", sku, count, amount) for c, order, sku, count, amount in refunds),
    }
