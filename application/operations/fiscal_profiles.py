"""Fiscal profiles of buyers, sellers and platforms, one a country."""

from application.operations.operation import DOCUMENT_SCOPE, OPTIONAL_KEY, Operation

_PATH = "/v1/fiscal-profiles/{ownerType:str}/{ownerId:str}"
_OWNERSHIP = "buyer and seller of the token"
_PERSONAL = ("legalName", "taxId", "address", "addressNormalized", "invoicePreferences")

GET_FISCAL_PROFILE = Operation(
    name="fiscal-profiles.get",
    kind="query",
    method="GET",
    path=_PATH,
    summary="An owner's fiscal profile for a country, now or as of a moment or position",
    permissions=frozenset({"fiscal_profile.read"}),
    ownership=_OWNERSHIP,
    scope=DOCUMENT_SCOPE,
    redaction=_PERSONAL,
    errors=("NOT_FOUND", "PROJECTION_BEHIND"),
)

SET_FISCAL_PROFILE = Operation(
    name="fiscal-profiles.set",
    kind="command",
    method="PUT",
    path=_PATH,
    summary="Sets an owner's fiscal profile for a country, whole",
    permissions=frozenset({"fiscal_profile.write"}),
    success="The profile stands as the body says: 201 created, 200 else; what waited for it goes on",
    statuses=(200, 201),
    ownership=_OWNERSHIP,
    scope=DOCUMENT_SCOPE,
    idempotency=OPTIONAL_KEY,
    audit_event="fiscal-profile.configured",
    redaction=_PERSONAL,
    errors=("CARD_DATA_REFUSED", "NOT_FOUND", "STALE_ETAG", "TAX_ID_INVALID", "IDEMPOTENCY_KEY_REUSED"),
)
