"""A worker killed at an e-mail, of a document or with a receipt: nobody sends it a second time by itself."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.account_facts import rules_request
from tests.support.decisions import decision
from tests.support.garage import Garage
from tests.support.house import House, all_items, eventually
from tests.support.mail_servers import MailServer, mail_server
from tests.support.receipt_desk import ReceiptDesk

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture(scope="module")
def mailing(tmp_path_factory: pytest.TempPathFactory, server: MailServer) -> Iterator[House]:
    """A house that sends its e-mails through that server."""
    folder: Path = tmp_path_factory.mktemp("mailing")
    settings = {
        "BILLING_SMTP_URL": f"smtp://127.0.0.1:{server.port}",
        "BILLING_MAIL_FROM": "billing@shop.example",
        "BILLING_PUBLIC_URL": "https://billing.shop.example/",
    }
    with House(folder / "data", settings) as house:
        yield house


def _task(house: House, document_id: str) -> dict[str, Any] | None:
    with house.client("AUDITOR") as auditor:
        tasks = {task["taskId"]: task for task in all_items(auditor, "/v1/tasks")}
    return tasks.get(f"delivery:{document_id}")


def _resend(house: House, document_id: str) -> int:
    with house.client("SYSTEM") as system:
        path, key = f"/v1/documents/{document_id}/resend", {"Idempotency-Key": str(uuid4())}
        return system.post(path, json={"channel": "EMAIL"}, headers=key).status_code


def test_what_a_killed_worker_was_sending_is_told_and_not_sent_again(
    mailing: House, server: MailServer
) -> None:
    with Garage(mailing) as garage:
        invoice = garage.issued(garage.account(billingContact={"email": "ana@example.org"}))
        document_id = garage.document(invoice["documents"][0]["documentId"])["documentId"]
        (first,) = eventually(lambda: server.taken)
        assert "https://billing.shop.example/v1/documents/download?token=" in str(first.get_body(("plain",)))
        assert first["From"] == "billing@shop.example"

        server.behaviour = "is mute"
        other = garage.issued(garage.account(billingContact={"email": "ben@example.org"}))
        lost = garage.document(other["documents"][0]["documentId"])["documentId"]
        eventually(lambda: "ben@example.org" in server.recipients)
        mailing.kill("projections")
        server.behaviour = "takes"
        task = eventually(lambda: _task(mailing, lost))
        assert (task["type"], task["targetId"]) == ("DELIVERY_UNCONFIRMED", lost)
        assert _task(mailing, document_id) is None

        # What comes after goes out, and shows that the worker is at it again.
        assert _resend(mailing, document_id) == 202
        eventually(lambda: server.recipients.count("ana@example.org") == 2)
        assert server.recipients.count("ben@example.org") == 1

        assert _resend(mailing, lost) == 202
        eventually(lambda: server.recipients.count("ben@example.org") == 2)
        eventually(lambda: _task(mailing, lost) is None)
    assert not list((mailing.data_dir / "mail").rglob("*.eml"))
    assert "@example.org" not in mailing.log_path.read_text()


def _receipt_mails(server: MailServer, address: str, receipt: dict[str, Any]) -> list[Any]:
    """The e-mails with that receipt that the server was given, whether it answered or not."""
    name = f"{receipt['number']}.pdf"
    return [
        mail
        for mail in server.taken
        if mail["To"] == address and name in [part.get_filename() for part in mail.iter_attachments()]
    ]


def _receipt_task(desk: ReceiptDesk, receipt: dict[str, Any]) -> dict[str, Any] | None:
    return _task(desk.house, receipt["documentId"])


def _invoice_for(desk: ReceiptDesk, address: str) -> dict[str, Any]:
    """An invoice that is fetched in the portal, of somebody whose receipts go to that address."""
    account = desk.account(billingContact={"email": address})
    rules = rules_request(partyId=account["partyId"], invoiceDeliveryMethod="PORTAL")
    assert desk.put(f"/rules/{account['customerAccountId']}", rules).is_success
    return desk.issued(account)


@decision("BILL-DEC-011", "A receipt whose sender was killed is never sent twice by itself")
def test_a_receipt_that_a_killed_worker_was_sending_is_told_and_not_sent_again(
    mailing: House, server: MailServer
) -> None:
    address = f"{uuid4().hex}@example.org"
    with ReceiptDesk(mailing) as desk:
        invoice = _invoice_for(desk, address)
        server.behaviour = "is mute"
        lost = desk.receipt(desk.paid(invoice, amount=1_000, deliver="EMAIL")["receiptId"])
        (first,) = eventually(lambda: _receipt_mails(server, address, lost))
        mailing.kill("projections")
        server.behaviour = "takes"
        told = desk.delivered(lost["receiptId"], "FAILED")
        assert "RETRY_DELIVERY" in told["allowedActions"]
        task = eventually(lambda: _receipt_task(desk, lost))
        assert (task["type"], task["targetType"], task["targetId"]) == (
            *("DELIVERY_UNCONFIRMED", "receipt"),
            lost["receiptId"],
        )

        # What comes after goes out, and shows that the worker is at it again.
        later = desk.receipt(desk.paid(invoice, amount=2_000, deliver="EMAIL")["receiptId"])
        desk.delivered(later["receiptId"], "SENT")
        assert len(_receipt_mails(server, address, later)) == len(_receipt_mails(server, address, lost)) == 1

        assert desk.deliver(lost["receiptId"], "EMAIL").status_code == 200
        desk.delivered(lost["receiptId"], "SENT")
        _, second = _receipt_mails(server, address, lost)
        assert first["Message-ID"] != second["Message-ID"], "a person asked for another one"
        eventually(lambda: _receipt_task(desk, lost) is None)


def test_whenever_the_worker_is_killed_a_receipt_is_sent_once_or_somebody_is_told(
    mailing: House, server: MailServer
) -> None:
    address = f"{uuid4().hex}@example.org"
    with ReceiptDesk(mailing) as desk:
        invoice = _invoice_for(desk, address)
        server.behaviour = "takes"
        receipts = []
        for _ in range(4):
            for _ in range(4):
                paid = desk.paid(invoice, amount=100, deliver="EMAIL")
                receipts.append(desk.receipt(paid["receiptId"]))
            # It may be anywhere: before it begins, with the server, or about to write down what came of it.
            eventually(partial(_receipt_mails, server, address, receipts[-4]))
            mailing.kill("projections")
        ended = [_ended(desk, receipt) for receipt in receipts]
        mailing.catch_up()
        for receipt, status in zip(receipts, ended, strict=True):
            sent, task = len(_receipt_mails(server, address, receipt)), _receipt_task(desk, receipt)
            if status == "SENT":
                assert (sent, task) == (1, None)
            else:
                assert sent <= 1
                assert task is not None and task["type"] == "DELIVERY_UNCONFIRMED"


def _ended(desk: ReceiptDesk, receipt: dict[str, Any]) -> str:
    """How its delivery has ended, once it has."""

    def look() -> str | None:
        status: str = desk.receipt(receipt["receiptId"])["deliveryStatus"]
        return status if status in {"SENT", "FAILED"} else None

    return eventually(look)
