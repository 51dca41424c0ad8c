"""Open tasks: profiles, parked documents and refunds, deliveries, until somebody or something has acted."""

from typing import Any

import pytest

from domain.accounts.fiscal_profile import (
    FISCAL_PROFILE,
    FiscalProfileConfigured,
    ProfileContent,
    ProfileOwner,
)
from domain.documents.access import DOCUMENT_ACCESS, access_stream
from domain.documents.delivery import DeliveryBounced, DeliveryFailed, DeliveryUnconfirmed, DocumentDelivered
from domain.documents.document_facts import DocumentIssueFailed, DocumentRetryAsked, MissingProfile
from domain.kernel.facts import Fact
from domain.payables.ap_payment import AP_PAYMENT
from domain.payables.ap_payment_facts import ApPaymentGatewayFailed, ApPaymentGlAnswerParked
from domain.receivables.payment import PAYMENT
from domain.receivables.receipt import RECEIPT
from projections.tasks import TASKS
from tests.support import payment_facts
from tests.support.delivery_facts import DELIVERY, a_resend, attempted
from tests.support.facts import DOCUMENT_ID, NOON, drafted, replaced, voided
from tests.support.folding import History, folded, receipt_id
from tests.support.payable_facts import BOOKED, HELD, PAYMENT_ID, SUCCEEDED, deferred, initiated
from tests.support.receipt_facts import (
    RECEIPT_DOCUMENT_ID,
    RECEIPT_ID,
    bounced,
    lost,
    not_sent,
    printed,
    reprinted,
    requested,
    sending,
)
from tests.support.snapshots import financial_snapshot


def _tasks(history: History) -> dict[str, dict[str, Any]]:
    return {key[0]: row for key, row in folded(TASKS, history.events)["task_v3"].items()}


async def test_a_parked_document_is_one_task_however_often_it_fails() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1", 1)
    (first,) = _tasks(history).values()
    await history.fail("o-1", 4)
    (task,) = _tasks(history).values()
    assert (task["type"], task["target_type"], task["target_id"]) == (
        "DOCUMENT_PARKED",
        "document",
        receipt_id("o-1"),
    )
    assert (task["cause"], task["attempts"], task["is_open"]) == ("vault_unavailable", 2, True)
    assert (task["opened_at"], task["position"]) == (first["opened_at"], first["position"])
    assert task["next_retry_at"] > first["next_retry_at"]


async def test_the_task_closes_when_the_document_is_issued() -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    await history.issue("o-1")
    (task,) = _tasks(history).values()
    assert (task["is_open"], task["next_retry_at"]) == (False, None)


async def test_a_document_issued_at_once_was_never_a_task() -> None:
    history = History()
    await history.pay("o-1")
    await history.issue("o-1")
    assert _tasks(history) == {}


async def test_a_parked_refund_is_a_task_for_a_person() -> None:
    history = History()
    await history.refund("o-1", "r-1", 9000)
    await history.refund("o-1", "r-2", 9001)
    assert _tasks(history) == {}
    await history.pay("o-1")
    tasks = _tasks(history)
    assert set(tasks) == {"refund:o-1/r-1", "refund:o-1/r-2"}
    task = tasks["refund:o-1/r-1"]
    assert (task["type"], task["target_type"], task["target_id"]) == ("REFUND_PARKED", "order", "o-1")
    assert (task["cause"], task["is_open"], task["next_retry_at"]) == ("REFUND_EXCEEDS_PAID", True, None)


async def test_a_parked_dispute_and_a_parked_completion_are_tasks_until_they_are_told_again() -> None:
    history = History()
    await history.dispute("o-1", "d-1", 9000)
    await history.complete("o-1", orderFinancialSnapshot=financial_snapshot("snap-another"))
    await history.pay("o-1")
    tasks = _tasks(history)
    assert {name: (task["type"], task["cause"]) for name, task in tasks.items() if task["is_open"]} == {
        "dispute:o-1/d-1": ("DISPUTE_PARKED", "REFUND_EXCEEDS_PAID"),
        "completion:o-1/": ("COMPLETION_PARKED", "SNAPSHOT_CONFLICT"),
    }
    await history.dispute("o-1", "d-1", 90, snapshot_id="snap-corrected")
    await history.complete("o-1")
    assert not any(task["is_open"] for task in _tasks(history).values())


