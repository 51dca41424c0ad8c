"""Fiscal profiles, now and in the past (contract §6)."""

from litestar import Response

from application.handlers.fiscal_profiles import profile_answer
from application.operations.fiscal_profiles import GET_FISCAL_PROFILE
from application.past import Moment, states_at
from domain.accounts.fiscal_profile import FISCAL_PROFILE
from interfaces.http.etags import NOT_MODIFIED, IfNoneMatch, etag, shown_unless_known
from interfaces.http.fiscal_profiles import (
    FiscalProfileAnswer,
    OwnerId,
    OwnerTypeName,
    ProfileCountry,
    owner_in_reach,
    profile_not_found,
)
from interfaces.http.guards import AnyRequest, system_of
from interfaces.http.reading import AsOf, AsOfPosition, MinPosition, head_reached, past_moment
from interfaces.http.routes import route


@route(GET_FISCAL_PROFILE, responses=NOT_MODIFIED)
async def get_fiscal_profile(
    request: AnyRequest,
    owner_type: OwnerTypeName,
    owner_id: OwnerId,
    country_code: ProfileCountry,
    as_of: AsOf = None,
    as_of_position: AsOfPosition = None,
    if_none_match: IfNoneMatch = None,
    min_position: MinPosition = None,
) -> Response[FiscalProfileAnswer]:
    """An owner's profile, from its own stream."""
    owner = owner_in_reach(request, owner_type, owner_id, country_code)
    past = past_moment(as_of, as_of_position)
    head = await head_reached(request, min_position)
    system, stream = system_of(request), FISCAL_PROFILE.stream(owner.profile_id)
    known = await states_at(system.ledger, system.registry, {stream}, past or Moment(position=head))
    then = known.get(stream)
    if then is None:
        raise profile_not_found()
    position = head if past is None else then.position
    return shown_unless_known(profile_answer(then.state), etag(then.version), if_none_match, position)


HANDLERS = (get_fiscal_profile,)
