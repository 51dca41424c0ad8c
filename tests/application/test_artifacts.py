"""Artifacts on their way into the vault and out again: sealed for their customer, one use a token."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from application.artifacts import MOST_FETCHED_BYTES
from application.caller import Caller
from application.identity import TokenClaims
from application.ports import ArtifactNotFetched, ArtifactTooLarge
from domain.kernel.errors import DomainError
from tests.support.artifact_desk import ADDRESS, ANA, Desk, Elsewhere
from tests.support.artifact_facts import SIGNATURE, an_artifact, by_value
from tests.support.decisions import decision

DOWNLOADED = "document-access.artifact-downloaded"


async def refusal(desk: Desk, token: str, caller: Caller | None = None) -> tuple[str, str | None]:
    """The code and the reason with which a use is refused."""
    with pytest.raises(DomainError) as refused:
        await desk.redeem(token, caller)
    return refused.value.code, refused.value.reason_code


async def unavailable(desk: Desk, invoice_id: str) -> list[str | None]:
    """Why each artifact's content cannot be had."""
    return [artifact.unavailable for artifact in (await desk.artifacts.of_invoice(invoice_id)).artifacts]


async def test_what_came_by_value_is_handed_out_once() -> None:
    desk = Desk()
    token = desk.token(await desk.invoice(by_value()))
    downloaded = await desk.redeem(token)
    assert (downloaded.content, downloaded.sha256) == (SIGNATURE, sha256(SIGNATURE).hexdigest())
    assert desk.names()[-2:] == ["claim.taken", DOWNLOADED]
    assert await refusal(desk, token) == ("DOWNLOAD_TOKEN_INVALID", "USED")
    assert desk.names().count(DOWNLOADED) == 1


async def test_of_many_uses_at_once_one_serves() -> None:
    desk = Desk()
    token = desk.token(await desk.invoice(by_value()))
    outcomes = await asyncio.gather(*(desk.redeem(token) for _ in range(50)), return_exceptions=True)
    assert Counter(type(outcome).__name__ for outcome in outcomes) == {
        "DownloadedArtifact": 1,
        "DomainError": 49,
    }
    assert desk.names().count(DOWNLOADED) == 1


@decision("BILL-DEC-005", "A token is short-lived")
async def test_a_token_ends_after_five_minutes() -> None:
    desk = Desk()
    token = desk.token(await desk.invoice(by_value()))
    desk.clock.move(timedelta(minutes=5).total_seconds())
    assert await refusal(desk, token) == ("DOWNLOAD_TOKEN_INVALID", None)


@pytest.mark.parametrize("claims", [{"sub": "bob"}, {"sub": "ana", "tenant": "north"}])
async def test_somebody_elses_bearer_token_does_not_go_with_it(claims: dict[str, Any]) -> None:
    desk = Desk()
    token = desk.token(await desk.invoice(by_value()))
    other = Caller(TokenClaims(**claims), "trace-4")
    assert await refusal(desk, token, other) == ("DOWNLOAD_TOKEN_INVALID", "OTHER_CALLER")
    assert (await desk.redeem(token, ANA)).content == SIGNATURE


async def test_a_content_is_sealed_for_its_customer_and_kept_like_an_invoice_of_its_day() -> None:
    desk = Desk()
    await desk.invoice(by_value())
    (deposit,) = desk.vault.deposits
    assert deposit.sealed_for is not None
    # It is 00:30 of the 15th in Spain; GENERIC keeps to the end of the tenth year after.
    assert (deposit.retention_class, deposit.retain_until) == ("COMMERCIAL", date(2036, 12, 31))
    (event,) = [event for event in desk.ledger.events if event.name == "work-order.artifact-received"]
    assert str(deposit.sealed_for.key_id) in event.state.decode()
    assert b"contentBase64" not in b"".join(event.state for event in desk.ledger.events)


async def test_an_erased_customers_artifact_reads_as_erased() -> None:
    desk = Desk()
    account = await desk.crm_tells()
    invoice_id = await desk.draft(await desk.work_order(account["customerAccountId"], by_value()))
    token = desk.token(invoice_id)
    desk.erase(account["partyId"])
    assert await unavailable(desk, invoice_id) == ["ERASED"]
    assert await refusal(desk, token) == ("NOT_FOUND", "ERASED")


async def test_what_comes_for_somebody_who_was_erased_is_not_stored() -> None:
    desk = Desk()
    account = await desk.crm_tells()
    desk.erase(account["partyId"])
    await desk.work_order(account["customerAccountId"], by_value())
    assert desk.vault.deposits == []
    await desk.crm_tells(account_id=account["customerAccountId"], displayName="Told anew")
    await desk.work_order(account["customerAccountId"], by_value("approval-2"))
    assert [deposit.sealed_for is not None for deposit in desk.vault.deposits] == [True]


async def test_where_crm_has_not_told_of_the_customer_only_the_vault_seals() -> None:
    desk = Desk()
    account = await desk.crm_tells()
    order = await desk.work_order("0192f0c1-7a00-7000-8000-0000000000aa", by_value())
    assert [deposit.sealed_for for deposit in desk.vault.deposits] == [None]
    await desk.crm_tells(account_id=order["customerAccountId"], partyId=account["partyId"] + "x")
    assert (await desk.redeem(desk.token(await desk.draft(order)))).content == SIGNATURE


