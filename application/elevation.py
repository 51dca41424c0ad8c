"""Asking for elevations and using them (BILL-DEC-010, contract §5 `auth/elevate`).

Asking goes in three steps, because no secret is hashed under the ledger's lock: look up what is kept of the
secret, compare outside, and decide under the lock, where another verifier by then counts as a mismatch.
Using is one call in the handler of the command that the token is for.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from application.caller import DEFAULT_TENANT, Caller
from application.credentials import subject
from application.identity import TokenClaims, TokenRefused, TokenVerifier
from application.ledger import Answer, Audit, Command, Handler, Ledger, Transaction
from application.operations.auth import ELEVATE
from application.people import People
from application.ports import ElevationClaims, ElevationTokens, Ids, Secrets
from domain.accounts.credential import (
    CREDENTIAL,
    Credential,
    ElevationUseRefused,
    Method,
    Purpose,
    RefusalReason,
    SecretKind,
)
from domain.accounts.elevation import (
    Asked,
    elevation_invalid,
    grant_elevation,
    may_approve,
    objection,
    refuse_elevation,
    refuse_request,
    seconds_to_wait,
    step_up_is_fresh,
    use_grant,
)
from domain.kernel.errors import DomainError
from domain.kernel.facts import rfc3339
from domain.kernel.streams import StreamId

_GRANTED, _REFUSED = 201, 401


@dataclass(frozen=True)
class IssuedElevation:
    """An elevation token, when it expires (RFC 3339) and where the ledger says so."""

    token: str
    expires_at: str
    position: int


@dataclass(frozen=True)
class Approver:
    """Who approved: the id of their credential stream. `is_requester` says that they asked for it themselves.

    Two approvers are two persons where their `credential_id` differ.
    """

    credential_id: str
    is_requester: bool


@dataclass(frozen=True)
class _Approval:
    """What a caller asks of somebody."""

    caller: Caller
    asked: Asked
    requester_id: str
    approver_id: str
    approver: str
    method: Method

    def command(self, handler: Handler, *, dry_run: bool = False) -> Command:
        return Command(
            _audit(self.caller),
            handler,
            frozenset({CREDENTIAL.stream(self.requester_id), CREDENTIAL.stream(self.approver_id)}),
            subjects=frozenset({subject(self.approver_id)}),
            dry_run=dry_run,
        )


_Objection = Callable[[Credential | None, datetime], RefusalReason | None]
"""Why the approver's state or the moment forbids the grant; None where they do not."""


