"""Ten thousand mixed events while the authority fails one document in five: none is lost or left unsaid."""

import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from psycopg.rows import dict_row

from domain.fiscal.countries.simulated.driver import SIMULATED_COUNTRY
from tests.support.authority import an_authority_process, faults
from tests.support.house import House, all_items, by_platform, cloud_event, eventually
from tests.support.order_facts import completion_data, dispute_data, payout_data
from tests.support.policies import invoices, policy_text
from tests.support.refunds import refund
from tests.support.snapshots import order_data

pytestmark = pytest.mark.slow

ORDERS = 2_500
BATCH_EVENTS = 250
LONGEST_SECONDS = 900.0
STAMPED, UNKNOWN = "platform-stamped", "platform-without-profile"
COUNTRIES = (SIMULATED_COUNTRY, "GB", "MX", "DE")
PROFILE = {
    "legalName": "Stamped Platform",
    "taxId": "XS-17",
    "address": {"line1": "1 Sample Street", "city": "Sampleton", "countryCode": SIMULATED_COUNTRY},
}
ONE_IN_FIVE = (
    {"kind": "REJECT", "code": "XS301", "oneIn": 10},
    {"kind": "LOST", "oneIn": 15, "times": 1},
    {"kind": "DOWN", "oneIn": 30, "times": 1},
)

_STANDS = """
SELECT document_id, doc_type, status, number IS NOT NULL AS numbered, failure->>'reason' AS reason,
    retry_at IS NOT NULL AS retried
FROM readmodel.document_v6
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house whose simulated country invoices every order by itself, and its failing authority."""
    folder: Path = tmp_path_factory.mktemp("mixed")
    policies = folder / "policies"
    policies.mkdir()
    scope = f'country_codes = ["{SIMULATED_COUNTRY}"]'
    (policies / "xs.toml").write_text(policy_text(invoices("AUTOMATIC"), scope=scope), "utf-8")
    with an_authority_process(folder / "authority.sqlite") as authority:
        faults(authority.url, *ONE_IN_FIVE)
        settings = {
            "BILLING_SIMULATED_AUTHORITY_URL": authority.url,
            "BILLING_POLICY_DIR": str(policies),
        }
        with House(folder / "data", settings) as house:
            yield house


def test_every_document_ends_issued_or_parked_with_a_task(house: House) -> None:
    with house.client("FINANCE_ADMIN") as finance:
        path = f"/v1/fiscal-profiles/PLATFORM/{STAMPED}?countryCode={SIMULATED_COUNTRY}"
        assert finance.put(path, json=PROFILE).status_code == 201
    chance = random.Random(20261121)
    lives = [_life(chance, number) for number in range(ORDERS)]
    events = [event for life in lives for event in life]
    assert len(events) >= 10_000
    # As upstream systems send them: each in its own time, some twice.
    arriving = [*events, *chance.sample(events, 500)]
    chance.shuffle(arriving)
    _send(house, arriving)
    documents = eventually(lambda: _settled(house), seconds=LONGEST_SECONDS)
    kinds = Counter(document["doc_type"] for document in documents)
    types = Counter(event["type"] for event in events)
    assert kinds["RECEIPT"] == types["orders.PAID_IN_ESCROW"]
    assert kinds["SELLER_STATEMENT"] == types["orders.COMPLETED"]
    assert kinds["PAYOUT_STATEMENT"] == types["payments.PAYOUT_SENT"]
    back = types["payments.REFUND_EXECUTED"] + types["payments.DISPUTE_SAGA_COMPLETED"]
    assert kinds["CREDIT_NOTE"] + kinds["ADJUSTMENT_STATEMENT"] == back
    assert kinds["FISCAL_INVOICE"] == sum(
        event["type"] == "orders.PAID_IN_ESCROW" and event["data"]["countryCode"] == SIMULATED_COUNTRY
        for event in events
    )
    ended = Counter((document["status"], document["reason"]) for document in documents)
    assert ended.keys() == {
        ("ISSUED", None),
        ("DRAFT", "driver_rejected"),
        ("DRAFT", "issue_failed_profile_missing"),
    }
    _parked_have_tasks(house, documents)
    _numbers_have_no_gaps(house)


def _life(chance: random.Random, number: int) -> list[dict[str, Any]]:
    """An order that is paid, completed, paid out, and half of the time given back in part."""
    order_id, country = f"mixed-{number}", chance.choice(COUNTRIES)
    platform = (
        chance.choice((STAMPED, STAMPED, STAMPED, UNKNOWN)) if country == SIMULATED_COUNTRY else STAMPED
    )
    order = order_data(order_id, countryCode=country, orderPartySnapshot=by_platform(platform))
    for party in order["orderPartySnapshot"].values():
        party.pop("email", None)
    told = [
        ("orders.PAID_IN_ESCROW", order),
        ("orders.COMPLETED", completion_data(order_id)),
        ("payments.PAYOUT_SENT", payout_data(f"p-{number}", order_id)),
    ]
    events = [cloud_event(kind, data, f"{kind}/{order_id}") for kind, data in told]
    if chance.random() < 0.6:
        events.append(refund(order_id, f"r-{number}", chance.randrange(1, 3000)))
    if chance.random() < 0.6:
        data = dispute_data(f"d-{number}", chance.randrange(1, 3000), order_id)
        events.append(cloud_event("payments.DISPUTE_SAGA_COMPLETED", data, f"dispute/{order_id}"))
    return events


def _send(house: House, events: list[dict[str, Any]]) -> None:
    batches = [events[start : start + BATCH_EVENTS] for start in range(0, len(events), BATCH_EVENTS)]

    def send(batch: list[dict[str, Any]]) -> None:
        answer = house.post(batch)
        assert answer.status_code in (200, 202), answer.text
        assert not [each for each in answer.json()["results"] if each["outcome"] == "REJECTED"]

    with ThreadPoolExecutor(4) as senders:
        list(senders.map(send, batches))


def _settled(house: House) -> list[dict[str, Any]]:
    """Every document, once none is on its way any more."""
    house.catch_up()
    with house.database() as connection, connection.cursor(row_factory=dict_row) as cursor:
        documents = cursor.execute(_STANDS).fetchall()
    on_the_way = [each for each in documents if each["status"] == "DRAFT" and not _is_parked(each)]
    return [] if on_the_way else documents


def _is_parked(document: dict[str, Any]) -> bool:
    return document["reason"] is not None and not document["retried"]


def _parked_have_tasks(house: House, documents: list[dict[str, Any]]) -> None:
    with house.client("AUDITOR") as auditor:
        tasks = all_items(auditor, "/v1/tasks", limit=200)
    numbered = (each for each in documents if each["status"] == "DRAFT" and each["numbered"])
    parked = {each["document_id"] for each in numbered}
    assert {task["targetId"] for task in tasks if task["type"] == "DOCUMENT_PARKED"} == parked
    (incomplete,) = [task for task in tasks if task["type"] == "PROFILE_INCOMPLETE"]
    assert (incomplete["ownerType"], incomplete["ownerId"]) == ("PLATFORM", UNKNOWN)


def _numbers_have_no_gaps(house: House) -> None:
    with house.client("AUDITOR") as auditor:
        for series in all_items(auditor, "/v1/number-series", limit=200):
            numbers = auditor.get(f"/v1/number-series/{series['seriesId']}/numbers", params={"limit": 1})
            assert numbers.json()["gaps"] == [], series["seriesId"]