async def test_the_task_closes_when_the_refund_comes_again_corrected() -> None:
    history = History()
    await history.refund("o-1", "r-1", 9000)
    await history.pay("o-1")
    await history.refund("o-1", "r-1", 10)
    (task,) = _tasks(history).values()
    assert (task["task_id"], task["is_open"]) == ("refund:o-1/r-1", False)


async def test_refunds_whose_ids_hold_slashes_have_tasks_of_their_own() -> None:
    history = History()
    for order_id, refund_id in (("a/b", "c"), ("a", "b/c")):
        await history.refund(order_id, refund_id, 9000)
        await history.pay(order_id)
    assert set(_tasks(history)) == {"refund:a%2Fb/c", "refund:a/b%2Fc"}


BUYER = MissingProfile(owner_type="BUYER", owner_id="b/1", country_code="GB", fields=("taxId", "legalName"))
ISSUER = MissingProfile(owner_type="PLATFORM", owner_id="platform-gb", country_code="GB", fields=("taxId",))


def _blocked(*missing: MissingProfile) -> DocumentIssueFailed:
    return DocumentIssueFailed(
        reason="issue_failed_profile_missing", attempt=1, missing_profiles=missing or (BUYER,)
    )


def _configured(**content: Any) -> FiscalProfileConfigured:
    owner = ProfileOwner(owner_type="BUYER", owner_id="b/1", country_code="GB")
    return FiscalProfileConfigured(
        content=ProfileContent(owner=owner, **content), configured_by="mari", configured_at=NOON
    )


PROFILE_STREAM = FISCAL_PROFILE.stream("BUYER:b%2F1:GB")


async def test_an_incomplete_profile_is_one_task_of_its_owner_however_many_documents_wait() -> None:
    history = History()
    for order_id in ("o-1", "o-2"):
        await history.append_to_receipt(order_id, drafted())
        await history.append_to_receipt(order_id, _blocked(BUYER, ISSUER))
    tasks = _tasks(history)
    assert set(tasks) == {"profile:BUYER:b%2F1:GB", "profile:PLATFORM:platform-gb:GB"}
    task = tasks["profile:BUYER:b%2F1:GB"]
    assert (task["type"], task["target_type"], task["target_id"]) == (
        "PROFILE_INCOMPLETE",
        "fiscal-profile",
        "BUYER:b%2F1:GB",
    )
    assert (task["owner_type"], task["owner_id"]) == ("BUYER", "b/1")
    assert task["missing_fields"] == ["taxId", "legalName"]
    assert task["resumed_by"] == "PUT /v1/fiscal-profiles/BUYER/b%2F1?countryCode=GB"
    assert task["cause"] == "issue_failed_profile_missing"


async def test_the_task_closes_when_the_profile_has_all_that_was_missing() -> None:
    history = History()
    await history.append_to_receipt("o-1", drafted())
    await history.append_to_receipt("o-1", _blocked())
    await history.append(PROFILE_STREAM, _configured(tax_id="GB980780684"))
    (task,) = _tasks(history).values()
    assert (task["is_open"], task["missing_fields"]) == (True, ["legalName"])
    await history.append(PROFILE_STREAM, _configured(legal_name="Ana"))
    (task,) = _tasks(history).values()
    assert (task["is_open"], task["missing_fields"]) == (True, ["taxId"])
    await history.append(PROFILE_STREAM, _configured(legal_name="Ana", tax_id="GB980780684"))
    (task,) = _tasks(history).values()
    assert (task["is_open"], task["missing_fields"]) == (False, [])


