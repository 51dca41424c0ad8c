"""S3 §4.2, §4.4: what the law of a country with stamps lets be done, told from payment to credit note."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.support.house import by_platform
from tests.support.problems import problem
from tests.support.shop import Shop
from tests.support.stamping_house import a_stamping_house

pytestmark = pytest.mark.slow

PROFILE = {
    "legalName": "Larkfield Market Ltd",
    "taxId": "XS 1",
    "address": {"line1": "1 Quay", "city": "Port", "countryCode": "XS"},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """A shop whose invoices an authority stamps."""
    with a_stamping_house(tmp_path_factory.mktemp("stamped-shop")) as stamping, Shop(stamping.house) as shop:
        yield shop


def test_a_country_whose_law_forbids_replacing_has_its_invoices_credited(shop: Shop) -> None:
    platform = f"platform-{uuid4()}"
    order = shop.paid(countryCode="XS", orderPartySnapshot=by_platform(platform))
    refused = problem(shop.issue(order), 422, "PROFILE_INCOMPLETE")
    assert "legalName" in refused["missingFields"], "its issuer is known to the authority by its profile"
    path = f"/v1/fiscal-profiles/PLATFORM/{platform}?countryCode=XS"
    answer = shop.client("FINANCE_ADMIN").put(path, json=PROFILE)
    assert answer.status_code == 201, answer.text
    document_id = shop.documents(order)[-1]["documentId"]
    invoice = shop.issued(document_id)
    assert invoice["fiscal"]["uuid"]
    offered = shop.detail(invoice["documentId"], "SUPER_ADMIN")["allowedActions"]
    assert offered == ["DOWNLOAD", "VERIFY", "RESEND", "VOID", "CREDIT_NOTE"]
    problem(shop.correct(invoice["documentId"], "replace"), 422, "DRIVER_FORBIDS")
    made = shop.correct(invoice["documentId"], "credit-note")
    assert made.status_code == 201, made.text
    note = shop.issued(made.json()["documentId"])
    assert note["fiscal"]["uuid"] != invoice["fiscal"]["uuid"]
    assert note["linkedDocuments"][0]["documentId"] == invoice["documentId"]
    problem(shop.correct(note["documentId"], "credit-note"), 422, "DRIVER_FORBIDS")
