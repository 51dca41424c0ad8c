"""The peers issue what they are measured by. `make test` leaves this out: `python -m pytest benchmarks`."""

import pytest

from benchmarks.harness import SMOKE, bench
from benchmarks.measurements.peers import measure_peers, ways
from benchmarks.peers import environment
from benchmarks.peers.books import DJANGO_LEDGER, TRYTON, books_of

pytestmark = pytest.mark.skipif(
    not environment.is_installed(), reason="the peers are not installed: make bench-peers"
)


def test_every_peer_is_measured_by_invoices_that_are_in_its_books() -> None:
    with bench(SMOKE) as running:
        results = measure_peers(running)
        for peer in (TRYTON, DJANGO_LEDGER):
            with pytest.raises(AssertionError, match="of 1 invoices are in the books"):
                books_of(running, peer).require_issued(["999999"])
    assert [result.name for result in results] == [way.result_name for way in ways()]
    assert all(result.value > 0 and result.reference_value > 0 for result in results)