async def test_a_profile_that_lacks_something_again_is_a_task_again() -> None:
    history = History()
    await history.append_to_receipt("o-1", drafted())
    await history.append_to_receipt("o-1", _blocked())
    await history.append(PROFILE_STREAM, _configured(legal_name="Ana", tax_id="GB980780684"))
    await history.append_to_receipt("o-1", _blocked(BUYER.model_copy(update={"fields": ("address.city",)})))
    (task,) = _tasks(history).values()
    assert (task["is_open"], task["missing_fields"]) == (True, ["address.city"])
    assert task["position"] == len(history.events)


async def test_what_an_authority_rejected_waits_for_a_person() -> None:
    history = History()
    await history.pay("o-1")
    rejected = DocumentIssueFailed(reason="driver_rejected", attempt=1, authority_code="CFDI40147")
    await history.append_to_receipt("o-1", rejected)
    (task,) = _tasks(history).values()
    assert (task["cause"], task["authority_code"], task["next_retry_at"]) == (
        "driver_rejected",
        "CFDI40147",
        None,
    )
    assert "POST /v1/documents/issue" in task["resumed_by"] and "void" in task["resumed_by"]
    await history.append_to_receipt("o-1", DocumentRetryAsked(retry_at=NOON))
    (task,) = _tasks(history).values()
    assert (task["next_retry_at"], task["is_open"]) == (NOON, True)
    assert "by itself" in task["resumed_by"]


@pytest.mark.parametrize("fact", [voided(), replaced()], ids=["voided", "replaced"])
async def test_what_is_voided_or_replaced_is_nobodys_task_any_more(fact: Fact) -> None:
    history = History()
    await history.pay("o-1")
    await history.fail("o-1")
    await history.append(MONTH, attempted(DeliveryUnconfirmed))
    assert {task["is_open"] for task in _tasks(history).values()} == {True}
    await history.append_to_receipt("o-1", fact)
    assert {task["is_open"] for task in _tasks(history).values()} == {False}
    assert len(_tasks(history)) == 2


MONTH = DOCUMENT_ACCESS.stream(f"{DOCUMENT_ID}/2026-03")
GIVEN_UP = attempted(DeliveryFailed, reason="mail_unreachable")


@pytest.mark.parametrize(
    ("fact", "kind"),
    [(GIVEN_UP, "DELIVERY_FAILED"), (attempted(DeliveryUnconfirmed), "DELIVERY_UNCONFIRMED")],
)
async def test_a_delivery_that_waits_for_a_person_is_a_task_until_it_is_sent_again(
    fact: Fact, kind: str
) -> None:
    history = History()
    await history.append(MONTH, fact)
    (task,) = _tasks(history).values()
    assert (task["type"], task["target_type"], task["target_id"]) == (kind, "document", DOCUMENT_ID)
    assert f"POST /v1/documents/{DOCUMENT_ID}/resend" in task["resumed_by"]
    await history.append(MONTH, a_resend())
    (task,) = _tasks(history).values()
    assert not task["is_open"]


@pytest.mark.parametrize(
    "fact",
    [
        attempted(DeliveryFailed, reason="mail_unreachable", retry_at=NOON),
        attempted(DeliveryFailed, reason="erased"),
        attempted(DeliveryFailed, reason="withdrawn"),
        attempted(DocumentDelivered),
    ],
    ids=lambda fact: getattr(fact, "reason", "delivered"),
)
async def test_a_delivery_that_waits_for_nobody_is_no_task(fact: Fact) -> None:
    history = History()
    await history.append(MONTH, fact)
    assert _tasks(history) == {}


