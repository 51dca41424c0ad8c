"""An order is paid, its receipt issued and sealed, its buyer takes it, auditors see it all (S3 §4.1)."""

import io
import json
from typing import Any

import pypdf

from tests.support.house import House, paid
from tests.support.snapshots import order_data


def test_from_the_payment_to_the_buyers_download_and_the_audit_trail(house: House) -> None:
    answer = house.post(paid("journey-1"))
    assert answer.status_code == 200
    position = answer.headers["x-ledger-position"]
    with house.client("BUYER", buyer_id="buyer-17", sub="mari") as buyer:
        listed = buyer.get(
            "/v1/documents", params={"orderId": "journey-1"}, headers={"X-Min-Position": position}
        )
        (row,) = listed.json()["items"]
        assert (row["docType"], row["status"], row["number"][:2]) == ("RECEIPT", "ISSUED", "R-")
        assert row["allowedActions"] == ["DOWNLOAD", "VERIFY"]
        path = f"/v1/documents/{row['documentId']}"
        files = {}
        for file_format in ("PDF", "JSON"):
            token = buyer.post(f"{path}/download-token", json={"format": file_format}).json()
            download = buyer.get(token["url"])
            files[file_format] = download.content
        verification = buyer.get(f"{path}/verify").json()
    assert verification["valid"] is True
    _receipt_shows_the_snapshot_and_nothing_else(json.loads(files["JSON"]), row)
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(files["PDF"])).pages)
    for printed in (row["number"], "Marigold Tansy-Okafor", "Enamel kettle, moss green", "76.80"):
        assert printed in text
    with house.client("AUDITOR") as auditor:
        wait = {"X-Min-Position": download.headers["x-ledger-position"]}
        timeline = auditor.get(f"{path}/events", headers=wait).json()["items"]
        (series,) = [
            item
            for item in auditor.get("/v1/number-series", params={"limit": 200}).json()["items"]
            if item["seriesId"] == row["seriesId"]
        ]
    # The buyer has an e-mail address: a link went there, at whatever moment.
    timeline = [entry for entry in timeline if not entry["eventType"].startswith("DELIVER")]
    told = [(entry["eventType"], entry["actorId"], entry["actorRole"]) for entry in timeline]
    assert told == [
        ("ISSUED", "system:worker", "SYSTEM"),
        ("DOWNLOADED", "mari", "BUYER"),
        ("DOWNLOADED", "mari", "BUYER"),
    ]
    assert timeline[0]["position"] <= int(position), "who was told of the issue finds it behind that position"
    assert [entry["metadata"].get("format") for entry in timeline[1:]] == ["PDF", "JSON"]
    assert [entry["position"] for entry in timeline] == sorted(entry["position"] for entry in timeline)
    assert series["issuerEntityId"] == "platform-gb" and series["nextNumber"] > 1


def _receipt_shows_the_snapshot_and_nothing_else(content: dict[str, Any], row: dict[str, Any]) -> None:
    snapshot = order_data("journey-1")["orderFinancialSnapshot"]
    for name in (
        "platformFeeBeforeCredits",
        "feeCreditsApplied",
        "platformFeeAfterCredits",
        "sellerCouponDiscount",
        "itemsSubtotal",
        "opsFee",
        "processingFee",
        "buyerTotal",
    ):
        assert content[name] == snapshot[name], name
    assert content["number"] == row["number"] and content["documentKey"] == row["documentKey"]
    assert row["totals"]["grandTotal"] == snapshot["buyerTotal"]
    text = json.dumps(content)
    for hidden in ("sellerFees", "sellerNet", "COMMISSION", "marigold@example.org", "6624"):
        assert hidden not in text, "a receipt is the buyer's"


def test_a_payment_webhook_that_repeats_returns_the_existing_document(house: House) -> None:
    first = house.post(paid("journey-repeated")).json()["results"][0]
    head = house.catch_up()
    for event_id in ("paid/journey-repeated", "webhook-2", "webhook-3", "paid/journey-repeated"):
        again = house.post(paid("journey-repeated", event_id)).json()["results"][0]
        assert (again["outcome"], again["documents"]) == ("DUPLICATE", first["documents"])
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        later = auditor.get("/v1/audit/events", params={"order": "desc", "limit": 50}).json()
        listed = auditor.get("/v1/documents", params={"orderId": "journey-repeated"}).json()["items"]
    new = [event["type"] for event in later["items"] if event["position"] > head]
    # The buyer has an e-mail address: a link goes there meanwhile, and claims its delivery's id.
    told = [event for event in new if not event.startswith(("document-access.", "claim."))]
    assert told == ["inbound.received"] * 2, "only that two new events told nothing new"
    assert len(listed) == 1


def test_an_order_of_a_spanish_speaking_country_has_its_receipt_in_spanish(house: House) -> None:
    detail = house.issued(paid("journey-es", countryCode="MX"))
    assert (detail["language"], detail["countryCode"]) == ("es", "MX")
    with house.client("AUDITOR") as auditor:
        token = auditor.post(f"/v1/documents/{detail['documentId']}/download-token", json={}).json()
        pdf = auditor.get(token["url"]).content
    text = "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert "Recibo" in text or "RECIBO" in text
