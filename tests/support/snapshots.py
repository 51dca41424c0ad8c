"""Orders to test with: a plain builder of one consistent order, and hypothesis strategies for all others."""

from typing import Any

from hypothesis import strategies as st

from domain.documents.order_snapshot import OrderData

CURRENCIES = ("GBP", "EUR", "MXN", "JPY", "KWD")

_TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF, exclude_characters="\x7f"), max_size=40)
_NAMES = st.one_of(
    st.sampled_from(("Odile Farrow", "Ζωή Καλλέργη", "Юрий Полянский", "山内 楓", "한서윤", "李青禾")),
    _TEXT.filter(bool),
)


def order_data(order_id: str = "o-1", **changes: Any) -> dict[str, Any]:
    """A small consistent GBP order as JSON-ready camelCase data; `changes` replace its top-level fields."""
    return {
        "orderId": order_id,
        "countryCode": "GB",
        "paidAt": "2026-03-14T09:26:53.000000Z",
        "paymentMeansCode": "48",
        "orderFinancialSnapshot": financial_snapshot(f"snap-{order_id}"),
        "orderPartySnapshot": party_snapshot(),
        "references": {"rapydTransactionId": f"payment_{order_id}"},
        **changes,
    }


def financial_snapshot(snapshot_id: str = "snap-1", **changes: Any) -> dict[str, Any]:
    """Two lines, a coupon, fees partly paid by credits, VAT added to items and to the platform fee."""
    return {
        "snapshotId": snapshot_id,
        "currencyUomId": "GBP",
        "capturedAt": "2026-03-14T09:26:50.000000Z",
        "lines": [
            {
                "lineId": "l-1",
                "sku": "KTL-07",
                "kind": "GOODS",
                "description": "Enamel kettle, moss green",
                "quantity": "2",
                "unitAmount": 3450,
                "discountAmount": 400,
                "amount": 6500,
                "taxCategory": "S",
            },
            {
                "lineId": "l-2",
                "kind": "SERVICE",
                "description": "Gift wrapping",
                "quantity": "1",
                "unitPrice": "4.995",
                "amount": 500,
                "taxCategory": "S",
            },
        ],
        "sellerCouponDiscount": 1000,
        "itemsSubtotal": 6000,
        "platformFeeBeforeCredits": 300,
        "feeCreditsApplied": 100,
        "platformFeeAfterCredits": 200,
        "opsFee": 150,
        "processingFee": 90,
        "sellerFees": [{"code": "COMMISSION", "amount": 480}],
        "taxes": [
            _vat("ITEMS", base=6000, amount=1200),
            _vat("PLATFORM_FEE", base=200, amount=40),
            _vat("SELLER_FEE", base=480, amount=96),
        ],
        "buyerTotal": 7680,
        "sellerNet": 6624,
        **changes,
    }


def _vat(applies_to: str, *, base: int, amount: int) -> dict[str, Any]:
    return {
        "taxCode": "GB-STD",
        "kind": "VAT",
        "category": "S",
        "appliesTo": applies_to,
        "mode": "ADDED",
        "rateBasisPoints": 2000,
        "baseAmount": base,
        "amount": amount,
    }


def party_snapshot(**changes: Any) -> dict[str, Any]:
    """A private buyer, a seller and the platform, all with addresses."""
    return {
        "buyer": {
            "partyId": "buyer-17",
            "legalName": "Marigold Tansy-Okafor",
            "address": {
                "line1": "Flat 3, The Old Ropeworks",
                "line2": "12 Gannet Quay",
                "city": "Whitby",
                "postalCode": "YO21 3PU",
                "countryCode": "GB",
            },
            "email": "marigold@example.org",
            "type": "B2C",
        },
        "seller": {
            "partyId": "seller-4",
            "legalName": "Copperline Kitchenware Ltd",
            "taxId": "GB123456789",
            "address": {
                "line1": "Unit 9, Foundry Yard",
                "city": "Sheffield",
                "postalCode": "S3 8TB",
                "countryCode": "GB",
            },
            "email": "accounts@copperline.example",
            "type": "B2B",
        },
        "platform": {
            "partyId": "platform-gb",
            "legalName": "Larkfield Market Ltd",
            "taxId": "GB987654321",
            "address": {
                "line1": "40 Tallow Street",
                "city": "Bristol",
                "postalCode": "BS1 6XQ",
                "countryCode": "GB",
            },
            "type": "B2B",
        },
        **changes,
    }


def orders() -> st.SearchStrategy[OrderData]:
    """Any order whose equations hold, in many scripts and currencies."""
    return order_dicts().map(OrderData.model_validate)


