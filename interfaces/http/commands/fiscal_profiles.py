"""Setting fiscal profiles (contract §6)."""

from litestar import Response

from application.handlers.fiscal_profiles import ProfileChange, change_profile, profile_answer
from application.operations.fiscal_profiles import SET_FISCAL_PROFILE
from application.past import state_at_version
from domain.accounts.fiscal_profile import FISCAL_PROFILE, ProfileRequest, profile_content
from interfaces.http.bodies import JSON, read_body, schema_of
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.etags import IfMatch, expected_version
from interfaces.http.fiscal_profiles import (
    FiscalProfileAnswer,
    OwnerId,
    OwnerTypeName,
    ProfileCountry,
    owner_in_reach,
)
from interfaces.http.guards import AnyRequest, caller_of, system_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.routes import route


@route(SET_FISCAL_PROFILE, operation_class=describing_body({JSON: schema_of(ProfileRequest)}))
async def set_fiscal_profile(
    request: AnyRequest,
    owner_type: OwnerTypeName,
    owner_id: OwnerId,
    country_code: ProfileCountry,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[FiscalProfileAnswer]:
    """Sets a profile whole: what the body leaves out is there no more."""
    owner = owner_in_reach(request, owner_type, owner_id, country_code)

    async def prepare() -> Prepared:
        body = await read_body(request, ProfileRequest, answer=FiscalProfileAnswer)
        caller = caller_of(request)
        change = ProfileChange(
            content=profile_content(owner, body),
            configured_by=caller.on_behalf_of or caller.claims.sub,
            expected_revision=expected_version(if_match),
        )
        return Prepared(change_profile(change), frozenset({change.stream}), frozenset({owner.subject}))

    response = await carry_out(request, SET_FISCAL_PROFILE, idempotency_key, prepare)
    system, stream = system_of(request), FISCAL_PROFILE.stream(owner.profile_id)
    profile = await state_at_version(system.ledger, system.registry, stream, response.content["version"])
    response.content = profile_answer(profile)
    response.headers["ETag"] = response.content["etag"]
    return response


HANDLERS = (set_fiscal_profile,)
