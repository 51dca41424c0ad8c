"""Facts to test with: short builders for histories, and one full example of every stored event."""

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from domain.documents import order as orders
from domain.documents.access import AccessDataErased, DocumentDownloaded
from domain.documents.document_facts import (
    ChainLink,
    ContentRef,
    Corrected,
    DocumentDrafted,
    DocumentIssued,
    DocumentIssueFailed,
    DocumentLinked,
    DocumentNumbered,
    DocumentReplaced,
    DocumentRetryAsked,
    DocumentStamped,
    DocumentVoided,
    FiscalStamp,
    LinkedDocument,
    MissingProfile,
    NamedProfile,
    Retention,
    SourceRef,
    Totals,
    Verdict,
)
from domain.documents.keys import document_id, document_key
from domain.documents.order import order_content, told_content
from domain.documents.order_events import RefundData
from domain.documents.order_facts import (
    OrderPaid,
    OrderPersonalDataErased,
    OrderRefundAwaited,
    OrderRefunded,
    OrderRefundParked,
)
from domain.documents.order_snapshot import OrderData
from domain.documents.order_state import Order
from domain.documents.seal import Seal
from domain.inbound.inbound import About, InboundReceived, InboundRefused
from domain.kernel.canonical import sha256_hex
from domain.kernel.claim import ClaimTaken
from domain.kernel.facts import Fact
from domain.numbering.series import NumberAssigned, NumberFormat, SeriesOpened, series_id
from infrastructure.keys.fingerprints import KeyedFingerprint
from tests.support.snapshots import financial_snapshot, order_data

NOON = datetime(2026, 3, 14, 12, 0, tzinfo=UTC)
KEY = document_key(("o-1",), "RECEIPT", "platform-gb", 1)
DOCUMENT_ID = document_id(KEY)
SERIES_ID = series_id("GB", "platform-gb", "RECEIPT")
YEARLY = NumberFormat(prefix="R-{year}-", padding=6, yearly_reset=True)


FINGERPRINT = KeyedFingerprint(bytes(range(32)))


def an_order(order_id: str = "o-1", **changes: Any) -> OrderData:
    """A consistent order of 76.80 GBP; `changes` replace top-level fields of its data."""
    return OrderData.model_validate(order_data(order_id, **changes))


def plain_amount(amount: int, snapshot_id: str, currency: str = "GBP", **changes: Any) -> dict[str, Any]:
    """A consistent financial snapshot of one line and nothing else, JSON-ready."""
    nothing: dict[str, Any] = dict.fromkeys(
        (
            "sellerCouponDiscount",
            "platformFeeBeforeCredits",
            "feeCreditsApplied",
            "platformFeeAfterCredits",
            "opsFee",
            "processingFee",
        ),
        0,
    )
    line = {
        "lineId": "l-1",
        "description": "Enamel kettle",
        "quantity": "1",
        "unitAmount": amount,
        "amount": amount,
    }
    totals = {"itemsSubtotal": amount, "buyerTotal": amount, "sellerNet": amount}
    plain = {"currencyUomId": currency, "lines": [line], "sellerFees": [], "taxes": []}
    return financial_snapshot(snapshot_id, **{**plain, **nothing, **totals, **changes})


def refund_data(
    refund_id: str = "r-1", amount: int = 1000, *, order_id: str = "o-1", **changes: Any
) -> dict[str, Any]:
    """What upstream sends of a refund, JSON-ready; `changes` replace fields of its snapshot."""
    return {
        "orderId": order_id,
        "refundId": refund_id,
        "reason": "Arrived dented",
        "refundSnapshot": plain_amount(amount, f"snap-{order_id}-{refund_id}", **changes),
    }


def a_refund(refund_id: str = "r-1", amount: int = 1000, **changes: Any) -> RefundData:
    """A refund of an amount (minor units) of order o-1."""
    return RefundData.model_validate(refund_data(refund_id, amount, **changes))


def paid(order: OrderData | None = None) -> OrderPaid:
    """The order was paid."""
    order = order or an_order()
    return OrderPaid(order=order, fingerprint=FINGERPRINT(order_content(order)))


def refunded(refund: RefundData | None = None) -> OrderRefunded:
    """The refund took effect."""
    refund = refund or a_refund()
    return OrderRefunded(refund=refund, fingerprint=FINGERPRINT(told_content(refund)))


