"""Approvals: who may give them, what locks a secret, and what a token is good for (BILL-DEC-010)."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.accounts.credential import (
    LIVE_GRANTS,
    Credential,
    CredentialDataErased,
    CredentialDisabled,
    ElevationUsed,
    ElevationUseRefused,
    evolve,
)
from domain.accounts.elevation import (
    FAILED_REQUESTS_ALLOWED,
    PERMISSION_FOR,
    Asked,
    disable_credential,
    grant_elevation,
    may_approve,
    objection,
    refuse_elevation,
    refuse_request,
    seconds_to_wait,
    set_credential,
    step_up_is_fresh,
    use_grant,
)
from domain.kernel.facts import Fact
from tests.support.credential_facts import (
    CREDENTIAL_ID,
    GRANT_ID,
    MORNING,
    PERMISSIONS,
    TOKEN_HASH,
    added,
    changed,
    granted,
    refused,
    request_refused,
    used,
)
from tests.support.decisions import decision
from tests.support.given import given, state_after

VOID = Asked(purpose="INVOICE_VOID", target_id="invoice-7")
MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
KEPT = added().verifier


def _set(state: Credential | None, **changes: Any) -> Fact:
    fields = {name: getattr(added(), name) for name in ("credential_id", "username", "kind", "verifier")}
    return set_credential(state, **{**fields, "permissions": frozenset(PERMISSIONS), **changes})


def _object(
    state: Credential | None, asked: Asked = VOID, verified: str | None = KEPT, at: datetime = MORNING
) -> str | None:
    return objection(state, asked, "PIN", verified, at)


def _use(state: Credential | None, asked: Asked = VOID, **changes: Any) -> ElevationUsed:
    fields = {"grant_id": GRANT_ID, "token_hash": TOKEN_HASH, "requester": "ana", "at": MORNING}
    return use_grant(state, asked, **{**fields, **changes})[1]


def test_a_first_credential_is_added_and_a_second_one_changes_it() -> None:
    given().when(_set).then(added())
    given(added()).when(_set, verifier="YW5vdGhlcg==").then(changed())


def test_somebody_who_was_asked_for_before_gets_their_first_credential_all_the_same() -> None:
    given(refused(reason="NO_CREDENTIAL"), request_refused()).when(_set).then(added())


def test_a_credential_ends_once_and_starts_again_when_it_is_set() -> None:
    given(added()).when(disable_credential).then(CredentialDisabled())
    given(added(), CredentialDisabled()).when(disable_credential).then()
    given().when(disable_credential).then_refused("NOT_FOUND")
    given(refused()).when(disable_credential).then_refused("NOT_FOUND")
    assert _object(state_after(added(), CredentialDisabled())) == "DISABLED"
    assert _object(state_after(added(), CredentialDisabled(), changed(verifier=KEPT))) is None


def test_the_right_secret_of_somebody_permitted_is_granted() -> None:
    assert _object(state_after(added())) is None


@pytest.mark.parametrize("verified", [None, "b2xk"])
def test_a_wrong_secret_and_one_that_was_changed_meanwhile_are_refused(verified: str | None) -> None:
    assert _object(state_after(added()), verified=verified) == "WRONG_SECRET"


def test_a_pin_is_no_password() -> None:
    assert objection(state_after(added()), VOID, "PASSWORD", KEPT, MORNING) == "WRONG_SECRET"


def test_who_has_no_credential_approves_nothing() -> None:
    assert _object(None) == "NO_CREDENTIAL"
    assert _object(state_after(refused()), verified=None) == "NO_CREDENTIAL"


@pytest.mark.parametrize(("purpose", "permission"), PERMISSION_FOR.items())
@decision("BILL-DEC-008", "Who approves may elevate, and may do what is approved")
def test_an_approver_holds_elevate_and_the_permission_for_the_purpose(purpose: Any, permission: str) -> None:
    assert may_approve(frozenset({"billing:auth:elevate", permission}), purpose)
    assert not may_approve(frozenset({"billing:auth:elevate"}), purpose)
    assert not may_approve(frozenset({permission}), purpose)
    assert not may_approve(
        frozenset({"billing:auth:elevate", *PERMISSION_FOR.values()} - {permission}), purpose
    )


def test_the_credentials_permissions_count() -> None:
    state = state_after(added(permissions=("billing:auth:elevate",)))
    assert _object(state) == "NOT_PERMITTED"


def test_the_fifth_failure_in_a_row_locks_for_fifteen_minutes_even_the_right_secret() -> None:
    history: list[Fact] = [added()]
    for _ in range(4):
        history.append(refuse_elevation(state_after(*history), VOID, "WRONG_SECRET", MORNING))
        assert history[-1] == refused()
        assert _object(state_after(*history)) is None
    fifth = refuse_elevation(state_after(*history), VOID, "WRONG_SECRET", MORNING)
    assert fifth == refused(locked_until=MORNING + 15 * MINUTE)
    locked = state_after(*history, fifth)
    assert _object(locked) == "LOCKED"
    assert _object(locked, at=MORNING + 15 * MINUTE - SECOND) == "LOCKED"
    assert _object(locked, at=MORNING + 15 * MINUTE) is None


def test_asking_while_it_is_locked_neither_counts_nor_locks_longer() -> None:
    locked = refused(locked_until=MORNING + 15 * MINUTE)
    state = state_after(added(), *[refused()] * 4, locked, *[refused(reason="LOCKED")] * 4)
    assert refuse_elevation(state, VOID, "LOCKED", MORNING) == refused(reason="LOCKED")
    assert _object(state, at=MORNING + 15 * MINUTE) is None
    assert refuse_elevation(state, VOID, "WRONG_SECRET", MORNING + 15 * MINUTE).locked_until is None


def test_an_approval_by_secret_forgives_failures_and_one_by_step_up_does_not() -> None:
    failed = [added(), *[refused()] * 4]
    again = refuse_elevation(state_after(*failed, granted()), VOID, "WRONG_SECRET", MORNING)
    assert again.locked_until is None
    again = refuse_elevation(state_after(*failed, granted(method="SSO")), VOID, "WRONG_SECRET", MORNING)
    assert again.locked_until is not None


def test_a_new_secret_unlocks_and_voids_what_was_granted() -> None:
    locked = refused(locked_until=MORNING + 15 * MINUTE)
    state = state_after(added(), granted(), locked, changed(verifier=KEPT))
    assert _object(state) is None
    assert state.grants == ()


def test_names_that_nobody_has_lock_too() -> None:
    history: list[Fact] = []
    for _ in range(5):
        history.append(refuse_elevation(state_after(*history), VOID, "NO_CREDENTIAL", MORNING))
    assert history[-1] == refused(reason="NO_CREDENTIAL", locked_until=MORNING + 15 * MINUTE)


def test_a_requester_who_fails_too_often_waits_until_a_quarter_of_an_hour_after_the_first_failure() -> None:
    first = refuse_request(VOID, "WRONG_SECRET", CREDENTIAL_ID, MORNING)
    assert first == request_refused()
    later = [request_refused(MORNING + MINUTE)] * (FAILED_REQUESTS_ALLOWED - 2)
    assert seconds_to_wait(state_after(first, *later), MORNING + MINUTE) is None
    state = state_after(first, *later, request_refused(MORNING + 2 * MINUTE))
    assert seconds_to_wait(state, MORNING + 2 * MINUTE) == 13 * 60 + 1
    assert seconds_to_wait(state, MORNING + 15 * MINUTE - SECOND) == 2
    assert seconds_to_wait(state, MORNING + 15 * MINUTE) is None
    anew = evolve(state, request_refused(MORNING + 15 * MINUTE))
    assert (anew.failed_requests, seconds_to_wait(anew, MORNING + 15 * MINUTE)) == (1, None)
    assert seconds_to_wait(None, MORNING) is None


@pytest.mark.parametrize(
    ("age", "amr", "fresh"),
    [
        (5 * MINUTE, ("pwd",), True),
        (timedelta(0), ("pwd", "otp"), True),
        (-30 * SECOND, ("hwk",), True),
        (5 * MINUTE + SECOND, ("pwd",), False),
        (-31 * SECOND, ("pwd",), False),
        (MINUTE, (), False),
        (MINUTE, ("geo", "rba", "user"), False),
    ],
)
def test_a_step_up_is_no_older_than_five_minutes_and_proves_who_it_is(
    age: timedelta, amr: tuple[str, ...], fresh: bool
) -> None:
    assert step_up_is_fresh(MORNING - age, amr, MORNING) is fresh


def test_a_token_without_auth_time_is_no_step_up() -> None:
    assert not step_up_is_fresh(None, ("pwd",), MORNING)


def test_a_token_is_good_for_five_minutes_and_one_use() -> None:
    grant = grant_elevation(
        VOID,
        credential_id=CREDENTIAL_ID,
        approver="maria",
        method="PIN",
        requester="ana",
        self_approved=False,
        grant_id=GRANT_ID,
        token_hash=TOKEN_HASH,
        at=MORNING,
    )
    assert grant == granted()
    given(added(), grant).when(_use).then(used())
    given(added(), grant).when(_use, at=MORNING + 5 * MINUTE - SECOND).then(used())
    late = given(added(), grant).when(_use, at=MORNING + 5 * MINUTE).then_refused("ELEVATION_INVALID")
    assert late.reason_code == "EXPIRED"
    again = given(added(), grant, used()).when(_use).then_refused("ELEVATION_INVALID")
    assert again.reason_code == "USED"


@pytest.mark.parametrize(
    ("asked", "changes", "reason"),
    [
        (VOID, {"requester": "bob"}, "OTHER_REQUESTER"),
        (VOID, {"token_hash": "cd" * 32}, "UNKNOWN"),
        (VOID, {"grant_id": "another"}, "UNKNOWN"),
        (Asked(purpose="INVOICE_ISSUE", target_id="invoice-7"), {}, "OTHER_PURPOSE"),
        (Asked(purpose="INVOICE_VOID", target_id="invoice-8"), {}, "OTHER_TARGET"),
        (Asked(purpose="INVOICE_VOID"), {}, "OTHER_TARGET"),
    ],
)
def test_a_token_is_bound_to_requester_purpose_and_target(
    asked: Asked, changes: dict[str, str], reason: str
) -> None:
    error = given(added(), granted()).when(_use, asked, **changes).then_refused("ELEVATION_INVALID")
    assert error.reason_code == reason


def test_a_token_without_target_fits_any_target_of_its_purpose() -> None:
    free = granted(target_id=None)
    given(free).when(_use).then(used())
    issue = Asked(purpose="INVOICE_ISSUE", target_id="invoice-7")
    given(free).when(_use, issue).then_refused("ELEVATION_INVALID")


@pytest.mark.parametrize("end", [CredentialDisabled(), changed()])
def test_whoever_is_disabled_or_changed_has_approved_nothing(end: Fact) -> None:
    error = given(added(), granted(), end).when(_use).then_refused("ELEVATION_INVALID")
    assert error.reason_code == "UNKNOWN"


def test_of_nobody_a_token_is_unknown() -> None:
    assert given().when(_use).then_refused("ELEVATION_INVALID").reason_code == "UNKNOWN"


def test_an_erased_person_approves_nothing_any_more() -> None:
    erased = CredentialDataErased(
        subject=f"user:{CREDENTIAL_ID}", retention_class="ACCESS", key_id="k", positions=(1,)
    )
    state = state_after(added(), granted(), erased)
    assert _object(state) == "NO_CREDENTIAL"
    assert (state.verifier, state.grants) == (None, ())


def test_the_state_does_not_grow_with_its_history() -> None:
    state: Credential | None = None
    for number in range(3 * LIVE_GRANTS):
        state = evolve(state, granted(MORNING + number * MINUTE, grant_id=f"g-{number}"))
        state = evolve(state, ElevationUseRefused(reason="USED", grant_id=f"g-{number}"))
    assert state is not None and len(state.grants) == 5
    for number in range(3 * LIVE_GRANTS):
        state = evolve(state, granted(MORNING + 300 * MINUTE, grant_id=f"at-once-{number}"))
    assert len(state.grants) == LIVE_GRANTS
    assert state.grants[-1].grant_id == f"at-once-{3 * LIVE_GRANTS - 1}"
