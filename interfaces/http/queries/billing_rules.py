"""Billing rules, now and in the past, and S4's facade of CRM (contract §5)."""

from typing import Annotated, Any

from litestar import Response
from litestar.params import PathParameter

from application.handlers.billing_rules import rules_answer
from application.operations.billing_rules import GET_BILLING_RULES, GET_PARTY_BILLING_RULES
from application.operations.operation import Operation
from application.past import Moment
from domain.accounts.billing_rules import BILLING_RULES, RulesAdopted
from domain.kernel.errors import not_found
from domain.kernel.recorded import RecordedEvent
from interfaces.http.accounts import AccountName, account_in_reach
from interfaces.http.answers.billing_rules import BillingRulesAnswer
from interfaces.http.etags import NOT_MODIFIED, IfNoneMatch, etag, shown_unless_known
from interfaces.http.guards import AnyRequest, system_of
from interfaces.http.reading import AsOf, AsOfPosition, MinPosition, past_moment
from interfaces.http.routes import route

PartyName = Annotated[str, PathParameter(name="partyId", description="the party's id, or its account's")]


@route(GET_BILLING_RULES, responses=NOT_MODIFIED)
async def get_billing_rules(
    request: AnyRequest,
    account_id: AccountName,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    if_none_match: IfNoneMatch = None,
    min_position: MinPosition = None,
) -> Response[BillingRulesAnswer]:
    """An account's rules, now or in the past."""
    past = past_moment(as_of, as_of_position)
    return await _shown(request, GET_BILLING_RULES, account_id, past, if_none_match, min_position)


@route(GET_PARTY_BILLING_RULES, responses=NOT_MODIFIED)
async def get_party_billing_rules(
    request: AnyRequest,
    party_id: PartyName,
    if_none_match: IfNoneMatch = None,
    min_position: MinPosition = None,
) -> Response[BillingRulesAnswer]:
    """The same rules, for who knows the party alone."""
    return await _shown(request, GET_PARTY_BILLING_RULES, party_id, None, if_none_match, min_position)


async def _shown(
    request: AnyRequest,
    operation: Operation,
    name: str,
    past: Moment | None,
    if_none_match: str | None,
    min_position: int | None,
) -> Response[Any]:
    account, shown_position = await account_in_reach(request, operation, name, min_position)
    events = await _history(request, account.account_id, past or Moment(position=shown_position))
    if not events:
        raise not_found("A set of rules for this account")
    rules = system_of(request).registry.fold(events[0].stream, [event.fact for event in events])
    body = rules_answer(account.account_id, account.party_id, rules)
    position = shown_position if past is None else events[-1].position
    return shown_unless_known(body, etag(rules.revision), if_none_match, position)


async def _history(request: AnyRequest, account_id: str, until: Moment) -> list[RecordedEvent]:
    """The events of an account's rules up to a moment; before it adopted them, of their first account."""
    ledger, stream = system_of(request).ledger, BILLING_RULES.stream(account_id)
    events = await ledger.history(stream, as_of=until.as_of, up_to_position=until.position)
    if events:
        return events
    match await ledger.history(stream, up_to_version=1):
        case [RecordedEvent(fact=RulesAdopted(from_account_id=alias_id))]:
            of_alias = BILLING_RULES.stream(alias_id)
            return await ledger.history(of_alias, as_of=until.as_of, up_to_position=until.position)
        case _:
            return []


HANDLERS = (get_billing_rules, get_party_billing_rules)
