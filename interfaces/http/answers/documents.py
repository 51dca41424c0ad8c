"""Documents as clients see them (contract §6)."""

from datetime import date, datetime
from typing import Any, Literal

from domain.documents.access import DocumentDownloaded
from domain.invoicing.invoice import INVOICE
from domain.kernel.facts import Utc, Value

_SOURCES = {"ORDER": ("orders", "order"), "WORK_ORDER": ("workexec", "WorkOrder")}
"""By the type of what a document is about: the domain and the type there, as links name them."""


class SourceRefAnswer(Value):
    """What the document is about."""

    type: Literal["ORDER", "WORK_ORDER"]
    id: str


class TotalsAnswer(Value):
    """Minor units of `currencyUomId`."""

    items_subtotal: int
    discount_total: int
    fee_total: int
    tax_total: int
    grand_total: int


class DocumentItem(Value):
    """A row of the Document Center."""

    document_id: str
    order_id: str | None
    doc_type: str
    country_code: str
    issuer_entity_id: str
    series_id: str | None
    number: str | None
    status: str
    pdf_url: str | None
    json_url: str | None
    hash_sha256: str | None
    issued_at: Utc | None
    issue_date: date | None
    driver_version: str
    template_version: str
    document_key: str
    document_version: int
    replaces_document_id: str | None = None
    replaced_by_document_id: str | None = None
    source_ref: SourceRefAnswer
    buyer_id: str
    seller_id: str
    language: str
    totals: TotalsAnswer
    currency_uom_id: str
    retention: dict[str, str] | None
    linked_documents: list[dict[str, str]]
    allowed_actions: list[str]


class DocumentDetail(DocumentItem):
    """One document, with its seal, its fiscal data and its links."""

    seal: dict[str, str] | None
    fiscal: dict[str, str]
    links: list[dict[str, str]]


class DocumentPage(Value):
    """A page of the Document Center."""

    items: list[DocumentItem]
    next_cursor: str | None


class TimelineEntry(Value):
    """One entry of a document's audit timeline (S3 §6.3)."""

    event_id: str
    document_id: str
    event_type: str
    actor_id: str
    actor_role: str
    ip: str | None
    device: str | None
    timestamp_utc: Utc
    position: int
    metadata: dict[str, Any]


class TimelinePage(Value):
    """A page of a timeline."""

    items: list[TimelineEntry]
    next_cursor: str | None


def document_item(row: dict[str, Any]) -> DocumentItem:
    """A row of the read model as an item."""
    return DocumentItem(**_common(row))


def document_detail(row: dict[str, Any]) -> DocumentDetail:
    """A row of the read model as the detail."""
    issued = row["issued"]
    return DocumentDetail(
        **_common(row),
        seal=None if issued is None else issued["seal"],
        fiscal={"driver": row["driver"], "driverVersion": row["driver_version"]},
        links=_links(row),
    )


def _links(row: dict[str, Any]) -> list[dict[str, str]]:
    """What the document is about, the invoice it is made of, and the series of its number."""
    links = [_link("source", *_SOURCES[row["source_type"]], row["source_id"])]
    stream_type, _, stream_id = row["source_stream"].partition("/")
    if stream_type == INVOICE.name:
        links.append(_link("invoice", "billing", "Invoice", stream_id))
    if row["series_id"] is not None:
        links.append(_link("number-series", "billing-docs", "number-series", row["series_id"]))
    return links


def _link(rel: str, target_domain: str, target_type: str, target_id: str) -> dict[str, str]:
    return {"rel": rel, "targetDomain": target_domain, "targetType": target_type, "targetId": target_id}


def _common(row: dict[str, Any]) -> dict[str, Any]:
    issued = row["issued"]
    retention = None
    if issued is not None:
        kept = issued["retention"]
        retention = {"class": kept["retentionClass"], "until": kept["until"], "mode": kept["mode"]}
    return {
        "document_id": row["document_id"],
        "order_id": row["source_id"] if row["source_type"] == "ORDER" else None,
        "doc_type": row["doc_type"],
        "country_code": row["country_code"],
        "issuer_entity_id": row["issuer_entity_id"],
        "series_id": row["series_id"],
        "number": row["number"],
        "status": row["status"],
        "pdf_url": None if issued is None else f"vault:{issued['pdfName']}",
        "json_url": None if issued is None else f"vault:{issued['jsonName']}",
        "hash_sha256": None if issued is None else issued["seal"]["sha256Pdf"],
        "issued_at": row["issued_at"],
        "issue_date": row["issue_date"],
        "driver_version": row["driver_version"],
        "template_version": row["template_version"],
        "document_key": row["document_key"],
        "document_version": row["document_version"],
        "source_ref": SourceRefAnswer(type=row["source_type"], id=row["source_id"]),
        "buyer_id": row["buyer_id"],
        "seller_id": row["seller_id"],
        "language": row["language"],
        "totals": TotalsAnswer.model_validate(row["totals"]),
        "currency_uom_id": row["currency_uom_id"],
        "retention": retention,
        "linked_documents": row["linked_documents"],
        "allowed_actions": _allowed_actions(row["status"]),
    }


def _allowed_actions(status: str) -> list[str]:
    if status != "ISSUED":
        return []
    return ["DOWNLOAD", "VERIFY"]


def timeline_entry(row: dict[str, Any], download: DocumentDownloaded | None) -> TimelineEntry:
    """A row of the timeline; `download` is its event, for who may see from where a document was taken."""
    moment: datetime = row["timestamp_utc"]
    return TimelineEntry(
        event_id=f"{row['document_id']}@{row['position']}",
        document_id=row["document_id"],
        event_type=row["event_type"],
        actor_id=row["actor_id"],
        actor_role=row["actor_role"],
        ip=None if download is None else download.ip,
        device=None if download is None else download.device,
        timestamp_utc=moment,
        position=row["position"],
        metadata=row["metadata"],
    )