@st.composite
def order_dicts(draw: st.DrawFn) -> dict[str, Any]:
    """The same orders as JSON-ready camelCase data."""
    order_id = draw(st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20))
    return {
        "orderId": order_id,
        "countryCode": draw(st.sampled_from(("GB", "ES", "MX", "DE", "ZZ"))),
        "orderFinancialSnapshot": draw(financial_snapshots()),
        "orderPartySnapshot": {
            "buyer": draw(_parties("buyer")),
            "seller": draw(_parties("seller")),
            "platform": draw(_parties("platform")),
        },
        "references": draw(st.sampled_from(({}, {"rapydTransactionId": "payment_77"}))),
    }


@st.composite
def financial_snapshots(draw: st.DrawFn) -> dict[str, Any]:
    """Financial snapshots that are consistent by construction: totals follow from parts drawn at random."""
    lines = [
        _numbered(line, index)
        for index, line in enumerate(draw(st.lists(_lines(), min_size=1, max_size=6)), start=1)
    ]
    lines_total = sum(line["amount"] for line in lines)
    coupon = draw(st.integers(0, lines_total))
    subtotal = lines_total - coupon
    fee_before = draw(st.integers(0, 50_000))
    credits_applied = draw(st.integers(0, fee_before))
    ops_fee, processing_fee = draw(st.integers(0, 9_000)), draw(st.integers(0, 9_000))
    taxes = draw(st.lists(_taxes(), max_size=5))
    added = [tax for tax in taxes if tax["mode"] == "ADDED"]
    withheld = sum(tax["amount"] for tax in taxes if tax["mode"] == "WITHHELD")
    on_items = sum(tax["amount"] for tax in added if tax["appliesTo"] == "ITEMS")
    on_seller_fees = sum(tax["amount"] for tax in added if tax["appliesTo"] == "SELLER_FEE")
    income = subtotal + on_items - on_seller_fees - withheld
    if income < 0:
        taxes, added, on_seller_fees, income = [], [], 0, subtotal
    seller_fee = draw(st.integers(0, income))
    return {
        "snapshotId": "snap-any",
        "currencyUomId": draw(st.sampled_from(CURRENCIES)),
        "capturedAt": "2026-03-14T09:26:50.000000Z",
        "lines": lines,
        "sellerCouponDiscount": coupon,
        "itemsSubtotal": subtotal,
        "platformFeeBeforeCredits": fee_before,
        "feeCreditsApplied": credits_applied,
        "platformFeeAfterCredits": fee_before - credits_applied,
        "opsFee": ops_fee,
        "processingFee": processing_fee,
        "sellerFees": [{"code": "COMMISSION", "amount": seller_fee}] if seller_fee else [],
        "taxes": taxes,
        "buyerTotal": subtotal
        + fee_before
        - credits_applied
        + ops_fee
        + processing_fee
        + sum(tax["amount"] for tax in added)
        - on_seller_fees,
        "sellerNet": income - seller_fee,
    }


def _numbered(line: dict[str, Any], number: int) -> dict[str, Any]:
    return {"lineId": f"l-{number}", **line}


@st.composite
def _lines(draw: st.DrawFn) -> dict[str, Any]:
    line: dict[str, Any] = {
        "description": draw(_TEXT),
        "quantity": draw(st.sampled_from(("1", "2", "0.250", "144"))),
        "amount": draw(st.integers(0, 10**9)),
    }
    if draw(st.booleans()):
        line["unitAmount"] = draw(st.integers(0, 10**7))
    else:
        line["unitPrice"] = draw(st.sampled_from(("0.0475", "12.125", "3")))
    if draw(st.booleans()):
        line["discountAmount"] = draw(st.integers(0, 10**6))
    if draw(st.booleans()):
        line["sku"] = draw(_TEXT)
    return line


@st.composite
def _taxes(draw: st.DrawFn) -> dict[str, Any]:
    mode = draw(st.sampled_from(("ADDED", "INCLUDED", "WITHHELD")))
    targets = ("ITEMS", "PLATFORM_FEE", "OPS_FEE", "PROCESSING_FEE", "SELLER_FEE")
    return {
        "taxCode": draw(st.sampled_from(("STD", "LOW"))),
        "kind": "WITHHOLDING" if mode == "WITHHELD" else draw(st.sampled_from(("VAT", "SALES"))),
        "appliesTo": "ITEMS" if mode == "WITHHELD" else draw(st.sampled_from(targets)),
        "mode": mode,
        "rateBasisPoints": draw(st.sampled_from((0, 525, 2100))),
        "baseAmount": draw(st.integers(0, 10**8)),
        "amount": draw(st.integers(0, 10**7)),
    }


@st.composite
def _parties(draw: st.DrawFn, party_id: str) -> dict[str, Any]:
    return {
        "partyId": party_id,
        "legalName": draw(_NAMES),
        "email": f"{party_id}@example.org",
        "type": draw(st.sampled_from(("B2C", "B2B"))),
        **draw(st.sampled_from(({}, {"address": {"line1": "Rúa do Faro 8", "countryCode": "ES"}}))),
    }
