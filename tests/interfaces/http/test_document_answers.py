"""What a document's answer tells of the authority that stamped it and of what stands in its place."""

from application.roles import ROLE_PERMISSIONS
from interfaces.http.answers.document_actions import Viewer
from interfaces.http.answers.documents import document_detail
from projections.documents import DOCUMENTS
from projections.projection import Row
from tests.support.facts import CHAIN_LINK, CORRECTS, NOON, drafted, issued, numbered, replaced, stamped
from tests.support.folding import History, folded, receipt_id

AUDITOR = Viewer(ROLE_PERMISSIONS["AUDITOR"], NOON)


async def _row(history: History) -> Row:
    return folded(DOCUMENTS, history.events)["document_v6"][(receipt_id("o-1"),)]


async def test_fiscal_data_are_the_drivers_the_authoritys_and_the_chains() -> None:
    history = History()
    await history.pay("o-1")
    plain = {"driver": "GENERIC", "driverVersion": "generic/1"}
    assert document_detail(await _row(history), AUDITOR).fiscal == plain

    history = History()
    chained = numbered().model_copy(update={"chain": CHAIN_LINK})
    for fact in (drafted(), chained, stamped(), issued()):
        await history.append_to_receipt("o-1", fact)
    stamp = stamped().stamp
    assert document_detail(await _row(history), AUDITOR).fiscal == {
        **plain,
        "authority": "SIMULATED",
        "uuid": stamp.uuid,
        "stampedAt": "2026-03-14T12:00:00.000000Z",
        "qr": stamp.qr,
        "chainId": CHAIN_LINK.chain_id,
        "chainHash": CHAIN_LINK.hash,
    }


async def test_a_replaced_document_and_the_one_in_its_place_name_each_other() -> None:
    history = History()
    for fact in (drafted(replaces_document_id=CORRECTS.document_id), numbered(), issued(), replaced()):
        await history.append_to_receipt("o-1", fact)
    answer = document_detail(await _row(history), AUDITOR)
    assert (answer.status, answer.allowed_actions) == ("REPLACED", ["DOWNLOAD", "VERIFY"])
    assert answer.replaces_document_id == CORRECTS.document_id
    assert answer.replaced_by_document_id == replaced().replaced_by_document_id
