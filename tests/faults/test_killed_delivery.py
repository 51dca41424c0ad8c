"""A worker killed while a mail server has its e-mail and has not answered: nobody sends it a second time."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.support.garage import Garage
from tests.support.house import House, all_items, eventually
from tests.support.mail_servers import MailServer, mail_server

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
