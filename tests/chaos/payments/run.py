"""One run: invoices and bills, clients that pay them, gateways that fail, a killer, and then the checks.

The seed decides what all of them do; how the machine interleaves them differs from run to run.
"""

import asyncio
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx

from infrastructure.embedded_postgres import service_url
from tests.chaos.checks import commands_agree, left_over, patient_client, positions
from tests.chaos.killer import Killer, serving
from tests.chaos.payments.asked import Record
from tests.chaos.payments.checks import by_kind, findings, shown_invoices, sums
from tests.chaos.payments.ledger_side import hanging, ledger_side
from tests.chaos.payments.payers import AGAIN_SECONDS, Payer, Till, send
from tests.support.cutting_proxy import CuttingProxy
from tests.support.fleet import Fleet, Kind
from tests.support.garage import Garage
from tests.support.gateways import conditions, totals
from tests.support.house import eventually
from tests.support.payable_facts import bill_data
from tests.support.vendor_desk import VendorDesk

PAYMENTS_AN_INVOICE = 15
BILL_TOTAL = 100_000
VENDORS = (
    "of-parts",
    "sim-declined",
    "sim-pending",
    "sim-pending-declined",
    "sim-timeout-charged",
    "sim-expired",
)
"""Each has a bill; what the bank does with it is in its name."""

MORE_TO_KILL: tuple[tuple[int, Kind], ...] = ((6, "simulator"),)
PAUSES = (0.5, 6.0)
"""Payments take several steps, which are to be met at each of them, and not only at the first."""

TOKEN_SECONDS = 24 * 3600
RECOVERY_SECONDS = 180.0
SETTLED_SECONDS = 900.0
PATIENCE_SECONDS = 60.0
LAST_ATTEMPTS = 40


@dataclass(frozen=True)
class Outcome:
    """What a run did and found.

    `asked` counts keys by kind, `answers` what was told but for "again": `lost` connections, `unavailable`
    (503) and `in_flight` (409) were repeated, unless the client was `left_alone` by chance or had `given_up`.
    `moved` is in minor units, `invoices` count by status. `held_in_vain` are authorisations that nobody asks
    about again.
    """

    seed: int
    seconds: float
    recovered_after_seconds: float
    asked: dict[str, int]
    answers: dict[str, int]
    lost: int
    unavailable: int
    in_flight: int
    left_alone: int
    given_up: int
    kills: dict[str, int]
    moved: dict[str, Any]
    invoices: dict[str, int]
    notices: dict[str, int]
    held_in_vain: int
    hanging: int
    findings: list[str]

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return asdict(self)


@dataclass
class Checked:
    """What was seen once the killing was over, as `Outcome` has it."""

    moved: dict[str, Any] = field(default_factory=dict)
    invoices: dict[str, int] = field(default_factory=dict)
    hanging: int = 0
    findings: list[str] = field(default_factory=list)


def run(folder: Path, payments: int, clients: int, seed: int) -> Outcome:
    """Makes that many payments and checks everything. `folder` keeps data, log and the killer's diary."""
    data_dir = folder / "data"
    proxy = CuttingProxy(service_url(data_dir))
    fleet, record = Fleet(data_dir, BILLING_DATABASE_URL=proxy.url), Record()
    killer = Killer(
        seed, fleet, proxy, folder / "killer.log", record.last_answer_at, more=MORE_TO_KILL, pauses=PAUSES
    )
    checked = Checked()
    with serving(proxy), fleet:
        till = _opened(fleet, payments, seed)
        started = time.monotonic()
        _set_conditions(fleet, *_faults(seed), search_lag_seconds=1)
        checked.findings += asyncio.run(_break(fleet, killer, till, record, clients))
        ended = time.monotonic()
        try:
            _recover(fleet, record, checked)
            recovered = time.monotonic()
            _check(fleet, record, checked)
        except AssertionError as error:
            recovered = time.monotonic()
            checked.findings.append(f"it could not be checked: {error}")
    checked.findings += [f"a process was left over: {process}" for process in left_over(fleet.house)]
    notices, held_in_vain = _book(data_dir)
    return Outcome(
        seed=seed,
        seconds=round(ended - started, 1),
        recovered_after_seconds=round(recovered - ended, 1),
        asked={str(kind): count for kind, count in by_kind(record).items()},
        answers=dict(record.answers.most_common()),
        lost=record.lost,
        unavailable=record.unavailable,
        in_flight=sum(asked.in_flight for asked in record.asked),
        left_alone=record.left_alone,
        given_up=record.given_up,
        kills=dict(killer.done.most_common()),
        moved=checked.moved,
        invoices=checked.invoices,
        notices=notices,
        held_in_vain=held_in_vain,
        hanging=checked.hanging,
        findings=checked.findings,
    )


def _recover(fleet: Fleet, record: Record, checked: Checked) -> None:
    """Nothing is broken any more: what is under way ends, and whoever was not answered is."""
    eventually(fleet.is_whole, seconds=RECOVERY_SECONDS)
    _set_conditions(fleet)
    hangs = _hanging_for_long(fleet)
    asyncio.run(_repeat_all(fleet, record))
    hangs = hangs or _hanging_for_long(fleet)
    checked.hanging = len(hangs)
    checked.findings += [f"it hangs: {each}" for each in hangs]


