"""Has one document stamped with the service's own parts and dies by SIGKILL at a named point on the way.

Run as `python -m tests.support.dying_stamper DOCUMENT_ID STEP WHEN`. STEP is stamp, put, sign or commit, WHEN
is before or after.
"""

import asyncio
import sys
from dataclasses import replace

from application.stamping import StampAnswer, Stamper, StampRequest
from application.stamping_work import StampOffice
from application.vault import Deposit, StoredObject
from domain.fiscal.countries.simulated.driver import SIMULATED_AUTHORITY
from infrastructure.rendering.direct import DirectRenderer
from infrastructure.settings import Settings
from infrastructure.telemetry import MetricsObserver
from infrastructure.vault.folder import FolderVault
from interfaces.bootstrap import build_system
from tests.support.dying_issuer import Death, MortalLedger, MortalSigner


class MortalStamper:
    """Asks as the service does."""

    def __init__(self, stamper: Stamper, death: Death) -> None:
        self._stamper = stamper
        self._death = death

    async def stamp(self, request: StampRequest) -> StampAnswer:
        self._death.comes("stamp", "before")
        answer = await self._stamper.stamp(request)
        self._death.comes("stamp", "after")
        return answer

    async def close(self) -> None:
        await self._stamper.close()


class MortalVault(FolderVault):
    """Stores as the service does."""

    death: Death

    def put(self, deposit: Deposit) -> StoredObject:
        self.death.comes("put", "before")
        stored = super().put(deposit)
        self.death.comes("put", "after")
        return stored


async def stamp(document_id: str, death: Death) -> None:
    """Has the document stamped, or dies."""
    settings = Settings()
    system = build_system(settings, renderer=DirectRenderer())
    signer = MortalSigner(system, death)
    vault = MortalVault(settings.vault_folder, system.keys.vault, signer, system.clock.now)
    vault.death = death
    system = replace(system, vault=vault, signer=signer)
    await system.start()
    office = StampOffice(
        MortalStamper(system.stampers[SIMULATED_AUTHORITY], death),
        MortalLedger(system, death),  # type: ignore[arg-type]
        system.registry,
        vault,
        system.secrets,
        system.clock,
        MetricsObserver(),
    )
    await office.stamp(document_id)
    await system.stop()


if __name__ == "__main__":
    target, at_step, at_when = sys.argv[1:]
    asyncio.run(stamp(target, Death(at_step, at_when, 1)))