def awaited(refund: RefundData | None = None) -> OrderRefundAwaited:
    """The refund came before its order."""
    refund = refund or a_refund()
    return OrderRefundAwaited(refund=refund, fingerprint=FINGERPRINT(told_content(refund)))


def parked(refund_id: str = "r-1", code: str = "REFUND_EXCEEDS_PAID") -> OrderRefundParked:
    """The refund that had waited proved invalid."""
    return OrderRefundParked(refund_id=refund_id, code=code)


def pay(state: Order | None, order: OrderData) -> tuple[Fact, ...]:
    """Decides on a paid order, by its own fingerprint."""
    return orders.pay(state, order, FINGERPRINT(order_content(order)))


def refund(state: Order | None, data: RefundData) -> tuple[Fact, ...]:
    """Decides on a refund, by its own fingerprint."""
    return orders.refund(state, data, FINGERPRINT(told_content(data)))


def opened(time_zone: str = "Europe/London", number_format: NumberFormat = YEARLY) -> SeriesOpened:
    """The series of receipts is open."""
    return SeriesOpened(
        series_id=SERIES_ID,
        country_code="GB",
        issuer_entity_id="platform-gb",
        doc_type="RECEIPT",
        format=number_format,
        time_zone=time_zone,
    )


def assigned(sequence: int, issued_at: datetime = NOON, year: int = 2026) -> NumberAssigned:
    """A number of that series was given."""
    return NumberAssigned(
        number=f"R-{year}-{sequence:06d}",
        sequence=sequence,
        year=year,
        holder_type="DOCUMENT",
        holder_id=DOCUMENT_ID,
        issued_at=issued_at,
    )


CORRECTS = LinkedDocument(
    document_id="5b1c1b44-0000-5000-8000-000000000001", doc_type="FISCAL_INVOICE", relation="CORRECTS"
)


def drafted(**changes: Any) -> DocumentDrafted:
    """A receipt was drafted."""
    fields: dict[str, Any] = {
        "document_key": KEY,
        "document_version": 1,
        "doc_type": "RECEIPT",
        "source_ref": SourceRef(type="ORDER", id="o-1"),
        "content_ref": ContentRef(stream_type="order", stream_id="o-1"),
        "snapshot_id": "snap-o-1",
        "country_code": "GB",
        "issuer_entity_id": "platform-gb",
        "buyer_id": "buyer-17",
        "seller_id": "seller-4",
        "language": "en",
        "currency_uom_id": "GBP",
        "totals": Totals(
            items_subtotal=6000, discount_total=1000, fee_total=440, tax_total=1240, grand_total=7680
        ),
        "audience": "BUYER",
        "delivery_method": "EMAIL",
        "template_version": "receipt/1",
        "driver": "GENERIC",
        "driver_version": "generic/1",
        "verdict": Verdict(
            policy="GENERIC", version="generic/1", reason="A paid order always has a receipt."
        ),
    }
    return DocumentDrafted(**{**fields, **changes})


def numbered(sequence: int = 1) -> DocumentNumbered:
    """It got its number."""
    return DocumentNumbered(
        series_id=SERIES_ID,
        number=f"R-2026-{sequence:06d}",
        issued_at=NOON,
        issue_date=date(2026, 3, 14),
    )


def issued(pdf: bytes = b"%PDF", content: bytes = b"{}", signature: str = "c2lnbmVk") -> DocumentIssued:
    """Its files are sealed and stored."""
    return DocumentIssued(
        pdf_name=f"documents/{DOCUMENT_ID}/document.pdf",
        json_name=f"documents/{DOCUMENT_ID}/document.json",
        seal=Seal(
            sha256_pdf=sha256_hex(pdf),
            sha256_json=sha256_hex(content),
            signature=signature,
            key_id="0123456789abcdef",
            algorithm="Ed25519",
        ),
        retention=Retention(retention_class="COMMERCIAL", until=date(2036, 12, 31), mode="COMPLIANCE"),
    )


def issue_failed(attempt: int = 1) -> DocumentIssueFailed:
    """An attempt to issue it failed."""
    return DocumentIssueFailed(reason="vault_unavailable", attempt=attempt, retry_at=NOON)


