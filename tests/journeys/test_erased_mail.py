"""A customer asks to be forgotten: the e-mails and letters that the house keeps for them go too."""

import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from tests.support.account_facts import rules_request
from tests.support.garage import FINANCE, Garage
from tests.support.house import PROJECT, House, eventually
from tests.support.problems import problem

pytestmark = pytest.mark.slow


def _papers(house: House, name: str) -> list[Path]:
    return [path for folder in ("mail", "post") for path in (house.data_dir / folder).rglob(f"*{name}*")]


def test_what_was_written_to_an_erased_customer_is_removed(house: House) -> None:
    with Garage(house) as garage:
        account = garage.account(billingContact={"email": f"{uuid4().hex}@example.org"})
        by_mail = garage.issued(account)["documents"][0]["documentId"]
        rules = rules_request(partyId=account["partyId"], invoiceDeliveryMethod="MAIL")
        path = f"/v1/billing/rules/{account['customerAccountId']}"
        assert garage.client(FINANCE).put(path, json=rules).status_code == 201
        by_post = garage.issued(account)["documents"][0]["documentId"]
        other = garage.issued()["documents"][0]["documentId"]
        with house.client("AUDITOR") as auditor:
            for document_id in (by_mail, by_post, other):
                garage.document(document_id)
                events = f"/v1/documents/{document_id}/events"
                eventually(
                    lambda path=events: (
                        "DELIVERED" in [entry["eventType"] for entry in auditor.get(path).json()["items"]]
                    )
                )
        (letter,) = eventually(lambda: _papers(house, by_post))
        mine = list(letter.parent.iterdir())
        (mail,) = (house.data_dir / "mail" / letter.parent.name).iterdir()
        others = len(_papers(house, ".eml")) - 1
        house.catch_up()
        command = ("keys", "erase", f"party:{account['partyId']}", "--by", "dpo", "--reason", "request 1")
        erased = subprocess.run(
            [sys.executable, "-m", "interfaces.cli.main", *command],
            cwd=PROJECT,
            env={"PATH": "/usr/bin:/bin", "BILLING_DATA_DIR": str(house.data_dir)},
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert erased.returncode == 0, erased.stderr
        eventually(lambda: not mail.exists() and not any(path.exists() for path in mine))
        assert len(_papers(house, ".eml")) == others
        with house.client("SYSTEM") as system:
            key = {"Idempotency-Key": str(uuid4())}
            again = system.post(f"/v1/documents/{by_mail}/resend", json={"channel": "EMAIL"}, headers=key)
        problem(again, 422, "RECIPIENT_MISSING")
