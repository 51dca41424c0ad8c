"""Documents that an authority stamps, in a real house with a real (simulated) authority."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from domain.fiscal.countries.simulated.driver import SIMULATED_AUTHORITY
from infrastructure.stamping.simulated_authority import NOTICE
from tests.support.authority import counts, faults
from tests.support.house import all_items, by_platform, eventually, paid
from tests.support.stamping_house import StampingHouse, a_stamping_house

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stamping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StampingHouse]:
    folder: Path = tmp_path_factory.mktemp("stamping")
    with a_stamping_house(folder) as stamping:
        yield stamping


@pytest.fixture(scope="module")
def document(stamping: StampingHouse) -> dict[str, Any]:
    """The detail of an invoice that was stamped and issued."""
    (document_id,) = stamping.draft("first")
    return stamping.house.wait_for_issue(document_id)


@pytest.fixture(autouse=True)
def well(stamping: StampingHouse) -> Iterator[None]:
    """Each test leaves the authority in order."""
    yield
    faults(stamping.authority.url)


def _token(client: httpx.Client, document_id: str, file_format: str) -> httpx.Response:
    return client.post(f"/v1/documents/{document_id}/download-token", json={"format": file_format})


def _checks(stamping: StampingHouse, document_id: str) -> dict[str, bool]:
    with stamping.house.client("AUDITOR") as auditor:
        answer = auditor.get(f"/v1/documents/{document_id}/verify").json()
    return {check["name"]: check["ok"] for check in answer["checks"]}


def test_a_document_tells_who_stamped_it_and_that_this_is_a_simulation(
    stamping: StampingHouse, document: dict[str, Any]
) -> None:
    fiscal = document["fiscal"]
    assert (fiscal["driver"], fiscal["authority"]) == ("SIMULATED", SIMULATED_AUTHORITY)
    assert fiscal["uuid"] in fiscal["qr"] and ".invalid/" in fiscal["qr"]
    assert len(fiscal["chainHash"]) == 64
    assert document["seal"]["sha256Fiscal"]


def test_the_stamped_file_is_handed_out(stamping: StampingHouse, document: dict[str, Any]) -> None:
    with stamping.house.client("AUDITOR") as auditor:
        token = _token(auditor, document["documentId"], "FISCAL")
        assert token.status_code == 201, token.text
        answer = auditor.get(token.json()["url"])
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].endswith(f'"{document["number"]}.fiscal.json"')
    assert sha256(answer.content).hexdigest() == document["seal"]["sha256Fiscal"]
    stamped = json.loads(answer.content)
    assert (stamped["notice"], stamped["uuid"]) == (NOTICE, document["fiscal"]["uuid"])
    assert stamped["content"]["number"] == document["number"]


def test_a_document_without_a_stamp_has_no_such_file(stamping: StampingHouse) -> None:
    receipt = stamping.house.issued(paid("unstamped"))
    with stamping.house.client("AUDITOR") as auditor:
        assert _token(auditor, receipt["documentId"], "FISCAL").status_code == 404


def test_verification_looks_at_the_stamped_file_too(
    stamping: StampingHouse, document: dict[str, Any]
) -> None:
    document_id = document["documentId"]
    assert _checks(stamping, document_id)["fiscal-hash"]
    assert all(_checks(stamping, document_id).values())
    objects = stamping.house.data_dir / "vault" / "objects"
    (file,) = objects.rglob(f"documents~{document_id}~fiscal.json")
    content = file.read_bytes()
    file.chmod(0o600)
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        failing = {name for name, ok in _checks(stamping, document_id).items() if not ok}
    finally:
        file.write_bytes(content)
    assert failing == {"fiscal-hash"}
    assert all(_checks(stamping, document_id).values())


def test_every_link_of_the_chain_is_accounted_for(stamping: StampingHouse, document: dict[str, Any]) -> None:
    stamping.house.catch_up()
    with stamping.house.client("AUDITOR") as auditor:
        path = "/v1/number-series/XS:simulated-ltd:CHAIN/numbers"
        assert auditor.get(path).json()["gaps"] == []
        links = all_items(auditor, path)
        invoices = all_items(auditor, "/v1/number-series/XS:simulated-ltd:FISCAL_INVOICE/numbers")
    assert [link["documentId"] for link in links] == [number["documentId"] for number in invoices]
    assert links[0]["documentId"] == document["documentId"]


def test_a_refused_document_keeps_its_number_and_waits_for_a_person(stamping: StampingHouse) -> None:
    (document_id,) = stamping.draft("refused:XSREJECT")
    failure = stamping.failure(document_id)
    assert (failure["reason"], failure["authorityCode"]) == ("driver_rejected", "XS301")
    assert "retryAt" not in failure
    detail = stamping.detail(document_id)
    assert detail["status"] == "DRAFT" and detail["number"].startswith("F-")
    assert stamping.task(document_id)
    (line,) = _logged(stamping, document_id)
    assert (line["event"], line["authorityCode"]) == ("document-parked", "XS301")
    assert "POST /v1/documents/issue" in line["toDo"]


def _logged(stamping: StampingHouse, document_id: str) -> list[dict[str, Any]]:
    lines = stamping.house.log_path.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if document_id in line and "document-parked" in line]


def test_documents_wait_for_an_authority_that_is_down_and_are_issued_once_it_is_back(
    stamping: StampingHouse,
) -> None:
    faults(stamping.authority.url, {"kind": "DOWN"})
    ids = stamping.draft("down-1", "down-2")
    for document_id in ids:
        assert stamping.failure(document_id)["reason"] == "driver_unavailable"
    faults(stamping.authority.url)
    for document_id in ids:
        assert stamping.house.wait_for_issue(document_id)["status"] == "ISSUED"


def test_a_stamp_whose_answer_was_lost_is_found_again(stamping: StampingHouse) -> None:
    before = counts(stamping.authority.url)["stamps"]
    faults(stamping.authority.url, {"kind": "LOST"})
    (document_id,) = stamping.draft("lost")
    assert stamping.house.wait_for_issue(document_id)["fiscal"]["uuid"]
    assert [event["data"]["reason"] for event in stamping.events(document_id, "document.issue-failed")] == [
        "driver_timeout"
    ]
    assert counts(stamping.authority.url)["stamps"] == before + 1


def test_a_slow_authority_holds_up_neither_receipts_nor_its_other_documents(stamping: StampingHouse) -> None:
    faults(stamping.authority.url, {"kind": "SLOW", "seconds": 3600, "taxId": "B-SLOW"})
    slow, quick = stamping.draft("slow:B-SLOW", "quick")
    parties = by_platform("beside-slow-ltd")
    receipt = stamping.house.issued(paid("beside-slow", orderPartySnapshot=parties))
    assert receipt["status"] == "ISSUED"
    assert stamping.house.wait_for_issue(quick)["status"] == "ISSUED"
    assert not stamping.events(slow, "document.issued")
    assert stamping.failure(slow)["reason"] == "driver_timeout"
    faults(stamping.authority.url)
    assert stamping.house.wait_for_issue(slow)["status"] == "ISSUED"


def test_where_one_in_five_fails_all_end_issued_or_parked_with_a_task(stamping: StampingHouse) -> None:
    faults(stamping.authority.url, {"kind": "REJECT", "code": "XS302", "oneIn": 5})
    ids = stamping.draft(*(f"many-{number}" for number in range(40)))

    def settled() -> dict[str, str] | None:
        details = [stamping.detail(document_id) for document_id in ids]
        parked = {each for each in ids if stamping.events(each, "document.issue-failed")}
        states = {each["documentId"]: each["status"] for each in details}
        open_ones = [each for each in ids if states[each] == "DRAFT" and each not in parked]
        return None if open_ones else states

    states = eventually(settled)
    refused = [document_id for document_id in ids if states[document_id] == "DRAFT"]
    assert 2 <= len(refused) <= 20
    for document_id in refused:
        assert stamping.failure(document_id)["authorityCode"] == "XS302"
        assert stamping.task(document_id)


def test_how_long_the_authority_takes_is_measured(stamping: StampingHouse, document: dict[str, Any]) -> None:
    with stamping.house.client() as anybody:
        text = anybody.get("/metrics").text
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    samples = {name: float(value) for name, _, value in lines}
    assert samples['docs_driver_api_latency_seconds_count{country="XS"}'] >= 1
    assert 0 < samples['docs_driver_api_latency_p95{country="XS"}'] <= 60
