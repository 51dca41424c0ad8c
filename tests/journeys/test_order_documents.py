"""An order in documents: paid, completed, paid out, refunded, disputed, invoiced, corrected (S3 §4)."""

from tests.support.shop import Shop


def test_a_whole_life_from_payment_to_payout_with_a_refund_and_a_dispute(shop: Shop) -> None:
    order = shop.paid()
    (statement,) = shop.completed(order)
    (payout,) = shop.paid_out(order)
    (adjustment,) = shop.refunded(order)
    (second,) = shop.disputed(order)
    told = [statement, payout, adjustment, second]
    assert [each["docType"] for each in told] == [
        "SELLER_STATEMENT",
        "PAYOUT_STATEMENT",
        "ADJUSTMENT_STATEMENT",
        "ADJUSTMENT_STATEMENT",
    ]
    assert {each["status"] for each in told} == {"ISSUED"}
    assert shop.content(statement["documentId"])["payoutStatus"] == "PENDING"
    for each in told:
        answer = shop.client("AUDITOR").get(f"/v1/documents/{each['documentId']}/verify")
        assert answer.json()["valid"], answer.text


def test_an_invoice_asked_for_after_a_refund_credits_it_too(shop: Shop) -> None:
    order = shop.paid()
    shop.refunded(order)
    answer = shop.issue(order)
    assert answer.status_code == 201, answer.text
    invoice = shop.issued(answer.json()["documentId"])
    assert shop.issue(order).status_code == 200
    kinds = [each["docType"] for each in shop.documents(order)]
    assert kinds == ["RECEIPT", "ADJUSTMENT_STATEMENT", "FISCAL_INVOICE", "CREDIT_NOTE"]
    (note,) = shop.refunded(order, "r-2", 500)
    assert (note["docType"], note["status"]) == ("CREDIT_NOTE", "ISSUED")
    content = shop.content(note["documentId"])
    assert content["corrects"]["number"] == invoice["number"]


def test_an_incomplete_profile_blocks_the_invoice_until_it_is_complete(shop: Shop) -> None:
    order = shop.paid(orderPartySnapshot=shop.business_buyer())
    answer = shop.issue(order)
    assert (answer.status_code, answer.json()["code"]) == (422, "PROFILE_INCOMPLETE")
    assert answer.json()["missingFields"] == ["taxId", "address.line1", "address.city", "address.countryCode"]
    (_, blocked) = shop.documents(order)
    assert (blocked["status"], blocked["number"]) == ("DRAFT", None)
    buyer_id = order["orderPartySnapshot"]["buyer"]["partyId"]
    profile = {
        "legalName": "Gannet Ropeworks Ltd",
        "taxId": "GB 123 4567 82",
        "address": {"line1": "3 Quay", "city": "Whitby", "postalCode": "YO21 3PU", "countryCode": "GB"},
    }
    path = f"/v1/fiscal-profiles/BUYER/{buyer_id}?countryCode=GB"
    assert shop.client("FINANCE_ADMIN").put(path, json=profile).status_code == 201
    shown = shop.issued(blocked["documentId"])
    assert shown["status"] == "ISSUED"
    assert shop.content(blocked["documentId"])["buyer"]["legalName"] == "Gannet Ropeworks Ltd"


def test_a_second_person_lets_a_receipt_be_replaced_and_voided(shop: Shop) -> None:
    order = shop.paid()
    (receipt,) = shop.documents(order)
    first = receipt["documentId"]
    alone = shop.correct(first, "replace", elevationToken=None)
    assert (alone.status_code, alone.json()["code"]) == (422, "SECOND_APPROVER_REQUIRED")
    answer = shop.correct(first, "replace")
    assert answer.status_code == 201, answer.text
    second = answer.json()["documentId"]
    assert answer.json()["documentVersion"] == 2
    assert shop.issued(second)["replacesDocumentId"] == first
    old = shop.detail(first)
    assert (old["status"], old["replacedByDocumentId"]) == ("REPLACED", second)
    assert shop.correct(second, "void").status_code == 200
    assert shop.detail(second)["status"] == "VOIDED"
    anew = shop.issue(order, "RECEIPT")
    assert (anew.status_code, anew.json()["documentVersion"]) == (201, 3)
