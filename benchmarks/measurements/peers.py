"""What a user would pick instead, beside our own: invoices of five lines, drafted and issued."""

from dataclasses import dataclass

from benchmarks.harness import CALLERS, Bench
from benchmarks.measurements.invoices import invoices_per_second
from benchmarks.peers import environment
from benchmarks.peers.books import DJANGO_LEDGER, TRYTON, Peer, set_up
from benchmarks.results import PEER, Result, Rounds, Target

INVOICES = "trytond-account-invoice"
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
    targets: tuple[Target, ...] = ()

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
        Way(TRYTON, "one-by-one", f"{tryton} one by one", 1, (Target("ratio", "≥", 100),)),
        Way(TRYTON, "one-by-one", f"{tryton} one by one", 2),
        Way(TRYTON, "in-batches", f"{tryton} twenty at once", 1),
        Way(TRYTON, "in-batches", f"{tryton} twenty at once", 2),
        Way(DJANGO_LEDGER, "one-by-one", django_ledger, 1, (Target("ratio", "≥", 10),)),
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
        own.append(invoices_per_second(ledger, bench.scale.seconds))
        for way, kept in zip(measured, theirs, strict=True):
            seconds = SLOWER * bench.scale.seconds
            kept.append(books[way.peer].invoices_per_second(way.name, way.processes, seconds))
    title = f"invoices of five lines drafted and issued over HTTP, one API worker, {CALLERS} connections"
    return [
        Rounds(tuple(own), tuple(kept)).result(
            way.result_name,
            "the same" if index else title,
            "invoices/s",
            way.in_words,
            targets=way.targets,
        )
        for index, (way, kept) in enumerate(zip(measured, theirs, strict=True))
    ]
