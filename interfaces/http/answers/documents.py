"""Documents as clients see them (contract §6)."""

from datetime import date, datetime
from typing import Any, Literal

from domain.documents.access import DocumentDownloaded
from domain.invoicing.invoice import INVOICE
from domain.kernel.facts import Utc, Value
from domain.receivables.receipt import RECEIPT
from interfaces.http.answers.document_actions import Viewer, allowed_actions

_SOURCE_STREAMS = {INVOICE.name: "Invoice", RECEIPT.name: "Receipt"}
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
    replaces_document_id: str | None
    replaced_by_document_id: str | None
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


class PolicyAnswer(Value):
    """What policy says, for a dry run: which one, in which version, and each rule that was looked at."""

    outcome: str
    policy: str
    version: str
    reason: str
    languages: list[str]
    tax_model: str
    retention_class: str | None
    explanation: list[str]


class CommandedDocumentAnswer(Value):
    """A document as a command left it; without a number it waits for a fiscal profile."""

    document_id: str
    document_key: str
    document_version: int
    doc_type: str
    status: str
    number: str | None
    series_id: str | None
    issue_date: date | None
    issuer_entity_id: str
    country_code: str
    language: str
    source_ref: SourceRefAnswer
    currency_uom_id: str
    totals: TotalsAnswer
    replaces_document_id: str | None
    linked_documents: list[dict[str, str]]
    policy: PolicyAnswer | None = None
    dry_run: bool | None = None


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


def document_item(row: dict[str, Any], viewer: Viewer) -> DocumentItem:
    """A row of the read model as an item, for who looks at it."""
    return DocumentItem(**_common(row, viewer))


def document_detail(row: dict[str, Any], viewer: Viewer) -> DocumentDetail:
    """A row of the read model as the detail, for who looks at it."""
    issued = row["issued"]
    return DocumentDetail(
        **_common(row, viewer),
        seal=None if issued is None else issued["seal"],
        fiscal=_fiscal(row),
        links=_links(row),
    )


def _fiscal(row: dict[str, Any]) -> dict[str, str]:
    """Whose law made it, what the authority gave for it, and its place in a chain, where there is one."""
    fiscal = {"driver": row["driver"], "driverVersion": row["driver_version"]}
    if (stamp := row["stamp"]) is not None:
        fiscal |= {"authority": stamp["authority"], "uuid": stamp["uuid"], "stampedAt": stamp["stampedAt"]}
        fiscal |= {"qr": stamp["qr"]} if "qr" in stamp else {}
    if (chain := row["chain"]) is not None:
        fiscal |= {"chainId": chain["chainId"], "chainHash": chain["hash"]}
    return fiscal


def _links(row: dict[str, Any]) -> list[dict[str, str]]:
    """What the document is about, the invoice or receipt it is made of, and the series of its number."""
    links = [_link("source", *_SOURCES[row["source_type"]], row["source_id"])]
    stream_type, _, stream_id = row["source_stream"].partition("/")
    if stream_type in _SOURCE_STREAMS:
        links.append(_link(stream_type, "billing", _SOURCE_STREAMS[stream_type], stream_id))
    if row["series_id"] is not None:
        links.append(_link("number-series", "billing-docs", "number-series", row["series_id"]))
    return links


def _link(rel: str, target_domain: str, target_type: str, target_id: str) -> dict[str, str]:
    return {"rel": rel, "targetDomain": target_domain, "targetType": target_type, "targetId": target_id}


def _common(row: dict[str, Any], viewer: Viewer) -> dict[str, Any]:
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
        "replaces_document_id": row["replaces_document_id"],
        "replaced_by_document_id": row["replaced_by_document_id"],
        "source_ref": SourceRefAnswer(type=row["source_type"], id=row["source_id"]),
        "buyer_id": row["buyer_id"],
        "seller_id": row["seller_id"],
        "language": row["language"],
        "totals": TotalsAnswer.model_validate(row["totals"]),
        "currency_uom_id": row["currency_uom_id"],
        "retention": retention,
        "linked_documents": row["linked_documents"],
        "allowed_actions": allowed_actions(row, viewer),
    }


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
