"""Issued documents reach their readers: by e-mail with a link, by post, in the app, and again on demand."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.support.account_facts import rules_request
from tests.support.decisions import rule
from tests.support.garage import FINANCE, MANAGER, Garage
from tests.support.house import House, all_items, by_platform, eventually, paid
from tests.support.problems import problem

KEY = "Idempotency-Key"


@pytest.fixture(scope="module")
def support(house: House) -> Iterator[httpx.Client]:
    with house.client("SUPPORT", sub="sue", countries=["ES", "GB"]) as client:
        yield client


def _document(garage: Garage, account: dict[str, Any]) -> dict[str, Any]:
    """The issued document of a new invoice of that account."""
    return garage.document(garage.issued(account)["documents"][0]["documentId"])


def _account_with(garage: Garage, method: str, **changes: Any) -> dict[str, Any]:
    """A customer whose rules say how invoices go out."""
    account = garage.account(**changes)
    rules = rules_request(partyId=account["partyId"], invoiceDeliveryMethod=method)
    answer = garage.client(FINANCE).put(f"/v1/billing/rules/{account['customerAccountId']}", json=rules)
    assert answer.status_code == 201, answer.text
    return account


def _mails(house: House, address: str) -> list[EmailMessage]:
    mails = (
        message_from_bytes(path.read_bytes(), policy=policy.default)
        for path in (house.data_dir / "mail").rglob("*.eml")
    )
    return [mail for mail in mails if isinstance(mail, EmailMessage) and mail["To"] == address]


def _mail(house: House, address: str) -> EmailMessage:
    """The only e-mail to that address, once it is there."""
    (mail,) = eventually(lambda: _mails(house, address))
    return mail


def _address() -> str:
    return f"{uuid4().hex}@example.org"


def _resend(
    client: httpx.Client, document_id: str, channel: str = "IN_APP", key: str | None = None
) -> httpx.Response:
    headers = {KEY: key or str(uuid4())}
    return client.post(f"/v1/documents/{document_id}/resend", json={"channel": channel}, headers=headers)


def _told(house: House, document_id: str) -> list[str]:
    """What has become of a document, by type of event."""
    return [entry["eventType"] for entry in _timeline(house, document_id)]


def _timeline(house: House, document_id: str) -> list[dict[str, Any]]:
    house.catch_up()
    with house.client("AUDITOR") as auditor:
        return all_items(auditor, f"/v1/documents/{document_id}/events")


def test_an_invoice_of_an_account_with_an_address_goes_there_with_a_link_and_no_amount(
    house: House, garage: Garage
) -> None:
    address = _address()
    account = garage.account(billingContact={"email": address})
    document = _document(garage, account)
    mail = _mail(house, address)
    assert document["number"] in mail["Subject"]
    assert mail["Content-Language"] == document["language"]
    assert not list(mail.iter_attachments())
    plain, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain is not None and html is not None
    text = plain.get_content()
    for part in (text, html.get_content()):
        assert not re.search(r"\d[.,]\d\d\b", part), "no amounts"
    (link,) = re.findall(r"http\S+", text)
    assert link.startswith(f"{house.url}/v1/documents/download?token=")
    file = httpx.get(link, trust_env=False, verify=False)
    assert (file.status_code, file.headers["content-type"]) == (200, "application/pdf")
    assert file.headers["x-content-sha256"] == document["seal"]["sha256Pdf"]
    eventually(lambda: "DELIVERED" in _told(house, document["documentId"]))
    entries = {entry["eventType"]: entry for entry in _timeline(house, document["documentId"])}
    assert entries["DELIVERED"]["metadata"]["channel"] == "EMAIL"
    assert entries["DOWNLOADED"]["actorId"] == f"party:{account['partyId']}"
    assert address not in house.log_path.read_text(), "no address is logged"
    assert link.partition("=")[2] not in house.log_path.read_text(), "no token is logged"


@rule("PII-15")
def test_the_address_is_in_no_event_of_the_delivery(house: House, garage: Garage) -> None:
    address = _address()
    document = _document(garage, garage.account(billingContact={"email": address}))
    _mail(house, address)
    with house.client("AUDITOR") as auditor:
        events = all_items(auditor, "/v1/audit/events", type="document-access.delivered")
        events += all_items(auditor, "/v1/audit/events", type="document-access.delivery-started")
    mine = [event for event in events if event["data"]["documentId"] == document["documentId"]]
    assert {event["type"].partition(".")[2] for event in mine} == {"delivery-started", "delivered"}
    assert all(event["actor"] == "system:worker" for event in mine)
    assert address not in str(events)


def test_a_letter_lies_in_the_print_room_by_number_and_document(house: House, garage: Garage) -> None:
    document = _document(garage, _account_with(garage, "MAIL"))
    name = f"{document['number'].replace('/', '-')}-{document['documentId']}.pdf"
    (letter,) = eventually(lambda: list((house.data_dir / "post").rglob(name)))
    eventually(lambda: letter.read_bytes().startswith(b"%PDF-"))
    eventually(lambda: "DELIVERED" in _told(house, document["documentId"]))


def test_an_invoice_for_the_portal_goes_nowhere(house: House, garage: Garage) -> None:
    address = _address()
    account = _account_with(garage, "PORTAL", billingContact={"email": address})
    document = _document(garage, account)
    other = _address()
    _document(garage, garage.account(billingContact={"email": other}))
    _mail(house, other)
    assert _mails(house, address) == []
    assert "DELIVERED" not in _told(house, document["documentId"])


def test_support_sends_a_document_again_once_for_each_key(
    house: House, garage: Garage, support: httpx.Client
) -> None:
    address = _address()
    document_id = _document(garage, garage.account(billingContact={"email": address}))["documentId"]
    first = _mail(house, address)
    key = str(uuid4())
    answer = _resend(support, document_id, "EMAIL", key)
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert body == {
        "deliveryId": body["deliveryId"],
        "documentId": document_id,
        "channel": "EMAIL",
        "status": "QUEUED",
    }
    again = _resend(support, document_id, "EMAIL", key)
    assert (again.status_code, again.json()) == (202, body)
    assert again.headers["Idempotent-Replayed"] == "true"
    eventually(lambda: len(_mails(house, address)) == 2)
    (second,) = {mail["Message-ID"] for mail in _mails(house, address)} - {first["Message-ID"]}
    assert body["deliveryId"] in second
    eventually(lambda: _told(house, document_id).count("DELIVERED") == 2)
    assert _told(house, document_id).count("RESENT") == 1


def test_a_sixth_time_within_a_day_is_refused(house: House, garage: Garage, support: httpx.Client) -> None:
    account = garage.account()
    document_id = _document(garage, account)["documentId"]
    for channel in ("IN_APP", "EMAIL", "IN_APP", "IN_APP", "EMAIL"):
        assert _resend(support, document_id, channel).status_code in {200, 202}
    refused = _resend(support, document_id)
    problem(refused, 429, "RESEND_LIMIT")
    assert 86_000 < int(refused.headers["Retry-After"]) <= 86_400
    other = _document(garage, account)["documentId"]
    assert _resend(support, other).status_code == 200, "another document has its own"


@rule("IDEM-2")
def test_a_key_is_needed(garage: Garage, support: httpx.Client) -> None:
    document_id = _document(garage, garage.account())["documentId"]
    answer = support.post(f"/v1/documents/{document_id}/resend", json={"channel": "IN_APP"})
    problem(answer, 400, "IDEMPOTENCY_KEY_REQUIRED")


def test_what_is_not_issued_or_unknown_is_not_sent(garage: Garage, support: httpx.Client) -> None:
    invoice = garage.issued()
    document_id = garage.document(invoice["documents"][0]["documentId"])["documentId"]
    voided = garage.post(f"/invoices/{invoice['invoiceId']}/void", {"reasonCode": "ERROR"}, MANAGER)
    assert voided.status_code == 200
    problem(_resend(support, document_id), 409, "DOCUMENT_NOT_ISSUED")
    problem(_resend(support, str(uuid4())), 404, "NOT_FOUND")
    problem(_resend(support, document_id, "FAX"), 400, "VALIDATION_FAILED")


def test_who_may_not_know_of_a_document_does_not_send_it(house: House, garage: Garage) -> None:
    document_id = _document(garage, garage.account())["documentId"]
    with house.client("SUPPORT", countries=["MX"]) as abroad, house.client("SUPPORT") as nowhere:
        problem(_resend(abroad, document_id), 404, "NOT_FOUND")
        problem(_resend(nowhere, document_id), 404, "NOT_FOUND")
    with house.client("SYSTEM") as system, house.client("SYSTEM", countries=["MX"]) as narrowed:
        assert _resend(system, document_id).status_code == 200
        problem(_resend(narrowed, document_id), 404, "NOT_FOUND")
    with house.client("AUDITOR") as auditor:
        problem(_resend(auditor, document_id), 403, "PERMISSION_DENIED")


def test_without_an_address_there_is_nobody_to_send_an_e_mail_to(
    garage: Garage, support: httpx.Client
) -> None:
    document_id = _document(garage, garage.account(billingContact={}))["documentId"]
    problem(_resend(support, document_id, "EMAIL"), 422, "RECIPIENT_MISSING")
    assert _resend(support, document_id, "IN_APP").status_code == 200


def test_an_e_mail_that_cannot_go_out_is_a_task_until_somebody_sends_it_again(
    house: House, garage: Garage, support: httpx.Client
) -> None:
    account = garage.account(billingContact={"email": "no address at all"})
    document_id = _document(garage, account)["documentId"]

    def task() -> dict[str, Any] | None:
        with house.client("AUDITOR") as auditor:
            tasks = {task["taskId"]: task for task in all_items(auditor, "/v1/tasks")}
        return tasks.get(f"delivery:{document_id}")

    found = eventually(task)
    assert (found["type"], found["cause"], found["ownerId"]) == ("DELIVERY_FAILED", "address_refused", None)
    assert found["resumedBy"] == f"POST /v1/documents/{document_id}/resend"
    assert _resend(support, document_id).status_code == 200
    eventually(lambda: task() is None)


def test_a_reader_is_notified_of_its_own_documents_in_their_language(house: House, garage: Garage) -> None:
    account = garage.account()
    document = _document(garage, account)
    house.catch_up()
    with house.client("BUYER", buyer_id=account["partyId"]) as buyer:
        (notice,) = all_items(buyer, "/v1/notifications")
    assert notice == {
        "notificationId": notice["notificationId"],
        "type": "INVOICE_ISSUED",
        "channel": "IN_APP",
        "documentId": document["documentId"],
        "docType": "FISCAL_INVOICE",
        "number": document["number"],
        "ownerType": "BUYER",
        "ownerId": account["partyId"],
        "language": "es",
        "title": "Factura emitida",
        "body": f"Se ha emitido tu factura {document['number']}.",
        "createdAt": notice["createdAt"],
        "links": [
            {
                "rel": "document",
                "targetDomain": "billing-docs",
                "targetType": "document",
                "targetId": document["documentId"],
            }
        ],
    }


def test_a_resend_in_the_app_is_another_notification_the_newest_first(
    house: House, garage: Garage, support: httpx.Client
) -> None:
    account = garage.account()
    document = _document(garage, account)
    answer = _resend(support, document["documentId"])
    assert (answer.status_code, answer.json()["status"]) == (200, "DELIVERED")
    wait = {"X-Min-Position": answer.headers["X-Ledger-Position"]}
    with house.client("BUYER", buyer_id=account["partyId"]) as buyer:
        found = buyer.get("/v1/notifications", headers=wait).json()["items"]
        first = buyer.get("/v1/notifications", params={"limit": 1}).json()
        rest = buyer.get("/v1/notifications", params={"cursor": first["nextCursor"]}).json()
    assert found[0]["notificationId"] == answer.json()["deliveryId"]
    assert len(found) == 2
    assert first["items"] + rest["items"] == found and rest["nextCursor"] is None


def test_notifications_are_ones_own_and_an_auditors_all(house: House) -> None:
    parties = by_platform("notice-platform", "notice-buyer", "notice-seller")
    document = house.issued(paid("notice-1", orderPartySnapshot=parties))
    house.catch_up()
    sees: list[tuple[tuple[str, ...], dict[str, Any], bool]] = [
        (("BUYER",), {"buyer_id": "notice-buyer"}, True),
        (("BUYER",), {"buyer_id": "notice-buyer", "countries": ["MX"]}, False),
        (("BUYER",), {"buyer_id": "notice-seller"}, False),
        (("SELLER",), {"seller_id": "notice-seller"}, False),
        (("SELLER",), {"seller_id": "notice-buyer"}, False),
        (("BUYER",), {}, False),
        (("AUDITOR",), {}, True),
        (("AUDITOR",), {"countries": ["GB"]}, True),
        (("AUDITOR",), {"countries": ["MX"]}, False),
        (("SUPPORT",), {"countries": ["GB"]}, False),
    ]
    for roles, claims, seen in sees:
        with house.client(*roles, **claims) as caller:
            found = {notice["documentId"] for notice in all_items(caller, "/v1/notifications")}
        assert (document["documentId"] in found) == seen, (roles, claims)


def test_tasks_are_ones_own_and_an_auditors_all(house: House) -> None:
    with house.client("BUYER", buyer_id="nobody-waits-for-me") as buyer, house.client("AP_CLERK") as clerk:
        assert all_items(buyer, "/v1/tasks") == []
        assert all_items(clerk, "/v1/tasks") == []
    with house.client("AUDITOR", countries=["GB"]) as narrowed:
        problem(narrowed.get("/v1/tasks"), 403, "PERMISSION_DENIED")