async def test_an_account_answers_to_the_name_that_crm_gave_its_party() -> None:
    desk = Desk()
    account = await desk.crm_tells(partyId="0192f0c1-7a00-7000-8000-0000000000ab")
    await desk.work_order("0192f0c1-7a00-7000-8000-0000000000ab", by_value())
    await desk.work_order(account["customerAccountId"], by_value("approval-2"))
    first, second = (deposit.sealed_for for deposit in desk.vault.deposits)
    assert first == second and first is not None


@decision("BILL-DEC-005", "What an invoice refers to stays what it was")
async def test_a_draft_hands_out_what_it_froze_whatever_comes_later() -> None:
    desk = Desk()
    account = await desk.crm_tells()
    order = await desk.work_order(account["customerAccountId"], by_value(content=b"frozen"))
    invoice_id = await desk.draft(order)
    later = {**order, "artifactRefs": [by_value(content=b"later")]}
    assert await desk.take("workexec.WORK_ORDER_READY", later) == "ACCEPTED"
    assert await desk.take("workexec.WORK_ORDER_READY", later) == "DUPLICATE"
    assert (await desk.redeem(desk.token(invoice_id))).content == b"frozen"


async def test_a_content_may_come_after_its_reference_named_the_hash() -> None:
    desk = Desk()
    account = await desk.crm_tells()
    named = an_artifact(sha256=sha256(SIGNATURE).hexdigest())
    order = await desk.work_order(account["customerAccountId"], named)
    invoice_id = await desk.draft(order)
    assert await unavailable(desk, invoice_id) == ["NO_CONTENT"]
    assert await desk.take("workexec.WORK_ORDER_READY", {**order, "artifactRefs": [by_value()]}) == "ACCEPTED"
    assert (await desk.redeem(desk.token(invoice_id))).content == SIGNATURE


async def test_what_is_elsewhere_is_fetched_checked_and_handed_out_once() -> None:
    source = Elsewhere(SIGNATURE)
    desk = Desk(source)
    digest = sha256(SIGNATURE).hexdigest()
    token = desk.token(await desk.invoice(an_artifact(uri=ADDRESS, sha256=digest)))
    assert (await desk.redeem(token)).content == SIGNATURE
    assert await refusal(desk, token) == ("DOWNLOAD_TOKEN_INVALID", "USED")
    assert source.asked == 1, "a token that served sends nobody elsewhere again"


@pytest.mark.parametrize(
    ("content", "sha", "failure"),
    [
        (SIGNATURE[:-1] + b"x", sha256(SIGNATURE).hexdigest(), None),
        (SIGNATURE[:-1], None, None),
        (b"", None, ArtifactTooLarge()),
    ],
)
@decision("BILL-DEC-005", "What is kept elsewhere must be what was referred to")
async def test_what_differs_from_its_reference_is_not_handed_out(
    content: bytes, sha: str | None, failure: ArtifactNotFetched | None
) -> None:
    desk = Desk(Elsewhere(content, failure))
    token = desk.token(await desk.invoice(an_artifact(uri=ADDRESS, sha256=sha)))
    assert await refusal(desk, token) == ("ARTIFACT_DIFFERS", None)
    assert DOWNLOADED not in desk.names()


async def test_a_failure_elsewhere_leaves_the_token_good() -> None:
    source = Elsewhere(SIGNATURE, ArtifactNotFetched("TIMEOUT"))
    desk = Desk(source)
    token = desk.token(await desk.invoice(an_artifact(uri=ADDRESS)))
    assert await refusal(desk, token) == ("ARTIFACT_SOURCE_UNAVAILABLE", None)
    source.failure = None
    assert (await desk.redeem(token)).content == SIGNATURE


async def test_each_artifact_says_why_its_content_cannot_be_had() -> None:
    desk = Desk()
    invoice_id = await desk.invoice(
        by_value("kept"),
        an_artifact("elsewhere", uri=ADDRESS),
        an_artifact("not-allowed", uri="https://other.example/1"),
        an_artifact("too-large", uri=ADDRESS, sizeBytes=MOST_FETCHED_BYTES + 1),
        an_artifact("bare"),
    )
    assert await unavailable(desk, invoice_id) == [
        None,
        None,
        "SOURCE_NOT_ALLOWED",
        "TOO_LARGE",
        "NO_CONTENT",
    ]
    assert await refusal(desk, desk.token(invoice_id, "bare")) == ("NOT_FOUND", "NO_CONTENT")
    assert await refusal(desk, desk.token(invoice_id, "unheard-of")) == ("NOT_FOUND", None)


async def test_a_use_is_told_in_the_month_in_which_it_was() -> None:
    desk = Desk()
    invoice_id = await desk.invoice(by_value())
    desk.clock.move((datetime(2026, 4, 1, tzinfo=UTC) - desk.clock.now()).total_seconds() - 1)
    early, late = desk.token(invoice_id), desk.token(invoice_id)
    await desk.redeem(early)
    desk.clock.move(2)
    await desk.redeem(late)
    assert await refusal(desk, early) == ("DOWNLOAD_TOKEN_INVALID", "USED")
    months = [event.stream.id for event in desk.ledger.events if event.name == DOWNLOADED]
    assert months == [f"{invoice_id}/2026-03", f"{invoice_id}/2026-04"]
