"""Setting billing rules (contract §5, BILL-DEC-006)."""

from litestar import Response

from application.handlers.billing_rules import Upsert, check_pattern, upsert_rules
from application.operations.billing_rules import UPSERT_BILLING_RULES
from application.validation import invalid_field, parse
from domain.accounts.billing_rules import RulesRequest
from domain.accounts.names import NamedAccount
from interfaces.http.accounts import AccountName
from interfaces.http.answers.billing_rules import BillingRulesAnswer
from interfaces.http.bodies import JSON, read_body, schema_of
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.etags import IfMatch, expected_version
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.routes import route

_S1_MOUNT = "/billing/"


@route(UPSERT_BILLING_RULES, operation_class=describing_body({JSON: schema_of(RulesRequest)}))
async def upsert_billing_rules(
    request: AnyRequest,
    account_id: AccountName,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[BillingRulesAnswer]:
    """Creates or updates an account's rules.

    Under `/billing` a change needs `If-Match` (S1); under `/v1/billing` it may go without (S4).
    """

    async def prepare() -> Prepared:
        body = await read_body(request, RulesRequest, answer=BillingRulesAnswer)
        _require_party(body)
        system, caller = system_of(request), caller_of(request)
        check_pattern(body, system.patterns)
        upsert = Upsert(
            name=parse(NamedAccount, {"accountId": account_id}).account_id,
            request=body,
            configured_by=caller.on_behalf_of or caller.claims.sub,
            granted=caller.claims.account_ids,
            fresh_account_id=str(system.ids.new()),
            fresh_rules_id=str(system.ids.new()),
            expected_revision=expected_version(if_match),
            etag_required=if_match is None and request.scope["path"].startswith(_S1_MOUNT),
        )
        return Prepared(upsert_rules(upsert), upsert.streams)

    answer = await carry_out(request, UPSERT_BILLING_RULES, idempotency_key, prepare)
    answer.headers["ETag"] = answer.content["etag"]
    return answer


def _require_party(body: RulesRequest) -> None:
    """S4 requires it beside the path, S1's vocabulary has no word for it. Raises `VALIDATION_FAILED`."""
    speaks_s1 = body.payment_terms_id is not None or body.is_po_required is not None
    if body.party_id is None and not speaks_s1:
        raise invalid_field("partyId", "MISSING", "It is required: the party that the path names.")


HANDLERS = (upsert_billing_rules,)
