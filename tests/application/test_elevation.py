"""Asking for approvals and using them: who hears what, what is recorded, what never leaves (BILL-DEC-010)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from application.caller import Caller
from application.credentials import CredentialRow
from application.elevation import Approver
from application.identity import TokenClaims
from domain.accounts.elevation import FAILED_REQUESTS_ALLOWED, Asked
from domain.kernel.errors import DomainError
from infrastructure.elevation_tokens import MacElevationTokens
from infrastructure.keys.store import KeyStore
from tests.support.approvals import ANA, BOB, MANAGER, OPERATOR, PIN, VOID, Desk
from tests.support.decisions import decision, rule

WRONG = "000000"


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(KeyStore.create(tmp_path / "keys"))


async def _refused(asking: Any, code: str = "ELEVATION_REFUSED") -> DomainError:
    with pytest.raises(DomainError) as refusal:
        await asking
    assert refusal.value.code == code
    return refusal.value


@decision("BILL-DEC-010", "A PIN gives a token that serves once")
async def test_a_pin_gives_a_token_that_serves_once(desk: Desk) -> None:
    await desk.manager()
    issued = await desk.ask()
    assert issued.expires_at == "2026-03-14T09:05:00.000000Z"
    assert await desk.use(issued.token) == Approver(desk.people.id_of("default", "maria"), is_requester=False)
    error = await _refused(desk.use(issued.token), "ELEVATION_INVALID")
    assert error.reason_code == "USED"
    (granted,) = desk.told("elevation-granted")
    assert (granted["approver"], granted["requester"], granted["method"]) == ("maria", "ana", "PIN")
    (used,) = desk.told("elevation-used")
    assert used == {"grantId": granted["grantId"], "purpose": "INVOICE_VOID", "targetId": "invoice-7"}
    assert desk.told("elevation-use-refused") == [{"reason": "USED", "grantId": granted["grantId"]}]
    used_event = next(event for event in desk.ledger.events if event.name == "credential.elevation-used")
    assert (used_event.actor, used_event.operation) == ("ana", "invoices.void")


@decision("BILL-DEC-010", "A password gives one as well")
async def test_a_password_is_asked_for_as_a_password(desk: Desk) -> None:
    await desk.manager(kind="PASSWORD", secret="correct horse")
    await _refused(desk.ask("correct horse"))
    issued = await desk.elevations.by_secret(
        ANA, VOID, username="maria", kind="PASSWORD", secret="correct horse"
    )
    await desk.use(issued.token)


@pytest.mark.parametrize("wrong", ["secret", "name", "disabled", "not permitted", "locked"])
async def test_whatever_is_wrong_the_refusal_and_its_cost_are_the_same(desk: Desk, wrong: str) -> None:
    await desk.manager()
    if wrong == "disabled":
        await desk.credentials.disable(OPERATOR, "maria")
    if wrong == "locked":
        for _ in range(5):
            await _refused(desk.ask(WRONG))
    compared, head = desk.secrets.compared, len(desk.ledger.events)
    asking: dict[str, Callable[[], Any]] = {
        "secret": lambda: desk.ask(WRONG),
        "name": lambda: desk.ask(username="nobody"),
        "not permitted": lambda: desk.ask(asked=Asked(purpose="REPRINT")),
    }
    error = await _refused(asking.get(wrong, desk.ask)())
    assert (error.message, error.reason_code, error.field_errors) == ("The approval was not given.", None, ())
    assert desk.secrets.compared == compared + 1
    names = [event.name for event in desk.ledger.events[head:]]
    assert names == ["credential.elevation-refused", "credential.request-refused"]
    reasons = {
        "secret": "WRONG_SECRET",
        "name": "NO_CREDENTIAL",
        "disabled": "DISABLED",
        "not permitted": "NOT_PERMITTED",
        "locked": "LOCKED",
    }
    assert {event.data["reason"] for event in desk.ledger.events[head:]} == {reasons[wrong]}


async def test_five_failures_lock_and_time_unlocks(desk: Desk) -> None:
    await desk.manager()
    for _ in range(5):
        await _refused(desk.ask(WRONG))
    await _refused(desk.ask())
    await _refused(desk.ask(caller=BOB))
    desk.clock.move(15 * 60)
    await desk.use((await desk.ask()).token)


async def test_who_tries_many_names_is_told_to_wait_before_anything_is_compared(desk: Desk) -> None:
    await desk.manager("zoe")
    for number in range(FAILED_REQUESTS_ALLOWED):
        token = desk.step_up(f"guest-{number}", roles=())
        await _refused(desk.elevations.by_step_up(ANA, VOID, token))
    compared, head = desk.secrets.compared, len(desk.ledger.events)
    error = await _refused(desk.ask(username="zoe"), "RATE_LIMITED")
    assert error.retry_after_seconds == 15 * 60 + 1
    await _refused(desk.elevations.by_step_up(ANA, VOID, desk.step_up()), "RATE_LIMITED")
    assert (desk.secrets.compared, len(desk.ledger.events)) == (compared, head)
    await desk.ask(username="zoe", caller=BOB)
    desk.clock.move(15 * 60)
    await desk.ask(username="zoe")


@decision("BILL-DEC-010", "So does a fresh step-up of single sign-on")
async def test_a_step_up_of_a_manager_approves(desk: Desk) -> None:
    issued = await desk.elevations.by_step_up(ANA, VOID, desk.step_up())
    assert await desk.use(issued.token) == Approver(desk.people.id_of("default", "maria"), is_requester=False)
    (granted,) = desk.told("elevation-granted")
    assert (granted["approver"], granted["method"]) == ("maria", "SSO")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"age_seconds": 301}, "STEP_UP_STALE"),
        ({"amr": ()}, "STEP_UP_STALE"),
        ({"roles": ("SERVICE_ADVISOR",)}, "NOT_PERMITTED"),
        ({"account_ids": ("a-1",)}, "NOT_PERMITTED"),
        ({"tenant": "other"}, "STEP_UP_INVALID"),
    ],
)
async def test_a_step_up_that_is_stale_too_weak_narrowed_or_of_another_tenant_approves_nothing(
    desk: Desk, claims: dict[str, Any], reason: str
) -> None:
    await _refused(desk.elevations.by_step_up(ANA, VOID, desk.step_up(**claims)))
    (refused,) = desk.told("request-refused")
    assert refused["reason"] == reason


async def test_a_forged_step_up_approves_nothing_and_locks_nobody(desk: Desk) -> None:
    await desk.manager()
    for _ in range(6):
        await _refused(desk.elevations.by_step_up(ANA, VOID, desk.step_up()[:-4] + "AAAA"))
    await desk.ask()


async def test_the_callers_own_token_is_a_step_up_where_it_is_fresh(desk: Desk) -> None:
    fresh = TokenClaims(
        sub="Maria", roles=frozenset({"BILLING_MANAGER"}), amr=("pin",), auth_time=desk.clock.now()
    )
    issued = await desk.elevations.by_step_up(Caller(fresh, "trace-1"), VOID, None)
    approver = await desk.use(issued.token, caller=Caller(fresh, "trace-1"))
    assert approver == Approver(desk.people.id_of("default", "maria"), is_requester=True)
    await _refused(desk.elevations.by_step_up(ANA, VOID, None))


async def test_one_person_is_one_however_they_prove_it_and_write_their_name(desk: Desk) -> None:
    await desk.manager(username="María")
    by_pin = await desk.use((await desk.ask(username=" MARI\u0301A")).token)
    by_sso = await desk.use((await desk.elevations.by_step_up(ANA, VOID, desk.step_up(sub="maría"))).token)
    own = await desk.ask(username="maría", caller=Caller(TokenClaims(sub="MARÍA"), "trace-1"))
    assert by_pin == by_sso
    used = await desk.use(own.token, caller=Caller(TokenClaims(sub="MARÍA"), "trace-1"))
    assert used.is_requester and used.credential_id == by_pin.credential_id


@decision("BILL-DEC-010", "A token is bound to who asked, for what and for which target")
async def test_a_token_serves_neither_another_caller_nor_another_purpose_or_target(desk: Desk) -> None:
    await desk.manager()
    token = (await desk.ask()).token
    attempts = {
        "OTHER_REQUESTER": desk.use(token, caller=BOB),
        "OTHER_PURPOSE": desk.use(token, purpose="INVOICE_ISSUE"),
        "OTHER_TARGET": desk.use(token, target_id="invoice-8"),
    }
    for reason, attempt in attempts.items():
        assert (await _refused(attempt, "ELEVATION_INVALID")).reason_code == reason
    assert [told["reason"] for told in desk.told("elevation-use-refused")] == list(attempts)
    await desk.use(token)


@decision("BILL-DEC-010", "A token expires")
async def test_a_token_that_expired_does_not_serve(desk: Desk) -> None:
    await desk.manager()
    token = (await desk.ask()).token
    desk.clock.move(5 * 60)
    assert (await _refused(desk.use(token), "ELEVATION_INVALID")).reason_code == "EXPIRED"


async def test_a_command_that_is_refused_after_all_leaves_the_token_unused(desk: Desk) -> None:
    await desk.manager()
    token = (await desk.ask()).token
    await _refused(desk.use(token, then_fails=True), "NOT_FOUND")
    assert desk.told("elevation-used") == desk.told("elevation-use-refused") == []
    await desk.use(token)


@rule("AUDIT-10")
@pytest.mark.parametrize(
    "kind", ["garbage", "altered", "by another key", "a bearer token", "another tenant's"]
)
async def test_what_is_no_token_of_ours_is_told_of_who_presented_it(desk: Desk, kind: str) -> None:
    await desk.manager()
    token = (await desk.ask()).token
    head, payload, signature = token.split(".")
    forged = {
        "garbage": "garbage",
        "altered": f"{head}.{payload[:-2]}AA.{signature}",
        "by another key": MacElevationTokens(b"x" * 32).issue("default", *_ids(desk, token))[0],
        "a bearer token": desk.step_up(),
        "another tenant's": desk.tokens.issue("other", *_ids(desk, token))[0],
    }
    error = await _refused(desk.use(forged[kind]), "ELEVATION_INVALID")
    assert error.reason_code == "UNREADABLE"
    last = desk.ledger.events[-1]
    assert (last.name, last.data) == ("credential.elevation-use-refused", {"reason": "UNREADABLE"})
    assert last.stream.id == desk.people.id_of("default", "ana")


async def test_a_token_made_anew_for_a_grant_does_not_serve(desk: Desk) -> None:
    await desk.manager()
    twin = desk.tokens.issue("default", *_ids(desk, (await desk.ask()).token))[0]
    assert (await _refused(desk.use(twin), "ELEVATION_INVALID")).reason_code == "UNKNOWN"


def _ids(desk: Desk, token: str) -> tuple[str, str]:
    claims = desk.tokens.read(token)
    return claims.credential_id, claims.grant_id


@decision("BILL-DEC-010", "Credentials are neither logged nor stored as they were typed")
async def test_neither_secrets_nor_tokens_nor_hashes_are_stored_or_shown_and_names_only_to_auditors(
    desk: Desk,
) -> None:
    await desk.manager()
    await _refused(desk.ask("918273"))
    await _refused(desk.ask(username="not-her-name"))
    step_up = desk.step_up()
    tokens = [(await desk.ask()).token, (await desk.elevations.by_step_up(ANA, VOID, step_up)).token]
    for token in tokens:
        await desk.use(token)
        await _refused(desk.use(token), "ELEVATION_INVALID")
    everything = desk.everything()
    for secret in (PIN, "918273", "argon2", "not-her-name", step_up, *tokens):
        assert secret not in everything
    stored = b"".join(event.state for event in desk.ledger.events).decode()
    assert "maria" not in stored and "maria" in everything


async def test_an_erased_name_is_gone_and_its_credential_with_it(desk: Desk) -> None:
    await desk.manager()
    person = desk.people.id_of("default", "maria")
    desk.ledger.keys.erase(f"user:{person}", "ACCESS")
    facts = [event.fact for event in desk.ledger.read_again()]
    assert [getattr(fact, "username", None) for fact in facts] == ["[erased]"]


async def test_credentials_are_listed_by_tenant_as_they_stand(desk: Desk) -> None:
    await desk.manager()
    await desk.manager("zoe", kind="PASSWORD", secret="correct horse", permissions=frozenset())
    await desk.manager("zoe", permissions=frozenset({"billing:auth:elevate"}))
    await desk.credentials.disable(OPERATOR, "Maria")
    await _refused(desk.ask(username="nobody"))
    assert await desk.credentials.all("default") == [
        CredentialRow(
            desk.people.id_of("default", "maria"), "maria", "PIN", tuple(sorted(MANAGER)), enabled=False
        ),
        CredentialRow(
            desk.people.id_of("default", "zoe"), "zoe", "PIN", ("billing:auth:elevate",), enabled=True
        ),
    ]
    assert await desk.credentials.all("other") == []


@pytest.mark.parametrize(
    ("changes", "field_name"),
    [
        ({"secret": "123"}, "pin"),
        ({"secret": "1" * 13}, "pin"),
        ({"secret": "12a4"}, "pin"),
        ({"secret": "١٢٣٤"}, "pin"),
        ({"kind": "PASSWORD", "secret": "ninechars"}, "password"),
        ({"kind": "PASSWORD", "secret": "x" * 129}, "password"),
        ({"permissions": frozenset({"billing:everything"})}, "permissions"),
        ({"username": " "}, "username"),
    ],
)
async def test_what_is_no_good_secret_or_permission_is_refused_unquoted(
    desk: Desk, changes: dict[str, Any], field_name: str
) -> None:
    error = await _refused(desk.manager(**changes), "VALIDATION_FAILED")
    assert [found.field for found in error.field_errors] == [field_name]
    assert changes.get("secret", "?") not in str(error.field_errors)
    assert desk.ledger.events == []