class Elevations:
    """Grants elevations, reads their tokens and records those that did not serve."""

    def __init__(
        self,
        ledger: Ledger,
        tokens: ElevationTokens,
        secrets: Secrets,
        verifier: TokenVerifier,
        people: People,
        ids: Ids,
    ) -> None:
        self._ledger = ledger
        self._tokens = tokens
        self._secrets = secrets
        self._verifier = verifier
        self._people = people
        self._ids = ids

    async def by_secret(
        self, caller: Caller, asked: Asked, *, username: str, kind: SecretKind, secret: str
    ) -> IssuedElevation:
        """A token by the approver's PIN or password. Raises `ELEVATION_REFUSED`, `RATE_LIMITED`.

        It takes as long for names that nobody has, and whatever is wrong, the answer is the same.
        """
        approval = self._approval(caller, asked, username, kind)
        kept = await self._kept(approval)
        matches = await self._secrets.matches(approval.approver_id, kept, secret)
        verified = kept if matches else None
        return await self._decide(
            approval, lambda credential, at: objection(credential, asked, kind, verified, at)
        )

    async def by_step_up(self, caller: Caller, asked: Asked, token: str | None) -> IssuedElevation:
        """A token by the access token of somebody who has just proved who they are; None: the caller's own.

        One that is narrowed to a part approves nothing, because what it is for cannot be held against that.
        Raises `ELEVATION_REFUSED`, `RATE_LIMITED`, `IdentityUnavailable`.
        """
        claims = caller.claims if token is None else await self._verified(token)
        if claims is None or (claims.tenant or DEFAULT_TENANT) != caller.tenant:
            return await self._refuse_step_up(caller, asked)
        approver = Caller(claims, caller.correlation_id)

        def against(_: Credential | None, at: datetime) -> RefusalReason | None:
            if not step_up_is_fresh(claims.auth_time, claims.amr, at):
                return "STEP_UP_STALE"
            permitted = may_approve(approver.permissions, asked.purpose) and not approver.is_narrowed
            return None if permitted else "NOT_PERMITTED"

        return await self._decide(self._approval(caller, asked, claims.sub, "SSO"), against)

    def read(self, caller: Caller, token: str) -> ElevationClaims:
        """What a token stands for, to be read before the command. Raises `ELEVATION_INVALID`."""
        claims = self._tokens.read(token)
        if claims.tenant != caller.tenant:
            raise elevation_invalid("UNREADABLE")
        return claims

    async def record_refused_use(
        self, audit: Audit, claims: Sequence[ElevationClaims], reason: str | None
    ) -> None:
        """Tells auditors of tokens that did not serve, for a refusal takes back all that its command wrote.

        `claims` are all that the command presented; of one that could not be read, there are none, and it is
        told of whoever presented it.
        """
        presented: list[tuple[StreamId, str | None]] = [(each.stream, each.grant_id) for each in claims]
        if not presented:
            presented = [(CREDENTIAL.stream(self._people.id_of(audit.tenant_id, audit.actor)), None)]

        def handle(transaction: Transaction) -> Answer:
            for stream, grant_id in presented:
                fact = ElevationUseRefused.model_validate({"reason": reason, "grantId": grant_id})
                transaction.append(stream, (fact,))
            return Answer(200, None)

        streams = frozenset(stream for stream, _ in presented)
        await self._ledger.commit(Command(audit, handler=handle, streams=streams))

    def _approval(self, caller: Caller, asked: Asked, approver: str, method: Method) -> _Approval:
        requester_id = self._people.id_of(caller.tenant, caller.claims.sub)
        approver_id = self._people.id_of(caller.tenant, approver)
        return _Approval(caller, asked, requester_id, approver_id, approver, method)

    async def _kept(self, approval: _Approval) -> str | None:
        """The verifier that is kept of the approver."""

        def handle(transaction: Transaction) -> Answer:
            _require_patience(transaction, approval.requester_id)
            credential = transaction.state(CREDENTIAL, approval.approver_id)
            return Answer(200, credential and credential.verifier)

        committed = await self._ledger.commit(approval.command(handle, dry_run=True))
        verifier: str | None = committed.answer.body
        return verifier

    async def _verified(self, token: str) -> TokenClaims | None:
        try:
            return self._verifier.known(token) or await asyncio.to_thread(self._verifier.verify, token)
        except TokenRefused:
            return None

    async def _refuse_step_up(self, caller: Caller, asked: Asked) -> NoReturn:
        requester_id = self._people.id_of(caller.tenant, caller.claims.sub)
        stream = CREDENTIAL.stream(requester_id)

        def handle(transaction: Transaction) -> Answer:
            _require_patience(transaction, requester_id)
            refused = refuse_request(asked, "STEP_UP_INVALID", None, transaction.stamp.at)
            transaction.append(stream, (refused,))
            return Answer(_REFUSED, None)

        await self._ledger.commit(Command(_audit(caller), handler=handle, streams=frozenset({stream})))
        raise _refusal()

    async def _decide(self, approval: _Approval, against: _Objection) -> IssuedElevation:
        grant_id = str(self._ids.new())
        token, claims = self._tokens.issue(approval.caller.tenant, approval.approver_id, grant_id)

        def handle(transaction: Transaction) -> Answer:
            _require_patience(transaction, approval.requester_id)
            at = transaction.stamp.at
            reason = against(transaction.state(CREDENTIAL, approval.approver_id), at)
            if reason is not None:
                _refuse(transaction, approval, reason)
                return Answer(_REFUSED, None)
            granted = grant_elevation(
                approval.asked,
                credential_id=approval.approver_id,
                approver=approval.approver,
                method=approval.method,
                requester=approval.caller.claims.sub,
                self_approved=approval.approver_id == approval.requester_id,
                grant_id=grant_id,
                token_hash=claims.token_hash,
                at=at,
            )
            transaction.append(CREDENTIAL.stream(approval.approver_id), (granted,))
            return Answer(_GRANTED, rfc3339(granted.expires_at))

        committed = await self._ledger.commit(approval.command(handle))
        if committed.answer.status == _REFUSED:
            raise _refusal()
        return IssuedElevation(token, committed.answer.body, committed.position)


def use_elevation(
    transaction: Transaction,
    claims: ElevationClaims,
    *,
    purpose: Purpose,
    target_id: str | None,
    requester: str,
) -> Approver:
    """Uses a token up together with what the handler does, and says who approved. Raises `ELEVATION_INVALID`.

    `requester` is the caller's `sub`. Where the command is refused after all, the token stays unused.
    """
    grant, used = use_grant(
        transaction.state(CREDENTIAL, claims.credential_id),
        Asked(purpose=purpose, target_id=target_id),
        grant_id=claims.grant_id,
        token_hash=claims.token_hash,
        requester=requester,
        at=transaction.stamp.at,
    )
    transaction.append(claims.stream, (used,))
    return Approver(claims.credential_id, is_requester=grant.self_approved)


def _audit(caller: Caller) -> Audit:
    return caller.audit(ELEVATE)


def _require_patience(transaction: Transaction, requester_id: str) -> None:
    """Raises `RATE_LIMITED` where the requester has asked in vain too often."""
    wait = seconds_to_wait(transaction.state(CREDENTIAL, requester_id), transaction.stamp.at)
    if wait is not None:
        raise DomainError(
            "RATE_LIMITED", "Too many approvals were asked for in vain; wait.", retry_after_seconds=wait
        )


def _refuse(transaction: Transaction, approval: _Approval, reason: RefusalReason) -> None:
    """Both sides remember it. A step-up that is refused is no guess, so it locks nobody's PIN."""
    at = transaction.stamp.at
    if approval.method != "SSO":
        credential = transaction.state(CREDENTIAL, approval.approver_id)
        refused = refuse_elevation(credential, approval.asked, reason, at)
        transaction.append(CREDENTIAL.stream(approval.approver_id), (refused,))
    request = refuse_request(approval.asked, reason, approval.approver_id, at)
    transaction.append(CREDENTIAL.stream(approval.requester_id), (request,))


def _refusal() -> DomainError:
    return DomainError("ELEVATION_REFUSED", "The approval was not given.")
