"""Elevations and the credentials of those who give them (contract §5, BILL-DEC-010).

No body of these operations is ever logged, stored or repeated in an answer.
"""

from typing import Annotated, NamedTuple

from litestar import Response
from pydantic import Field, StringConstraints

from application.credentials import SECRET_MAX_LENGTH, NewCredential, subject
from application.operations.auth import ELEVATE, SET_CREDENTIAL
from application.validation import invalid_field
from domain.accounts.credential import CREDENTIAL, Purpose, SecretKind
from domain.accounts.elevation import Asked
from domain.kernel.facts import NO_CONTROLS, Identifier, Utc, Value
from interfaces.http.bodies import JSON, RequestBody, read_body, schema_of
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey, check_key
from interfaces.http.openapi import describing_body
from interfaces.http.routes import route

_JWT_MAX_LENGTH = 8192

Username = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=NO_CONTROLS)]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=SECRET_MAX_LENGTH)]
StepUpToken = Annotated[str, StringConstraints(min_length=1, max_length=_JWT_MAX_LENGTH)]


class _Named(NamedTuple):
    kind: SecretKind
    secret: str


class _WithSecret(RequestBody):
    """A PIN or a password, never both."""

    pin: Secret | None = Field(default=None, repr=False)
    password: Secret | None = Field(default=None, repr=False)

    def named(self) -> _Named:
        """The one that there is. Raises `VALIDATION_FAILED` where there is none, or are two."""
        if self.pin is not None and self.password is None:
            return _Named("PIN", self.pin)
        if self.password is not None and self.pin is None:
            return _Named("PASSWORD", self.password)
        raise invalid_field("pin", "ONE_SECRET", "Give either pin or password.")


class ElevateRequest(_WithSecret):
    """What is to be approved, and how the approver proves who they are.

    By `username` with `pin` or `password`, by `stepUpToken`, or by the bearer token itself where it is a
    fresh step-up.
    """

    username: Username | None = None
    step_up_token: StepUpToken | None = Field(default=None, repr=False)
    purpose: Purpose
    target_id: Identifier | None = None

    @property
    def names_a_secret(self) -> bool:
        """Whether it is by secret. Raises `VALIDATION_FAILED` where it names a step-up beside it."""
        named = (self.username, self.pin, self.password) != (None, None, None)
        if named and self.step_up_token is not None:
            raise invalid_field("stepUpToken", "ONE_WAY", "Give a step-up, or username with pin or password.")
        return named


class CredentialRequest(_WithSecret):
    """Whose credential; `username` is the `sub` of the person's tokens, `permissions` all that it permits."""

    username: Username
    permissions: Annotated[list[str], Field(max_length=100)]


class ElevationAnswer(Value):
    """The token, good for one use until it expires."""

    elevation_token: str
    expires_at: Utc


class CredentialAnswer(Value):
    """What was set. Erasing `user:<credentialId>` erases the name."""

    credential_id: str
    kind: SecretKind
    permissions: list[str]


@route(ELEVATE, operation_class=describing_body({JSON: schema_of(ElevateRequest)}))
async def elevate(request: AnyRequest, idempotency_key: IdempotencyKey = None) -> Response[ElevationAnswer]:
    """A token by which the caller may do one thing that somebody else approves."""
    data = await read_body(request, ElevateRequest)
    if idempotency_key is not None:
        check_key(idempotency_key)
    caller = caller_of(request)
    elevations = system_of(request).elevations
    asked = Asked(purpose=data.purpose, target_id=data.target_id)
    if data.names_a_secret:
        kind, secret = data.named()
        if data.username is None:
            raise invalid_field("username", "MISSING", "It is required with a pin or password.")
        issued = await elevations.by_secret(caller, asked, username=data.username, kind=kind, secret=secret)
    else:
        issued = await elevations.by_step_up(caller, asked, data.step_up_token)
    answer = ElevationAnswer.model_validate({"elevationToken": issued.token, "expiresAt": issued.expires_at})
    headers = {"Cache-Control": "no-store", "X-Ledger-Position": str(issued.position)}
    return Response(answer, status_code=201, headers=headers)


@route(SET_CREDENTIAL, operation_class=describing_body({JSON: schema_of(CredentialRequest)}))
async def set_credential(
    request: AnyRequest, idempotency_key: IdempotencyKey = None
) -> Response[CredentialAnswer]:
    """Gives a person a credential: 201, or 200 where it replaces one."""

    async def prepare() -> Prepared:
        data = await read_body(request, CredentialRequest)
        new = NewCredential(data.username, *data.named(), frozenset(data.permissions))
        handler, credential_id = await system_of(request).credentials.setting(caller_of(request).tenant, new)
        return Prepared(
            handler,
            frozenset({CREDENTIAL.stream(credential_id)}),
            subjects=frozenset({subject(credential_id)}),
        )

    return await carry_out(request, SET_CREDENTIAL, idempotency_key, prepare)


HANDLERS = (elevate, set_credential)
