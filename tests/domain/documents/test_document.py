"""A document is drafted, numbered, issued; each once, whatever is repeated."""

import pytest

from domain.documents.document import DOCUMENT, draft, fail, issue, link, number, void
from domain.documents.document_facts import DocumentLinked
from domain.kernel.facts import Fact
from tests.support.facts import CORRECTS, NOON, drafted, issue_failed, issued, numbered, voided
from tests.support.given import given, state_after


def test_a_new_key_is_drafted() -> None:
    given().when(draft, drafted()).then(drafted())


def test_a_key_that_has_a_document_is_not_drafted_again_even_from_other_data() -> None:
    given(drafted()).when(draft, drafted(buyer_id="another")).then()


def test_a_draft_gets_a_number() -> None:
    given(drafted()).when(number, numbered(1)).then(numbered(1))


def test_a_number_once_given_is_kept() -> None:
    given(drafted(), numbered(1)).when(number, numbered(2)).then()


def test_a_numbered_draft_is_issued() -> None:
    given(drafted(), numbered()).when(issue, issued()).then(issued())


def test_what_does_not_exist_cannot_be_issued() -> None:
    given().when(issue, issued()).then_refused("DOCUMENT_NOT_DRAFT")


def test_a_draft_without_a_number_cannot_be_issued() -> None:
    given(drafted()).when(issue, issued()).then_refused("DOCUMENT_NOT_DRAFT")


def test_issuing_the_same_files_again_changes_nothing_though_the_key_has_rotated() -> None:
    given(drafted(), numbered(), issued()).when(issue, issued(signature="b3RoZXI=")).then()


@pytest.mark.parametrize("other", [issued(pdf=b"forged"), issued(content=b"forged")])
def test_an_issued_document_takes_no_other_files(other: Fact) -> None:
    given(drafted(), numbered(), issued()).when(issue, other).then_refused("DOCUMENT_NOT_DRAFT")


def test_failures_are_counted_from_one() -> None:
    history = (drafted(), numbered())
    given(*history).when(fail, "vault_unavailable", retry_at=NOON).then(issue_failed(1))
    given(*history, issue_failed(1)).when(fail, "vault_unavailable", retry_at=NOON).then(issue_failed(2))


def test_a_failure_that_comes_after_the_issue_is_not_recorded() -> None:
    given(drafted(), numbered(), issued()).when(fail, "vault_unavailable", retry_at=NOON).then()


def test_a_failure_of_what_does_not_exist_is_not_recorded() -> None:
    given().when(fail, "vault_unavailable", retry_at=NOON).then()


def test_a_parked_document_can_still_be_issued_and_then_is_parked_no_more() -> None:
    given(drafted(), numbered(), issue_failed()).when(issue, issued()).then(issued())
    document = state_after(drafted(), numbered(), issue_failed(), issued())
    assert (document.status, document.failure, document.failed_attempts) == ("ISSUED", None, 1)


def test_a_document_is_a_draft_until_it_is_issued() -> None:
    history = (drafted(), numbered(), issue_failed(), issued())
    statuses = [state_after(*history[:length]).status for length in (1, 2, 3, 4)]
    assert statuses == ["DRAFT", "DRAFT", "DRAFT", "ISSUED"]


def test_an_unknown_fact_is_an_error_and_never_ignored() -> None:
    with pytest.raises(AssertionError):
        DOCUMENT.evolve(state_after(drafted()), Fact())


def test_an_issued_document_is_voided_once_and_keeps_its_number_and_files() -> None:
    history = (drafted(), numbered(), issued())
    given(*history).when(void, "ERROR").then(voided())
    given(*history, voided()).when(void, "ERROR").then()
    document = state_after(*history, voided())
    assert (document.status, document.numbered, document.issued) == ("VOIDED", numbered(), issued())


def test_what_was_voided_while_it_was_being_made_is_not_issued_any_more() -> None:
    given(drafted(), numbered(), voided()).when(issue, issued()).then()
    given(drafted(), numbered(), voided()).when(fail, "vault_unavailable", retry_at=NOON).then()


def test_a_document_is_told_once_of_another() -> None:
    linked = DocumentLinked(linked_document=CORRECTS)
    given(drafted()).when(link, CORRECTS).then(linked)
    given(drafted(), linked).when(link, CORRECTS).then()
    assert state_after(drafted(linked_documents=(CORRECTS,))).linked_documents == (CORRECTS,)
