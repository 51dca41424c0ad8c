"""One run: a fleet, clients that command it, a killer that breaks it, and the checks afterwards.

The seed decides what clients and killer do; how the machine interleaves them differs from run to run.
Clients, nemesis and checker are Jepsen's, the plain model beside the real thing is that of stateful tests.
"""

import asyncio
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from infrastructure.embedded_postgres import service_url
from tests.chaos.checks import findings, left_over, settle
from tests.chaos.clients import ANSWER_SECONDS, Client, Record
from tests.chaos.killer import Killer, serving
from tests.chaos.model import Model
from tests.support.cutting_proxy import CuttingProxy
from tests.support.fleet import Fleet
from tests.support.house import eventually
from tests.support.stalls import Pulse

CLIENTS = 6
RECOVERY_SECONDS = 60.0
SHORTLY_SECONDS = 5.0


@dataclass(frozen=True)
class Outcome:
    """What a run did and found.

    `longest_stall_seconds` is the longest time that one client waited, `nobody_answered_seconds` the longest
    in which all did, and `killed_meanwhile` what the killer did shortly before or in it. `lost_answers` are
    broken connections, `unavailable_answers` those with status 503.
    """

    seed: int
    seconds: float
    answers: dict[str, int]
    lost_answers: int
    unavailable_answers: int
    abandoned: int
    orders: int
    kills: dict[str, int]
    longest_stall_seconds: float
    nobody_answered_seconds: float
    killed_meanwhile: list[str]
    findings: list[str]

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return asdict(self)


def run(folder: Path, seconds: float, seed: int) -> Outcome:
    """Runs for that long and checks everything. `folder` keeps the house's data, its log and the killer's."""
    data_dir = folder / "data"
    proxy = CuttingProxy(service_url(data_dir))
    model, record = Model(), Record()
    fleet = Fleet(data_dir, BILLING_DATABASE_URL=proxy.url)
    killer = Killer(seed, fleet, proxy, folder / "killer.log", record.last_answer_at)
    with serving(proxy), fleet:
        started = time.monotonic()
        found = asyncio.run(_break(fleet, killer, model, record, seconds, seed))
        ended = time.monotonic()
        try:
            eventually(fleet.is_whole, seconds=RECOVERY_SECONDS)
            settle(fleet.house)
            found += findings(fleet.house, model, record, seed)
        except AssertionError as error:
            found.append(f"the house did not recover: {error}")
    found += [f"a process was left over: {process}" for process in left_over(fleet.house)]
    anybody = Pulse("anybody", sorted(moment for pulse in record.pulses for moment in pulse.moments))
    silent_from, silent_until = anybody.longest_pause(started, ended)
    return Outcome(
        seed=seed,
        seconds=round(ended - started, 1),
        answers=dict(record.answers.most_common()),
        lost_answers=record.lost_answers,
        unavailable_answers=record.unavailable_answers,
        abandoned=len(model.abandoned),
        orders=len(model.orders),
        kills=dict(killer.done.most_common()),
        longest_stall_seconds=round(max(p.longest_stall(started, ended) for p in record.pulses), 2),
        nobody_answered_seconds=round(silent_until - silent_from, 2),
        killed_meanwhile=[
            f"{moment - silent_from:+.1f} s {deed}"
            for moment, deed in killer.deeds
            if silent_from - SHORTLY_SECONDS < moment < silent_until
        ],
        findings=found,
    )


async def _break(
    fleet: Fleet, killer: Killer, model: Model, record: Record, seconds: float, seed: int
) -> list[str]:
    """Clients and killer together for that long; what no client expected ends the run at once."""
    stop_at = time.monotonic() + seconds
    surprised = asyncio.Event()

    def stopping() -> bool:
        return surprised.is_set() or time.monotonic() >= stop_at

    async with AsyncExitStack() as stack:
        headers = {"Authorization": f"Bearer {fleet.house.token('SUPER_ADMIN', sub='chaos')}"}
        opened = [
            await stack.enter_async_context(
                httpx.AsyncClient(base_url=url, headers=headers, timeout=ANSWER_SECONDS, trust_env=False)
            )
            for url in fleet.urls
        ]
        clients = [Client(f"c{number}", seed, model, record, opened) for number in range(CLIENTS)]
        tasks = [asyncio.create_task(client.run(stopping)) for client in clients]
        for task in tasks:
            task.add_done_callback(lambda done: surprised.set() if done.exception() else None)
        results = await asyncio.gather(killer.run(stopping), *tasks, return_exceptions=True)
    return [f"{type(result).__name__}: {result}" for result in results if isinstance(result, BaseException)]
