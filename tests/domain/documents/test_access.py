"""Accesses are counted in a stream a document and month, apart from the document's own life."""

from datetime import UTC, datetime

from domain.documents.access import ArtifactDownloaded, DocumentDownloaded, access_stream
from tests.support.given import state_after


def test_a_month_of_accesses_is_one_stream() -> None:
    first = access_stream("d-1", datetime(2026, 3, 1, 0, 0, tzinfo=UTC))
    last = access_stream("d-1", datetime(2026, 3, 31, 23, 59, 59, 999999, tzinfo=UTC))
    assert first == last == ("document-access", "d-1/2026-03")


def test_another_month_or_document_is_another_stream() -> None:
    march = access_stream("d-1", datetime(2026, 3, 31, tzinfo=UTC))
    assert access_stream("d-1", datetime(2026, 4, 1, tzinfo=UTC)) != march
    assert access_stream("d-2", datetime(2026, 3, 31, tzinfo=UTC)) != march


def test_downloads_are_counted() -> None:
    downloaded = DocumentDownloaded(document_id="d-1", caller="ana", file_format="PDF")
    assert state_after(downloaded, downloaded, downloaded).downloads == 3


def test_an_artifacts_download_is_counted_in_its_invoices_month() -> None:
    downloaded = ArtifactDownloaded(
        invoice_id="i-1", artifact_ref_id="approval-1", sha256="0" * 64, caller="ana"
    )
    assert state_after(downloaded, downloaded).downloads == 2
