"""What a user would pick instead, beside the nearest thing that there is of ours.

That is no invoice yet: a paid order over HTTP that leads to a receipt, numbered, drawn, sealed and stored.
"""

from dataclasses import dataclass

from benchmarks import http_client, workloads
from benchmarks.harness import CALLERS, Api, Bench, Ledger, running
from benchmarks.measurements.documents import cores
from benchmarks.peers import environment
from benchmarks.peers.books import DJANGO_LEDGER, TRYTON, Peer, set_up
from benchmarks.results import PEER, Result, Rounds
from projections.documents import DOCUMENT_TABLE
from tests.support.house import ONE_EVENT, eventually, free_port

INVOICES = "trytond-account-invoice"
ISSUED = 200
"""The answer to a paid order whose receipt is issued; it would be 202 after five seconds."""

WARM_UP_SECONDS = 1.0
MOST_ROUNDS = 3
SLOWER = 5
"""How many times as long peers have their turns as others: some issue one invoice in a second."""


@dataclass(frozen=True)
class Way:
    """A way in which a peer issues invoices; `title` says what is counted, `name` is the program's word."""

    peer: Peer
    name: str
    title: str
    processes: int

    @property
    def result_name(self) -> str:
        """What the result is called."""
        return f"{PEER}{self.peer.name}-{self.name}-{self.processes}".replace("_", "-")

    @property
    def in_words(self) -> str:
        """What the table says of it."""
        return f"{self.title}, {self.processes} process{'es' if self.processes > 1 else ''}"


def ways() -> list[Way]:
    """Everything that is measured, with the installed versions. Raises StopIteration without the peers."""
    modules = " and ".join(f"{name} {environment.version(name)}" for name in ("trytond", INVOICES))
    tryton = f"Tryton ({modules}), invoices of five lines drafted and posted"
    packages = " on ".join(f"{name} {environment.version(name)}" for name in ("django-ledger", "Django"))
    django_ledger = f"{packages}, invoices of five lines created and approved"
    return [
        Way(TRYTON, "one-by-one", f"{tryton} one by one", 1),
        Way(TRYTON, "one-by-one", f"{tryton} one by one", 2),
        Way(TRYTON, "in-batches", f"{tryton} twenty at once", 1),
        Way(TRYTON, "in-batches", f"{tryton} twenty at once", 2),
        Way(DJANGO_LEDGER, "one-by-one", django_ledger, 1),
        Way(DJANGO_LEDGER, "one-by-one", django_ledger, 2),
    ]


def measure_peers(bench: Bench) -> list[Result]:
    """Each round begins with our own turn and gives every peer its turn in each of its ways."""
    measured = ways()
    books = {peer: set_up(bench, peer) for peer in (TRYTON, DJANGO_LEDGER)}
    ledger = bench.ledger("peers")
    own: list[float] = []
    theirs: list[list[float]] = [[] for _ in measured]
    for _ in range(min(MOST_ROUNDS, bench.scale.rounds)):
        own.append(receipts_per_second(ledger, bench.scale.seconds))
        for way, kept in zip(measured, theirs, strict=True):
            seconds = SLOWER * bench.scale.seconds
            kept.append(books[way.peer].invoices_per_second(way.name, way.processes, seconds))
    title = (
        "paid orders of five lines over HTTP to receipts (no invoices yet), numbered, drawn and sealed, "
        f"one API worker, {cores()} issuing processes, {CALLERS} connections"
    )
    return [
        Rounds(tuple(own), tuple(kept)).result(
            way.result_name, "the same" if index else title, "documents/s", way.in_words
        )
        for index, (way, kept) in enumerate(zip(measured, theirs, strict=True))
    ]


def receipts_per_second(ledger: Ledger, seconds: float) -> float:
    """Paid orders whose answer says that their receipt is issued, by an API and a worker of their own."""
    work = ["-m", "interfaces.cli.main", "work"]
    with (
        ledger.serving() as api,
        running(ledger.house, work, free_port(), BILLING_ISSUERS=str(cores())),
        http_client.Client(api.port) as client,
    ):
        eventually(lambda: client.ask(_paying_an_order(api)).status == ISSUED)

        def issue(for_seconds: float) -> float:
            return http_client.requests_per_second(
                api.port, lambda: _paying_an_order(api), for_seconds, CALLERS, ISSUED
            )

        issue(WARM_UP_SECONDS)
        rate = issue(seconds)
    _require_issued(ledger)
    return rate


def _paying_an_order(api: Api) -> bytes:
    return http_client.request(
        "POST",
        "/v1/inbound/events",
        api.token,
        workloads.json_body(workloads.five_line_order()),
        Content_Type=ONE_EVENT,
    )


def _require_issued(ledger: Ledger) -> None:
    """Fails unless every document is issued under a number of its own."""
    with ledger.connect() as connection:
        counts = connection.execute(
            "SELECT count(*), count(*) FILTER (WHERE status = 'ISSUED'), count(DISTINCT number)"
            f" FROM readmodel.{DOCUMENT_TABLE.name}".encode()
        ).fetchone()
    assert counts is not None, "it counts"
    assert 0 < counts[0] == counts[1] == counts[2], f"documents, issued, numbers: {counts}"
