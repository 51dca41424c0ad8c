"""Issues one document with the service's own parts and dies by SIGKILL at a named point on the way.

Run as `python -m tests.support.dying_issuer DOCUMENT_ID STEP WHEN COUNT`. STEP is render, put, sign or
commit, WHEN is before or after, COUNT says which call of that step, from 1.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from application.issuing import Issuer
from application.ledger import Command, Committed
from application.signing import Signature
from application.vault import Deposit, StoredObject, VaultError
from infrastructure.rendering.direct import DirectRenderer
from infrastructure.settings import Settings
from infrastructure.telemetry import MetricsObserver
from infrastructure.vault.folder import FolderVault
from interfaces.bootstrap import System, build_system


class Death:
    """Counts calls of every step and kills this process at the one that was named."""

    def __init__(self, step: str, when: str, count: int) -> None:
        self._at = (step, when, count)
        self._counts: dict[tuple[str, str], int] = {}

    def comes(self, step: str, when: Literal["before", "after"]) -> None:
        """Returns, or never."""
        count = self._counts[step, when] = self._counts.get((step, when), 0) + 1
        if (step, when, count) == self._at:
            os.kill(os.getpid(), signal.SIGKILL)


class MortalRenderer(DirectRenderer):
    """Draws as the service does."""

    def __init__(self, death: Death) -> None:
        super().__init__()
        self._death = death

    async def render(self, content_json: bytes) -> bytes:
        self._death.comes("render", "before")
        pdf = await super().render(content_json)
        self._death.comes("render", "after")
        return pdf


class MortalVault(FolderVault):
    """Stores as the service does."""

    death: Death

    def put_all(self, deposits: Sequence[Deposit]) -> list[StoredObject | VaultError]:
        self.death.comes("put", "before")
        outcomes = super().put_all(deposits)
        self.death.comes("put", "after")
        return outcomes


class MortalSigner:
    """Signs as the service does: twice for the vault's retention log, then the document's seal."""

    def __init__(self, system: System, death: Death) -> None:
        self._signer = system.signer
        self._death = death

    def sign(self, payload: bytes) -> Signature:
        self._death.comes("sign", "before")
        signature = self._signer.sign(payload)
        self._death.comes("sign", "after")
        return signature

    def verify(self, payload: bytes, signature: Signature) -> None:
        self._signer.verify(payload, signature)


class MortalLedger:
    """Commits as the service does."""

    def __init__(self, system: System, death: Death) -> None:
        self._ledger = system.ledger
        self._death = death
        self.histories = system.ledger.histories
        self.history = system.ledger.history

    async def commit(self, command: Command) -> Committed:
        self._death.comes("commit", "before")
        committed = await self._ledger.commit(command)
        self._death.comes("commit", "after")
        return committed


async def issue(document_id: str, death: Death) -> None:
    """Issues the document, or dies."""
    settings = Settings()
    system = build_system(settings, renderer=MortalRenderer(death))
    signer = MortalSigner(system, death)
    vault = MortalVault(settings.vault_folder, system.keys.vault, signer, system.clock.now)
    vault.death = death
    system = replace(system, vault=vault, signer=signer)
    await system.start()
    issuer = Issuer(
        MortalLedger(system, death),  # type: ignore[arg-type]
        system.registry,
        vault,
        system.secrets,
        signer,
        system.renderer,
        system.clock,
        MetricsObserver(),
    )
    await issuer.issue([document_id])
    await system.stop()


if __name__ == "__main__":
    target, at_step, at_when, at_count = sys.argv[1:]
    asyncio.run(issue(target, Death(at_step, at_when, int(at_count))))
