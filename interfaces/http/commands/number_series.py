"""Opening number series (contract §6)."""

from litestar import Response

from application.handlers.number_series import open_number_series
from application.operations.number_series import OPEN_SERIES
from domain.documents.document_facts import DocType
from domain.kernel.errors import DomainError
from domain.kernel.facts import CountryCode, Identifier
from domain.numbering.series import NumberFormat
from interfaces.http.bodies import JSON, RequestBody, read_body, schema_of
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest, caller_of
from interfaces.http.idempotency import IdempotencyKey
from interfaces.http.openapi import describing_body
from interfaces.http.queries.number_series import SeriesAnswer
from interfaces.http.routes import route


class OpenSeriesRequest(RequestBody):
    """Which series to open; without a format, the country driver's."""

    country_code: CountryCode
    issuer_entity_id: Identifier
    doc_type: DocType
    format: NumberFormat | None = None


@route(OPEN_SERIES, operation_class=describing_body({JSON: schema_of(OpenSeriesRequest)}))
async def open_series(request: AnyRequest, idempotency_key: IdempotencyKey = None) -> Response[SeriesAnswer]:
    """Opens a series before its first number."""

    async def prepare() -> Prepared:
        data = await read_body(request, OpenSeriesRequest, answer=SeriesAnswer)
        if not caller_of(request).sees_country(data.country_code):
            raise DomainError("PERMISSION_DENIED", "The token does not reach this country.")
        handler, stream = open_number_series(
            data.country_code, data.issuer_entity_id, data.doc_type, data.format
        )
        return Prepared(handler, frozenset({stream}))

    return await carry_out(request, OPEN_SERIES, idempotency_key, prepare)


HANDLERS = (open_series,)
