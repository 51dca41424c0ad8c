"""The policies that apply to an account or to all (contract §5)."""

from typing import Any

from litestar import Response

from application.handlers.policies import policy_answer, require_everybody
from application.operations.operation import Operation
from application.operations.policies import GET_ISSUANCE_POLICY, GET_REPRINT_POLICY
from application.past import Moment, state_at
from domain.accounts.policies import DEFAULT, POLICY, Policy, PolicyKind, effective_policy, policy_id
from interfaces.http.accounts import AccountName, find_account
from interfaces.http.answers.policies import IssuancePolicyAnswer, ReprintPolicyAnswer
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.reading import MinPosition, head_reached, shown
from interfaces.http.routes import route


@route(GET_ISSUANCE_POLICY)
async def get_issuance_policy(
    request: AnyRequest, account_id: AccountName, min_position: MinPosition = None
) -> Response[IssuancePolicyAnswer]:
    """The issuance policy that applies, and whose it is."""
    return await _shown(request, GET_ISSUANCE_POLICY, "issuance", account_id, min_position)


@route(GET_REPRINT_POLICY)
async def get_reprint_policy(
    request: AnyRequest, account_id: AccountName, min_position: MinPosition = None
) -> Response[ReprintPolicyAnswer]:
    """The reprint policy that applies, and whose it is."""
    return await _shown(request, GET_REPRINT_POLICY, "reprint", account_id, min_position)


async def _shown(
    request: AnyRequest, operation: Operation, kind: PolicyKind, name: str, min_position: int | None
) -> Response[Any]:
    """What applies to an account of which nobody told yet is what applies to all."""
    if name == DEFAULT:
        require_everybody(caller_of(request).claims.account_ids)
        position = await head_reached(request, min_position)
        default = await _policy(request, kind, DEFAULT, position)
        body = policy_answer(None, default, effective_policy(kind, None, default))
    else:
        account, position = await find_account(request, operation, name, min_position)
        account_id = None if account is None else account.account_id
        own = None if account_id is None else await _policy(request, kind, account_id, position)
        default = await _policy(request, kind, DEFAULT, position)
        body = policy_answer(account_id, own, effective_policy(kind, own, default))
    return shown(body, position, headers={"ETag": body["etag"]})


async def _policy(request: AnyRequest, kind: PolicyKind, account_id: str, position: int) -> Policy | None:
    system, stream = system_of(request), POLICY.stream(policy_id(kind, account_id))
    policy: Policy | None = await state_at(system.ledger, system.registry, stream, Moment(position=position))
    return policy


HANDLERS = (get_issuance_policy, get_reprint_policy)
