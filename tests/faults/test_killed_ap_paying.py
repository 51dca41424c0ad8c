"""Whoever dies half-way through paying a vendor, the bank moves the money once and the bill is paid once."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.support.decisions import decision
from tests.support.garage import AUDITOR, Garage
from tests.support.gateways import BANK_SECRET, GatewaysProcess, captures, conditions
from tests.support.house import House, eventually
from tests.support.stamping_house import killed
from tests.support.vendor_desk import VendorDesk

pytestmark = pytest.mark.slow

POINTS = (
    ("look-up", "before", 1),
    ("authorize", "before", 1),
    ("authorize", "after", 1),
    ("commit", "before", 1),
    ("commit", "after", 1),
    ("capture", "before", 1),
    ("capture", "after", 1),
    ("commit", "before", 2),
    ("commit", "after", 2),
)
"""Between every two steps: of the commits the first records the reference, the second the success."""

MOVED_BEFORE_DEATH = POINTS[6:]
SETTLED_BEFORE_DEATH = POINTS[8:]


@dataclass
class Paying:
    """A house, the bank that it pays by, and a clerk's desk there."""

    house: House
    bank: GatewaysProcess
    desk: VendorDesk

    def told(self, payment: dict[str, Any]) -> list[str]:
        """What happened to a payment, by the end of its name."""
        path = f"/v1/audit/streams/ap-payment/{payment['billingPaymentId']}"
        events = self.desk.garage.client(AUDITOR).get(path).json()["events"]
        return [event["type"].partition(".")[2] for event in events]

    def notify(self, payment: dict[str, Any]) -> None:
        """The bank says that something became of a payment, which is a reason to ask it."""
        told = {"type": "transfer.settled", "data": {"billingPaymentId": payment["billingPaymentId"]}}
        body, now = json.dumps(told), datetime.now(UTC)
        headers = {
            "webhook-id": "msg-1",
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(BANK_SECRET).sign("msg-1", now, body),
        }
        with self.house.client() as client:
            answer = client.post("/v1/billing/gateways/bank/notices", content=body, headers=headers)
        assert answer.status_code == 200, answer.text

    def is_paid_once(self, payment: dict[str, Any], bill: dict[str, Any], amount: int) -> None:
        """The bank moved so much once; the ledger knows it once, and so does accounting."""
        assert self.desk.settled(payment)["status"] == "GL_POST_PENDING"
        assert captures(self.bank.url, payment["billingPaymentId"]) == (1, amount)
        told = self.told(payment)
        for name in ("gateway-awaited", "gateway-succeeded", "gl-post-awaited"):
            assert told.count(name) == 1
        announced = self.desk.garage.announced("ap-payment", payment["billingPaymentId"])
        assert announced == ["billing.ApPaymentSucceeded"]
        assert self.desk.stands(bill) == ("PAID", 0, 0, amount)


@pytest.fixture(scope="module")
def paying(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Paying]:
    folder: Path = tmp_path_factory.mktemp("killed-paying")
    bank = GatewaysProcess(folder / "gateways.sqlite")
    bank.start()
    settings = {
        "BILLING_BANK_URL": bank.url,
        "BILLING_BANK_API_KEY": "simulated",
        "BILLING_BANK_WEBHOOK_SECRET": BANK_SECRET,
        "BILLING_GATEWAY_TIMEOUT_SECONDS": "1",
    }
    with House(folder / "data", settings) as house, Garage(house) as garage:
        yield Paying(house, bank, VendorDesk(garage))
    bank.stop()


@decision("BILL-DEC-013", "Whoever dies between any two steps, the money moves once")
def test_a_payment_whose_payer_died_at_any_step_is_finished_by_another(paying: Paying) -> None:
    house, desk = paying.house, paying.desk
    paid = []
    # Stopped while it starts it would keep others from starting.
    house.catch_up()
    stopped = house.signal("projections", signal.SIGSTOP)
    try:
        for point in POINTS:
            bill = desk.approved(1_000)
            payment = desk.pay(1_000, (bill, 1_000))
            arguments = ["-m", "tests.support.dying_payer", payment["billingPaymentId"], *map(str, point)]
            assert killed(house.spawn(arguments, house.port)), point
            moved, _ = captures(paying.bank.url, payment["billingPaymentId"])
            assert moved == (point in MOVED_BEFORE_DEATH), point
            assert ("gateway-succeeded" in paying.told(payment)) == (point in SETTLED_BEFORE_DEATH), point
            if moved:
                assert "gateway-awaited" in paying.told(payment), "no money moves before it is on record"
            paid.append((payment, bill))
    finally:
        os.kill(stopped, signal.SIGCONT)
    for payment, bill in paid:
        paying.is_paid_once(payment, bill, 1_000)


def test_whichever_side_is_killed_again_and_again_each_payment_is_made_once(paying: Paying) -> None:
    desk = paying.desk
    conditions(paying.bank.url, *({"kind": kind, "oneIn": 4, "seconds": 2} for kind in ("LOST", "UNTAKEN")))
    paid = []
    for _ in range(2):
        for _ in range(6):
            bill = desk.approved(700)
            paid.append((desk.pay(700, (bill, 700)), bill))
        paying.bank.kill()
        paying.bank.start()
        paying.house.kill("projections")
    conditions(paying.bank.url)
    for payment, bill in paid:
        paying.is_paid_once(payment, bill, 700)


def test_a_bank_that_is_away_for_long_is_somebodys_task_until_it_is_back(paying: Paying) -> None:
    desk = paying.desk
    paying.bank.stop()
    bill = desk.approved(300)
    payment = desk.pay(300, (bill, 300))

    def task() -> dict[str, Any] | None:
        tasks = desk.garage.client(AUDITOR).get("/v1/tasks", params={"limit": 200}).json()["items"]
        return next((each for each in tasks if each["targetId"] == payment["billingPaymentId"]), None)

    told = eventually(task)
    assert (told["type"], told["cause"]) == ("AP_PAYMENT_DELAYED", "gateway_unavailable")
    assert told["nextRetryAt"] and "billing work" in told["resumedBy"]
    paying.bank.start()
    paying.notify(payment)
    paying.is_paid_once(payment, bill, 300)
    eventually(lambda: task() is None)
