"""One elevation token used many times at once, through two systems on one ledger: it serves once."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

from application.caller import Caller
from application.credentials import NewCredential
from application.elevation import use_elevation
from application.identity import TokenClaims
from application.ledger import Answer, Audit, Command, EventFilter, Transaction
from application.ports import ElevationClaims
from domain.accounts.credential import CREDENTIAL
from domain.accounts.elevation import Asked
from domain.kernel.errors import DomainError
from domain.kernel.facts import CountryCode
from domain.numbering.series import NUMBER_SERIES, NumberFormat, open_series, series_id
from infrastructure.settings import Settings
from interfaces.bootstrap import System, build_system
from tests.support.decisions import decision
from tests.support.ledger_fixtures import LedgerUrls, assert_sound

USES = 50
ANA = Caller(TokenClaims(sub="ana"), "trace-1")
AUDIT = Audit("default", "ana", "BILLING_MANAGER", "invoices.void", "trace-1")
COUNTRY: CountryCode = "GB"


def _command(claims: ElevationClaims, number: int) -> Command:
    """Does something of its own, for which the approval is needed: it opens a series."""
    identity = series_id(COUNTRY, f"issuer-{number}", "RECEIPT")

    def handle(transaction: Transaction) -> Answer:
        opened = open_series(
            transaction.state(NUMBER_SERIES, identity),
            country_code=COUNTRY,
            issuer_entity_id=f"issuer-{number}",
            doc_type="RECEIPT",
            number_format=NumberFormat(prefix="R-", padding=6, yearly_reset=False),
            time_zone="Europe/London",
        )
        transaction.append(NUMBER_SERIES.stream(identity), opened)
        use_elevation(transaction, claims, purpose="INVOICE_VOID", target_id="invoice-7", requester="ana")
        return Answer(201, None)

    return Command(AUDIT, handle, frozenset({claims.stream, NUMBER_SERIES.stream(identity)}))


async def _use(system: System, token: str, number: int) -> str:
    """What became of one use, as the HTTP door carries it out."""
    claims = system.elevations.read(ANA, token)
    try:
        await system.ledger.commit(_command(claims, number))
    except DomainError as refused:
        await system.elevations.record_refused_use(AUDIT, (claims,), refused.reason_code)
        return f"{refused.code} {refused.reason_code}"
    return "used"


@decision("BILL-DEC-010", "Of many uses of a token at once one serves")
async def test_of_fifty_uses_at_once_one_serves_and_each_of_the_others_is_told_to_auditors(
    database_urls: LedgerUrls, tmp_path: Path
) -> None:
    settings = Settings(database_url=database_urls.service, data_dir=tmp_path)
    async with AsyncExitStack() as running:
        systems = [build_system(settings) for _ in range(2)]
        for system in systems:
            await system.start()
            running.push_async_callback(system.stop)
        one = systems[0]
        permissions = frozenset({"billing:auth:elevate", "billing:invoice:void"})
        await one.credentials.set(AUDIT, NewCredential("maria", "PIN", "735519", permissions))
        asked = Asked(purpose="INVOICE_VOID", target_id="invoice-7")
        issued = await one.elevations.by_secret(ANA, asked, username="maria", kind="PIN", secret="735519")
        outcomes = await asyncio.gather(
            *(_use(systems[number % 2], issued.token, number) for number in range(USES))
        )
        recorded = await one.ledger.search(EventFilter(stream_type=CREDENTIAL.name, limit=USES + 10))
        opened = await one.ledger.search(EventFilter(stream_type=NUMBER_SERIES.name, limit=USES))
    assert Counter(outcomes) == {"used": 1, "ELEVATION_INVALID USED": USES - 1}
    assert Counter(event.name for event in recorded) == {
        "credential.added": 1,
        "credential.elevation-granted": 1,
        "credential.elevation-used": 1,
        "credential.elevation-use-refused": USES - 1,
    }
    assert len(opened) == 1, "what was refused was not done"
    assert_sound(database_urls.service)
