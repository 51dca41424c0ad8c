"""Setting policies (contract §5)."""

from typing import Any

from litestar import Response
from pydantic import BaseModel

from application.handlers.policies import PolicyChange, change_policy
from application.operations.operation import Operation
from application.operations.policies import SET_ISSUANCE_POLICY, SET_REPRINT_POLICY
from application.validation import parse
from domain.accounts.names import NamedAccount
from domain.accounts.policies import IssuanceTerms, ReprintTerms
from interfaces.http.accounts import AccountName
from interfaces.http.answers.policies import IssuancePolicyAnswer, ReprintPolicyAnswer
from interfaces.http.bodies import JSON, read_body, schema_of
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.etags import IfMatch, expected_version
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.routes import route


@route(SET_ISSUANCE_POLICY, operation_class=describing_body({JSON: schema_of(IssuanceTerms)}))
async def set_issuance_policy(
    request: AnyRequest,
    account_id: AccountName,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[IssuancePolicyAnswer]:
    """Sets an issuance policy whole: what the body leaves out takes its built-in value."""
    keys = (if_match, idempotency_key)
    return await _set(request, SET_ISSUANCE_POLICY, account_id, IssuanceTerms, IssuancePolicyAnswer, *keys)


@route(SET_REPRINT_POLICY, operation_class=describing_body({JSON: schema_of(ReprintTerms)}))
async def set_reprint_policy(
    request: AnyRequest,
    account_id: AccountName,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[ReprintPolicyAnswer]:
    """Sets a reprint policy whole: what the body leaves out takes its built-in value."""
    keys = (if_match, idempotency_key)
    return await _set(request, SET_REPRINT_POLICY, account_id, ReprintTerms, ReprintPolicyAnswer, *keys)


async def _set(
    request: AnyRequest,
    operation: Operation,
    name: str,
    terms: type[IssuanceTerms] | type[ReprintTerms],
    answer: type[BaseModel],
    if_match: str | None,
    idempotency_key: str | None,
) -> Response[Any]:
    async def prepare() -> Prepared:
        caller = caller_of(request)
        change = PolicyChange(
            name=parse(NamedAccount, {"accountId": name}).account_id,
            terms=await read_body(request, terms, answer=answer),
            configured_by=caller.on_behalf_of or caller.claims.sub,
            granted=caller.claims.account_ids,
            fresh_account_id=str(system_of(request).ids.new()),
            expected_revision=expected_version(if_match),
        )
        return Prepared(change_policy(change), change.streams)

    response = await carry_out(request, operation, idempotency_key, prepare)
    response.headers["ETag"] = response.content["etag"]
    return response


HANDLERS = (set_issuance_policy, set_reprint_policy)
