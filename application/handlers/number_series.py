"""Opening number series."""

from application.ledger import Answer, Handler, Transaction
from domain.documents.document_facts import DocType
from domain.fiscal.registry import driver_for
from domain.kernel.facts import CountryCode, Identifier
from domain.kernel.streams import StreamId
from domain.numbering.series import NUMBER_SERIES, NumberFormat, open_series, series_id


def open_number_series(
    country_code: CountryCode,
    issuer_entity_id: Identifier,
    doc_type: DocType,
    number_format: NumberFormat | None,
) -> tuple[Handler, StreamId]:
    """Opens a series, in the driver's format unless one is given: 201, or 200 if it is open just so."""
    identity = series_id(country_code, issuer_entity_id, doc_type)
    stream = NUMBER_SERIES.stream(identity)
    driver = driver_for(country_code)

    def handle(transaction: Transaction) -> Answer:
        before = transaction.state(NUMBER_SERIES, identity)
        facts = open_series(
            before,
            country_code=country_code,
            issuer_entity_id=issuer_entity_id,
            doc_type=doc_type,
            number_format=number_format or (before.format if before else driver.number_format(doc_type)),
            time_zone=driver.time_zone(country_code),
        )
        transaction.append(stream, facts)
        series = transaction.state(NUMBER_SERIES, identity)
        assert series is not None, "it is open now"
        body = {
            "seriesId": identity,
            "countryCode": country_code,
            "issuerEntityId": issuer_entity_id,
            "docType": doc_type,
            "format": series.format.model_dump(mode="json", by_alias=True),
            "timeZone": series.time_zone,
            "nextNumber": series.next_sequence,
            "lockVersion": transaction.version(stream),
        }
        return Answer(201 if facts else 200, body)

    return handle, stream
