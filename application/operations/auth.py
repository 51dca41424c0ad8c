"""Credentials of approvers and the elevations that they give (BILL-DEC-010)."""

from application.operations.operation import ANY_CALLER, OPTIONAL_KEY, Idempotency, Operation

ELEVATE = Operation(
    name="auth.elevate",
    kind="command",
    method="POST",
    path="/v1/billing/auth/elevate",
    summary="A manager's approval by PIN, password or step-up: a token for one use within five minutes",
    permissions=ANY_CALLER,
    success="The approver has proved who they are, the approval is recorded and its token handed out",
    statuses=(201,),
    ownership="the approver's credential holds billing:auth:elevate and the permission for the purpose",
    idempotency=Idempotency(
        required=False, source="header", replay="a fresh token: secrets are never stored", inflight="none"
    ),
    audit_event="credential.elevation-granted",
    redaction=("username", "pin", "password", "stepUpToken", "elevationToken"),
    errors=("ELEVATION_REFUSED", "RATE_LIMITED"),
)

SET_CREDENTIAL = Operation(
    name="auth.set-credential",
    kind="command",
    method="POST",
    path="/v1/billing/auth/credentials",
    summary="Gives an approver a PIN or password and permissions, the first or others",
    permissions=frozenset({"billing:credential:manage"}),
    success="The secret's hash and the permissions are recorded and serve from now on: 201 new, 200 changed",
    statuses=(201, 200),
    idempotency=OPTIONAL_KEY,
    audit_event="credential.added",
    redaction=("username", "pin", "password"),
    errors=("IDEMPOTENCY_KEY_REUSED",),
)