async def test_a_receipt_that_did_not_arrive_is_a_task_until_it_is_handed_over() -> None:
    stream, task_id = RECEIPT.stream(RECEIPT_ID), f"delivery:{RECEIPT_DOCUMENT_ID}"
    for ended, cause in (
        (not_sent(), "mail_refused"),
        (lost(), "delivery_unconfirmed"),
        (bounced(), "delivery_bounced"),
    ):
        for settled in (requested("again"), printed(), reprinted()):
            history = History()
            for fact in (requested(), sending(), ended):
                await history.append(stream, fact)
            task = _tasks(history)[task_id]
            assert (task["is_open"], task["cause"]) == (True, cause)
            assert (task["target_type"], task["target_id"]) == tuple(stream)
            assert f"/v1/billing/receipts/{RECEIPT_ID}/deliver" in task["resumed_by"]
            assert ("arrived" in task["resumed_by"]) == (cause == "delivery_unconfirmed")
            await history.append(stream, settled)
            assert not _tasks(history)[task_id]["is_open"]


async def test_a_document_that_came_back_is_a_task() -> None:
    history = History()
    await history.append(access_stream(DELIVERY.document_id, NOON), a_resend())
    came_back = DeliveryBounced(**dict(DELIVERY), reason="mailbox full")
    await history.append(access_stream(DELIVERY.document_id, NOON), came_back)
    task = _tasks(history)[f"delivery:{DELIVERY.document_id}"]
    assert (task["type"], task["target_type"]) == ("DELIVERY_BOUNCED", "document")


async def test_a_customers_payment_of_which_the_gateway_does_not_tell_for_long_is_a_task_too() -> None:
    refund = (payment_facts.refund_asked(1), payment_facts.refunded(1))
    for asked, told in (
        ((), payment_facts.authorized()),
        ((), payment_facts.failed()),
        ((payment_facts.authorized(),), payment_facts.captured()),
        ((payment_facts.authorized(), payment_facts.captured(), refund[0]), refund[1]),
    ):
        history = History()
        stream, task_id = PAYMENT.stream(PAYMENT_ID), f"payment:{PAYMENT_ID}"
        for fact in (payment_facts.initiated(), *asked, payment_facts.gateway_deferred(attempt=7)):
            await history.append(stream, fact)
        assert not _tasks(history).get(task_id, {"is_open": False})["is_open"]
        await history.append(stream, payment_facts.gateway_deferred(attempt=8))
        task = _tasks(history)[task_id]
        assert (task["type"], task["target_id"], task["is_open"]) == ("PAYMENT_DELAYED", PAYMENT_ID, True)
        assert (task["cause"], task["attempts"]) == ("gateway_pending", 8)
        await history.append(stream, told)
        assert _tasks(history)[task_id]["is_open"] is False


async def test_a_payment_of_which_the_gateway_does_not_tell_for_long_is_a_task_until_it_does() -> None:
    for end in (HELD, SUCCEEDED, ApPaymentGatewayFailed(code="declined")):
        history = History()
        stream, task_id = AP_PAYMENT.stream(PAYMENT_ID), f"ap-payment:{PAYMENT_ID}"
        for fact in (initiated(), deferred("UNAVAILABLE", 3)):
            await history.append(stream, fact)
        assert _tasks(history) == {}
        await history.append(stream, deferred("UNAVAILABLE", 4))
        task = _tasks(history)[task_id]
        assert (task["type"], task["target_id"]) == ("AP_PAYMENT_DELAYED", PAYMENT_ID)
        assert (task["cause"], task["attempts"], task["next_retry_at"]) == ("gateway_unavailable", 4, NOON)
        await history.append(stream, end)
        assert _tasks(history)[task_id]["is_open"] is False


async def test_an_answer_of_accounting_for_a_payment_that_failed_is_a_task() -> None:
    history = History()
    await history.append(AP_PAYMENT.stream(PAYMENT_ID), ApPaymentGlAnswerParked(answer=BOOKED))
    task = _tasks(history)[f"gl-answer:{PAYMENT_ID}"]
    assert (task["type"], task["cause"], task["is_open"]) == (
        "GL_ANSWER_PARKED",
        "PAYMENT_NOT_POSTABLE",
        True,
    )