def _check(fleet: Fleet, record: Record, checked: Checked) -> None:
    fleet.house.catch_up()
    with patient_client(fleet.house, "SUPER_ADMIN") as auditor:
        ledger, counted = ledger_side(auditor), totals(fleet.gateways_url)
        invoices = shown_invoices(auditor, ledger)
        checked.moved = sums(ledger, counted)
        checked.invoices = dict(Counter(invoice["status"] for invoice in invoices.values()))
        checked.findings += findings(auditor, fleet.house, ledger, invoices, counted, record)
    checked.findings += [*positions(fleet.house), *commands_agree(fleet.house)]


def _opened(fleet: Fleet, payments: int, seed: int) -> Till:
    """Issued invoices, and a bill of each vendor, before anything breaks."""
    with Garage(fleet.house) as garage:
        count = max(4, payments // PAYMENTS_AN_INVOICE)
        invoices = [garage.issued()["invoiceId"] for _ in range(count)]
        bills = []
        for vendor_id in VENDORS:
            bill = bill_data(billId=str(uuid4()), vendorId=vendor_id, totalAmount=BILL_TOTAL)
            assert VendorDesk(garage, vendor_id).outcome("payables.BILL_APPROVED", bill) == "ACCEPTED"
            bills.append(bill)
    return Till(seed, payments, invoices, bills)


def _faults(seed: int) -> list[dict[str, Any]]:
    """Everything that gateways do wrong, each now and then."""
    rates: tuple[tuple[str, int, float], ...] = (
        ("SLOW", 12, 1.0),
        ("UNTAKEN", 30, 4.0),
        ("LATE", 30, 4.0),
        ("LOST", 20, 0.2),
        ("ERROR", 20, 0),
    )
    faults: list[dict[str, Any]] = [
        {"kind": kind, "oneIn": one_in, "seconds": seconds, "seed": seed + number}
        for number, (kind, one_in, seconds) in enumerate(rates)
    ]
    delayed = {"kind": "DELAYED", "step": "notice", "oneIn": 3, "seconds": 5, "seed": seed}
    repeated = {"kind": "REPEATED", "step": "notice", "oneIn": 3, "seed": seed + 1}
    return [*faults, delayed, repeated]


def _set_conditions(fleet: Fleet, *faults: dict[str, Any], **others: Any) -> None:
    def set_them() -> bool:
        try:
            conditions(fleet.gateways_url, *faults, **others)
        except httpx.TransportError:
            return False
        return True

    eventually(set_them, seconds=RECOVERY_SECONDS)


async def _break(fleet: Fleet, killer: Killer, till: Till, record: Record, clients: int) -> list[str]:
    """Clients and killer together until all is paid; what no client expected ends the killing at once."""
    numbers = iter(range(till.payments))
    paid = asyncio.Event()
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(each) for each in _clients(fleet)]
        breaking = asyncio.create_task(killer.run(paid.is_set))
        paying = [Payer(till, record, opened).run(numbers) for _ in range(clients)]
        results = await asyncio.gather(*paying, return_exceptions=True)
        paid.set()
        results += await asyncio.gather(breaking, return_exceptions=True)
    return [f"{type(result).__name__}: {result}" for result in results if isinstance(result, BaseException)]


def _clients(fleet: Fleet) -> Iterator[httpx.AsyncClient]:
    token = fleet.house.token("SUPER_ADMIN", sub="payer", ttl_seconds=TOKEN_SECONDS)
    for url in fleet.urls:
        headers = {"Authorization": f"Bearer {token}"}
        yield httpx.AsyncClient(base_url=url, headers=headers, trust_env=False, verify=False)


def _hanging_for_long(fleet: Fleet) -> list[str]:
    """What still hangs after a while in which nothing is broken any more."""
    found: list[str] = []

    def look() -> bool:
        found[:] = hanging(fleet.house)
        time.sleep(0.5)
        return not found

    try:
        eventually(look, seconds=SETTLED_SECONDS)
    except AssertionError:
        return found
    return []


async def _repeat_all(fleet: Fleet, record: Record) -> None:
    """Every key is asked for again: the answered ones are told the same, the others are told at last."""
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(each) for each in _clients(fleet)]
        again = iter([asked for asked in record.asked if asked.kept is not None or not asked.told])

        async def ask() -> None:
            for asked in again:
                before = asked.in_flight
                for _ in range(LAST_ATTEMPTS):
                    if await send(opened[0], asked, record, PATIENCE_SECONDS) is not None:
                        break
                    await asyncio.sleep(AGAIN_SECONDS)
                else:
                    record.unexpected.append(f"{asked.key} is never answered")
                if asked.in_flight > before:
                    record.unexpected.append(f"{asked.key} is in flight though nothing hangs")

        await asyncio.gather(*(ask() for _ in range(4)))


def _book(data_dir: Path) -> tuple[dict[str, int], int]:
    """How many notices the simulator had to send and how often it tried, and what it holds ready in vain."""
    with closing(sqlite3.connect(data_dir / "simulated-gateways.sqlite")) as book:
        ((notices, attempts),) = book.execute("SELECT count(*), sum(attempts) FROM notice")
        ((held,),) = book.execute("SELECT count(*) FROM payment WHERE status = 'AUTHORIZED'")
    return {"told": notices, "sent": attempts}, held
