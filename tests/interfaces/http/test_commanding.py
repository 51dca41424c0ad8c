"""Commands that use an approval: of a token that does not serve auditors are told, whatever is taken back."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from litestar import Response

from application.elevation import use_elevation
from application.ledger import Answer, Transaction
from application.operations.number_series import OPEN_SERIES
from domain.accounts.credential import CREDENTIAL
from domain.kernel.errors import DomainError
from infrastructure.keys.store import KeyStore
from interfaces.http.commanding import Prepared, carry_out
from interfaces.http.guards import AnyRequest
from tests.support.approvals import ANA, Desk
from tests.support.credential_facts import CREDENTIAL_ID, refused


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(KeyStore.create(tmp_path / "keys"))


async def _void(desk: Desk, token: str, *, dry_run: bool = False) -> Response[Any]:
    """A command that writes something and then needs the approval."""
    system = SimpleNamespace(ledger=desk.ledger, elevations=desk.elevations)
    request = SimpleNamespace(scope={"state": {"caller": ANA}}, app=SimpleNamespace(state={"system": system}))

    async def prepare() -> Prepared:
        claims = desk.elevations.read(ANA, token)

        def handle(transaction: Transaction) -> Answer:
            transaction.append(CREDENTIAL.stream(CREDENTIAL_ID), (refused(),))
            use_elevation(
                transaction,
                claims,
                purpose="INVOICE_VOID",
                target_id="invoice-7",
                requester=ANA.claims.sub,
            )
            return Answer(200, {})

        return Prepared(handle, frozenset({claims.stream}), dry_run=dry_run, elevations=(claims,))

    return await carry_out(cast(AnyRequest, request), OPEN_SERIES, None, prepare)


async def test_a_used_token_takes_the_command_back_and_is_recorded_by_itself(desk: Desk) -> None:
    await desk.manager()
    token = (await desk.ask()).token
    assert (await _void(desk, token)).status_code == 200
    head = len(desk.ledger.events)
    with pytest.raises(DomainError, match="ELEVATION_INVALID"):
        await _void(desk, token)
    (told,) = desk.ledger.events[head:]
    assert told.name == "credential.elevation-use-refused"
    assert told.data == {"reason": "USED", "grantId": desk.tokens.read(token).grant_id}
    assert (told.actor, told.operation) == ("ana", OPEN_SERIES.name)


async def test_a_token_that_cannot_be_read_is_recorded_of_who_presented_it(desk: Desk) -> None:
    with pytest.raises(DomainError, match="ELEVATION_INVALID"):
        await _void(desk, "garbage")
    (told,) = desk.ledger.events
    assert (told.stream.id, told.data) == (desk.people.id_of("default", "ana"), {"reason": "UNREADABLE"})


async def test_a_dry_run_neither_uses_a_token_nor_records_that_it_would_not_serve(desk: Desk) -> None:
    await desk.manager()
    token = (await desk.ask()).token
    assert (await _void(desk, token, dry_run=True)).content == {"dryRun": True}
    await _void(desk, token)
    head = len(desk.ledger.events)
    with pytest.raises(DomainError, match="ELEVATION_INVALID"):
        await _void(desk, token, dry_run=True)
    assert len(desk.ledger.events) == head
