"""S3 §4.2, §4.4, §8.2: a country's policy has documents automatic, conditional, on demand or never."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from tests.support.house import House, by_platform
from tests.support.policies import automatic_where, invoices, policy_text
from tests.support.problems import problem
from tests.support.shop import Shop
from tests.support.snapshots import financial_snapshot

pytestmark = pytest.mark.slow

NO_CREDIT_NOTES = """
[[rule]]
doc_type = "CREDIT_NOTE"
sources = ["ORDER"]
outcome = "FORBIDDEN"
reason = "There are none here."
"""
POLICIES = {
    "automatic": policy_text(invoices("AUTOMATIC"), name="IT", scope='country_codes = ["IT"]'),
    "conditional": policy_text(
        automatic_where('buyer_types = ["B2B"]', "grand_total_at_least = { GBP = 7681 }"), name="MX"
    ),
    "no-credit-notes": policy_text(
        invoices("AUTOMATIC") + NO_CREDIT_NOTES, name="FR", scope='country_codes = ["FR"]'
    ),
    "then": policy_text(
        invoices("FORBIDDEN"),
        name="PT-THEN",
        scope='country_codes = ["PT"]',
        days="valid_from = 2026-01-01\nvalid_to = 2026-06-30",
    ),
    "now": policy_text(
        invoices("ON_DEMAND"), name="PT-NOW", scope='country_codes = ["PT"]', days="valid_from = 2026-07-01"
    ),
}
PROFILE: dict[str, Any] = {
    "taxId": "GODE561231GR8",
    "address": {"line1": "3 Calle del Muelle", "city": "Monterrey", "countryCode": "MX"},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose operator wrote policies of their own."""
    folder = tmp_path_factory.mktemp("own-policies")
    own = folder / "policies"
    own.mkdir()
    for name, text in POLICIES.items():
        (own / f"{name}.toml").write_text(text, "utf-8")
    with House(folder / "data", {"BILLING_POLICY_DIR": str(own)}) as house, Shop(house) as shop:
        yield shop


def test_an_automatic_invoice_comes_with_the_payment_and_says_by_which_policy(shop: Shop) -> None:
    order = shop.paid(countryCode="IT")
    assert shop.kinds(order) == ["RECEIPT", "FISCAL_INVOICE"]
    invoice = shop.documents(order)[1]["documentId"]
    assert shop.issued(invoice)["status"] == "ISSUED"
    again = shop.issue(order)
    assert (again.status_code, again.json()["documentId"]) == (200, invoice)
    (note,) = shop.refunded(order)
    assert note["docType"] == "CREDIT_NOTE"
    audited = shop.client("AUDITOR").get(f"/v1/audit/streams/document/{invoice}").json()
    assert "IT" in str(audited), audited


@pytest.mark.parametrize(
    ("buyer_type", "total", "expected"),
    [("B2C", 7680, []), ("B2B", 7680, ["FISCAL_INVOICE"]), ("B2C", 7681, ["FISCAL_INVOICE"])],
    ids=["a consumer", "a business", "a large amount"],
)
def test_a_conditional_invoice(shop: Shop, buyer_type: str, total: int, expected: list[str]) -> None:
    parties = by_platform("platform-mx", f"buyer-{uuid4()}")
    parties["buyer"] |= {"type": buyer_type, **PROFILE}
    order = shop.paid(countryCode="MX", orderPartySnapshot=parties, **_total(total))
    assert shop.kinds(order) == ["RECEIPT", *expected]
    rehearsed = shop.issue(order, dryRun=True)
    assert rehearsed.json()["policy"]["policy"] == "MX"
    assert shop.invoice(order)["status"] == "ISSUED"


def test_an_automatic_invoice_is_blocked_by_a_profile_and_the_receipt_is_not(shop: Shop) -> None:
    order = shop.paid(countryCode="IT", orderPartySnapshot=shop.business_buyer())
    receipt, invoice = shop.documents(order)
    assert (invoice["status"], invoice["number"]) == ("DRAFT", None)
    assert shop.issued(receipt["documentId"])["status"] == "ISSUED"
    buyer_id = order["orderPartySnapshot"]["buyer"]["partyId"]
    profile = {"legalName": "Gannet", **PROFILE, "taxId": "IT00743110157"}
    path = f"/v1/fiscal-profiles/BUYER/{buyer_id}?countryCode=IT"
    answer = shop.client("FINANCE_ADMIN").put(path, json=profile)
    assert answer.status_code == 201, answer.text
    assert shop.issued(invoice["documentId"])["status"] == "ISSUED"


def test_a_country_without_credit_notes_has_adjustments(shop: Shop) -> None:
    order = shop.paid(countryCode="FR")
    assert shop.kinds(order) == ["RECEIPT", "FISCAL_INVOICE"]
    invoice = shop.issued(shop.documents(order)[1]["documentId"])["documentId"]
    (adjustment,) = shop.refunded(order)
    assert (adjustment["docType"], adjustment["status"]) == ("ADJUSTMENT_STATEMENT", "ISSUED")
    problem(shop.correct(invoice, "credit-note"), 422, "POLICY_FORBIDS")
    assert shop.kinds(order) == ["RECEIPT", "FISCAL_INVOICE", "ADJUSTMENT_STATEMENT"]


def test_a_dry_run_tells_what_policy_said_in_the_past_and_says_now(shop: Shop) -> None:
    order = shop.paid(countryCode="PT")
    now = shop.issue(order, dryRun=True)
    assert (now.status_code, now.json()["policy"]["policy"]) == (200, "PT-NOW")
    then = shop.issue(order, dryRun=True, asOf="2026-06-30T12:00:00Z")
    assert "PT-THEN" in problem(then, 422, "POLICY_FORBIDS")["detail"]
    before = shop.issue(order, dryRun=True, asOf="2025-06-30T12:00:00Z")
    assert before.json()["policy"]["policy"] == "GENERIC"
    assert shop.kinds(order) == ["RECEIPT"]
    assert shop.issue(order).status_code == 201
    past = shop.issue(order, dryRun=True, asOf="2026-06-30T12:00:00Z")
    assert (past.status_code, past.json()["policy"]["outcome"]) == (200, "FORBIDDEN"), "it is there already"


def _total(total: int) -> dict[str, Any]:
    """A snapshot of that total: the sample's, with more of a fee."""
    snapshot = financial_snapshot(f"snap-{uuid4()}")
    snapshot["opsFee"] += total - snapshot["buyerTotal"]
    return {"orderFinancialSnapshot": {**snapshot, "buyerTotal": total}}