NAMED_PROFILE = NamedProfile(role="BUYER", profile_id="BUYER:buyer-17:GB", version=1)
CORRECTED = Corrected(doc_type="FISCAL_INVOICE", number="F-2026-000007", issue_date=date(2026, 3, 1))
CHAIN_LINK = ChainLink(
    chain_id="GB:platform-gb:CHAIN",
    sequence=2,
    hash=sha256_hex(b"second"),
    previous_id="5b1c1b44-0000-5000-8000-000000000002",
    previous_hash=sha256_hex(b"first"),
)


def blocked() -> DocumentIssueFailed:
    """It cannot be issued before its buyer's profile is complete."""
    missing = MissingProfile(owner_type="BUYER", owner_id="buyer-17", country_code="GB", fields=("taxId",))
    return DocumentIssueFailed(
        reason="issue_failed_profile_missing",
        attempt=1,
        retry_at=NOON,
        missing_profiles=(missing,),
        authority_code="307",
    )


def stamped(uuid: str = "5b1c1b44-0000-4000-8000-0000000000aa") -> DocumentStamped:
    """The authority has stamped it."""
    return DocumentStamped(
        stamp=FiscalStamp(
            authority="SIMULATED",
            uuid=uuid,
            stamped_at=NOON,
            qr="https://authority.example/verify?id=aa",
            file_name=f"documents/{DOCUMENT_ID}/fiscal.xml",
            sha256=sha256_hex(b"<stamped/>"),
        )
    )


def replaced() -> DocumentReplaced:
    """Another version stands in its place."""
    return DocumentReplaced(
        replaced_by_document_id="5b1c1b44-0000-5000-8000-000000000003",
        reason_code="ERROR",
        approver="5b1c1b44-0000-5000-8000-000000000077",
    )


def voided() -> DocumentVoided:
    """It counts no more."""
    return DocumentVoided(reason_code="ERROR")


def received(**changes: Any) -> InboundReceived:
    """An upstream event was taken in."""
    return InboundReceived(**{**_INBOUND, "effect": "ACCEPTED", **changes})


def refused(**changes: Any) -> InboundRefused:
    """An upstream event was refused."""
    return InboundRefused(**{**_INBOUND, "code": "SNAPSHOT_INCONSISTENT", **changes})


def document_examples() -> tuple[Fact, ...]:
    """One full example of every stored event of this module, optional fields included."""
    order = an_order(buyerNote={"gift": True, "weightKg": 1.25})
    return (
        received(),
        refused(),
        paid(order),
        refunded(a_refund(channel="card")),
        awaited(),
        parked(),
        ClaimTaken(purpose="SNAPSHOT", key="snap-o-1", holder="o-1", fingerprint=sha256_hex(b"snapshot")),
        drafted(
            retention_class="CFDI",
            linked_documents=(CORRECTS,),
            corrects=CORRECTED,
            replaces_document_id=CORRECTS.document_id,
        ),
        numbered().model_copy(update={"profiles": (NAMED_PROFILE,), "chain": CHAIN_LINK}),
        stamped(),
        issued(),
        blocked(),
        DocumentRetryAsked(retry_at=NOON),
        DocumentLinked(linked_document=CORRECTS),
        DocumentVoided(reason_code="ERROR", approver="5b1c1b44-0000-5000-8000-000000000077"),
        replaced(),
        DocumentDownloaded(
            document_id=DOCUMENT_ID,
            caller="ana",
            file_format="PDF",
            ip="192.0.2.7",
            device="Mozilla/5.0 (X11)",
        ),
        OrderPersonalDataErased(
            subject="party:buyer-17", retention_class="CONTACT", key_id=str(UUID(int=17)), positions=(1,)
        ),
        AccessDataErased(
            subject="user:ana", retention_class="ACCESS", key_id=str(UUID(int=18)), positions=(7, 9)
        ),
        opened(),
        assigned(1).model_copy(update={"chain_hash": CHAIN_LINK.hash}),
    )


_INBOUND: dict[str, Any] = {
    "source": "urn:example:orders",
    "event_id": "evt-1",
    "type": "orders.PAID_IN_ESCROW",
    "data_fingerprint": sha256_hex(b"data"),
    "about": About(stream_type="order", stream_id="o-1"),
}
