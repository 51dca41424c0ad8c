"""Number series as they stand, and every number with its holder."""

from projections.number_series import SERIES
from tests.support.facts import NOON
from tests.support.folding import History, folded, receipt_id

KEY = ("GB:platform-gb:RECEIPT",)


async def test_a_series_opens_and_counts() -> None:
    history = History()
    await history.pay("o-1")
    await history.pay("o-2")
    rows = folded(SERIES, history.events)
    assert rows["number_series_v1"][KEY] == {
        "series_id": "GB:platform-gb:RECEIPT",
        "country_code": "GB",
        "issuer_entity_id": "platform-gb",
        "doc_type": "RECEIPT",
        "format": {"prefix": "R-{year}-", "padding": 6, "yearlyReset": True},
        "time_zone": "Europe/London",
        "next_number": 3,
        "lock_version": 3,
    }


async def test_every_number_names_its_holder() -> None:
    history = History()
    await history.pay("o-1")
    await history.pay("o-2")
    await history.pay("o-3", countryCode="IE")
    numbers = folded(SERIES, history.events)["number_v1"]
    assert [(key, row["number"], row["holder_id"]) for key, row in numbers.items()] == [
        ((*KEY, 2026, 1), "R-2026-000001", receipt_id("o-1")),
        ((*KEY, 2026, 2), "R-2026-000002", receipt_id("o-2")),
        (("IE:platform-gb:RECEIPT", 2026, 1), "R-2026-000001", receipt_id("o-3")),
    ]
    first = numbers[(*KEY, 2026, 1)]
    assert (first["holder_type"], first["issued_at"]) == ("DOCUMENT", NOON)
